"""Makes the logs that this version of the rules has none of yet.

`python -m tests.auctions.logs.make` writes `v{version}/NAME.jsonl` for each scenario without one
and its SHA-256 into `v{version}/SHA256SUMS`. What exists is never written again: it is what the
version means.
"""

from __future__ import annotations

import hashlib
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auctions.book.fold import Fold
from auctions.book.journal import JournalHead
from auctions.book.log import Entry
from auctions.book.receipts import Signer
from auctions.book.transcript import Writer
from auctions.rules.core.commands import (
    Accept,
    Admit,
    AnyBody,
    Auto,
    Bid,
    Cancel,
    Exclude,
    Extend,
    Message,
    Pause,
    Reschedule,
    Resume,
    Tick,
    Withdraw,
    encode,
)
from auctions.rules.core.outcomes import Code, Outcome
from auctions.rules.core.parameters import RULES_VERSION
from auctions.rules.core.state import State
from auctions.rules.terms.read import read_terms
from auctions.rules.views.limits import is_unlimited, next_max_price
from marketplace.kernel.money import format_minor
from tests.auctions.logs.scenarios import ALIASES, SCENARIOS, STARTS_AT, Scenario

FOLDER = Path(__file__).parent
SUMS = "SHA256SUMS"
AUCTION = UUID("01a1ff00-0000-7000-8000-000000000002")
SECOND_US = 1_000_000
LEAD_US = 6 * SECOND_US
"""Before the planned start: admissions, offers, a new start."""

RESUME_US = 5 * SECOND_US
"""What an outage gives back at least: less than usual, to keep the logs short."""

NO_PRICES = (
    "a lot", "0.00", "-5.00", "1e3", "12,50", "1.00001", "99999999999999999999",
    "90071992547409.93", "007.50", "5",
)  # fmt: skip


def folder(version: int) -> Path:
    return FOLDER / f"v{version}"


def sums(version: int) -> dict[str, str]:
    """File name -> SHA-256, as committed."""
    path = folder(version) / SUMS
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def make(scenario: Scenario, rules_version: int) -> bytes:
    """The whole transcript. The keys are the tests' own and Ed25519 uses no chance, so the same
    rules write the same bytes."""
    rules = scenario.rules | {"starts_at": STARTS_AT}
    terms = read_terms(
        rules, auction=str(AUCTION), currency=scenario.currency, ceiling=scenario.ceiling
    )
    terms = msgspec.structs.replace(terms, rules_version=rules_version, min_resume_us=RESUME_US)
    private = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
    public = private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(public).hexdigest()[:16]
    head = JournalHead(AUCTION, 1, 0, 0, "", b"", msgspec.json.encode(terms), b"s" * 32, "", None)
    writer = Writer(head, Signer(key_id, private), {key_id: b64encode(public).decode()})
    return writer.header() + b"".join(_Crowd(head, writer, scenario).lines()) + writer.end()


class _Crowd:
    """Bidders and a buyer who do everything that can be done, by chance."""

    def __init__(self, head: JournalHead, writer: Writer, scenario: Scenario) -> None:
        self.fold = Fold(head, None)
        self.writer = writer
        self.dice = Random(scenario.seed)
        self.commands_max = scenario.commands_max
        self.script = scenario.script
        self.now_us = self.terms.starts_at_us - LEAD_US
        self.beat_us = 0
        self.sent: list[AnyBody] = []
        self.written: list[bytes] = []
        self.patience = 6
        """How often the buyer still intervenes in a way that costs time."""
        self.mistaken = False

    @property
    def terms(self):
        return self.fold.terms

    @property
    def state(self) -> State:
        return self.fold.state

    def lines(self) -> Iterator[bytes]:
        self._before()
        while len(self.written) < self.commands_max and self.state.status != "closed":
            self._pass_time(self.dice.choice((200_000, 600_000, 1_400_000)))
            if self.state.status == "open" and not self.mistaken:
                self.mistaken = True
                for body in self.script:
                    self._send(body)
                self._mistakes()
            if self.dice.random() < 0.6:
                self._act()
        self._after()
        yield from self.written

    def _before(self) -> None:
        self._send(Tick())
        self._send(Bid(cid="early", bidder=ALIASES[0], price="900.00"))
        for number, alias in enumerate(ALIASES):
            self._send(self._admission(number, alias))
        self._send(Admit(cid="low", bidder="Low Newt", rating="12.5"))
        self._send(Admit(cid="odd", bidder="Odd Newt", bonus_percent="100"))
        self._send(Admit(cid="far", bidder="Far Newt", bonus_minor=2**62))
        self._send(Admit(cid="nameless", bidder=""))
        self._send(
            Admit(cid="huge", bidder="Huge Newt", offer="5000.00", attributes=self._answers())
        )
        self._send(Admit(cid="words", bidder="Word Newt", offer="much", attributes=self._answers()))
        if not self.script:
            self._send(Admit(cid="mute", bidder="Mute Newt", offer="500.00"))
        self._send(Admit(cid="no-rating", bidder="Bad Newt", rating="good"))
        self._send(Admit(cid="high", bidder="Bad Newt", rating="100.1"))
        self._send(Admit(cid="no-bonus", bidder="Bad Newt", bonus_percent="much"))
        self._send(Admit(cid="bad", bidder="Bad Newt", attributes={"colour": "red"}))
        self._send(Bid(cid="first", bidder=ALIASES[0], price="900.00"))
        self._send(Extend(cid="soon", seconds=5, reason="Not yet"))
        self._send(Resume(cid="not-paused"))
        for cid, by_us in (
            ("back", -1),
            ("later", 2 * SECOND_US),
            ("far", 400 * 86_400 * SECOND_US),
        ):
            at = self.terms.starts_at_us + by_us
            self._send(Reschedule(cid=f"start-{cid}", starts_at_us=at, reason="The lift is stuck"))
        self._send(Reschedule(cid="start-mute", starts_at_us=self.now_us, reason=""))
        self._send(Pause(cid="wait", reason="A moment"))
        self._send(Extend(cid="paused", seconds=5, reason="Not yet"))
        late = self.dice.random()
        self._pass_time(SECOND_US if late < 0.7 else LEAD_US + 4 * SECOND_US)
        self._send(Resume(cid="go"))
        if late < 0.3:
            # The servers are silent over the start.
            self.now_us = self.terms.starts_at_us + 12 * SECOND_US
            self._send(Bid(cid="blind", bidder=ALIASES[0], price="900.00"))
            self._send(Tick())

    def _admission(self, number: int, alias: str) -> Admit:
        answers = self._answers() if number else {}
        body = Admit(cid=f"admit-{number}", bidder=alias, attributes=answers)
        if self.script:
            return body
        if number == 1:
            body = msgspec.structs.replace(body, bonus_percent="2.5", bonus_minor=150, rating="80")
        if number == 2:
            body = msgspec.structs.replace(body, bonus_percent="-1.25", rating="66.6667")
        clock = self.terms.phases[0].start_minor > 0
        if number in (1, 3) and not clock:
            price = 99_000 - number * 500 - number if self.terms.exponent else 990 - number
            body = msgspec.structs.replace(body, offer=self._text(price), lines=self._lines(price))
        return body

    def _after(self) -> None:
        """What is refused once the auction is over; one that is not by now is cancelled."""
        if self.state.status != "closed":
            self._send(Cancel(cid="mute-end", reason=""))
            self._send(Cancel(cid="end", reason="The pumps were found"))
        self._send(Bid(cid="late", bidder=ALIASES[0], price="1.00"))
        self._send(Message(cid="late-word", text="Thank you"))
        self._pass_time(SECOND_US)
        self._send(Withdraw(cid="late-strike", bid_seq=1, reason="Too late"))

    def _pass_time(self, us: int) -> None:
        """With a heartbeat in time."""
        target_us = self.now_us + us
        while self.beat_us + 1_800_000 < target_us:
            self.now_us = max(self.now_us, self.beat_us + 1_800_000)
            self._send(Tick())
        self.now_us = max(self.now_us, target_us)

    def _send(self, body: AnyBody) -> Outcome:
        self.now_us += 1
        if isinstance(body, Tick):
            self.beat_us = self.now_us
        else:
            self.sent.append(body)
        seq = self.fold.seq + 1
        made = self.fold.decide([Entry(0, seq, self.now_us, "", "", encode(body))])[0]
        assert made.command.body == body
        self.written.append(
            self.writer.command(
                seq, made.ts, made.bidder, made.kept_body, made.kept_outcome, made.chain
            )
        )
        return made.outcome

    def _act(self) -> None:
        on_a_clock = self.state.stage.step is not None
        acts: list[tuple[int, Callable[[], object]]] = [
            (10 if on_a_clock else 60, self._bid),
            (60 if on_a_clock else 4, self._accept),
            (14, self._auto),
            (5, self._repeat),
            (6, self._withdraw),
            (8, self._duel),
            (1, self._late_start),
            (2, self._say),
            (2, self._exclude),
            (5, self._readmit),
            (5, self._hold),
        ]
        self.dice.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()

    def _bid(self) -> None:
        alias = self._bidder()
        price = self._price(alias)
        body = Bid(
            cid=self._cid(),
            bidder=alias,
            price=self._text(price),
            attributes=self._answers() if self.dice.random() < 0.5 else {},
            lines=self._lines(price),
            surrogate="Letter of 15 January" if self.dice.random() < 0.05 else None,
        )
        outcome = self._send(body)
        if outcome.code is Code.CONFIRM_REQUIRED and self.dice.random() < 0.7:
            self._send(msgspec.structs.replace(body, cid=self._cid(), confirm=outcome.token))
        if alias in self.state.pending and self.dice.random() < 0.1:
            self._send(Bid(cid=self._cid(), bidder=alias, price=None))

    def _price(self, alias: str) -> int:
        """Near the border, on it, far below it, or as another one stands."""
        border = next_max_price(self.state, alias, self.now_us)
        if border is None or is_unlimited(border):
            border = self.terms.ceiling_minor or 100_000
        standing = [bidder.bids[-1].price for bidder in self.state.bidders.values() if bidder.bids]
        unit = max(1, border // 1_000)
        if standing and self.dice.random() < (0.2 if self.terms.ties == "allowed" else 0.5):
            return max(1, self.dice.choice(standing) + self.dice.choice((-unit, -1, 0, 1)))
        by = self.dice.choice((-3 * unit, 0, 0, 0, 1, unit, 5 * unit, 9 * unit, border // 2))
        return max(1, border - by) if by != border // 2 else border // 10

    def _mistakes(self) -> None:
        """Everything that is wrong about a bid itself."""
        alias = self.state.stage.bidder or ALIASES[0]
        self._send(Auto(cid=self._cid(), bidder=ALIASES[0], limit="700.00"))
        good = Bid(bidder=alias, price="500.00", attributes=self._answers())
        changes: list[dict[str, object]] = [
            {"price": None},
            *({"price": price} for price in NO_PRICES),
            {"bidder": "Nobody"},
            {"attributes": {"warranty": "9y"}},
            {"attributes": {"warranty": "3y", "energy": "-1"}},
            {"attributes": {"warranty": "3y", "energy": "much"}},
            {"lines": {"1": "500.00"}},
            {"lines": {"1": "300.00", "2": "100.00"}},
            {"lines": {"1": "501.00", "2": "-1.00"}},
            {"lines": {"1": "x", "2": "1.00"}},
            {"lines": {"1": "1.00", "2": "99999999999999999999"}},
            {"lines": {"1": "1.00", "2": "2.00", "9": "1.00"}},
            {"cid": "x" * 65},
        ]
        for change in changes:
            self._send(msgspec.structs.replace(good, **{"cid": self._cid(), **change}))

    def _accept(self) -> None:
        stage, alias = self.state.stage, self._bidder()
        step = stage.step or 0
        # A clock that everybody follows lasts; most wait for a while on one that the first ends.
        eager = 0.06 if self.terms.phases[0].increment_minor else 0.95
        if self.dice.random() > eager:
            step += self.dice.choice((-1, 1))
        if stage.price is not None and self.dice.random() < 0.2:
            for price in (self._text(1), "dear"):
                self._send(Accept(cid=self._cid(), bidder=alias, step=stage.step or 0, price=price))
        price = self._text(stage.price) if stage.price and self.dice.random() < 0.3 else None
        self._send(Accept(cid=self._cid(), bidder=alias, step=step, price=price))
        if stage.step is not None and self.terms.phases[0].decrement_minor:
            for other in ALIASES:
                if self.dice.random() < 0.9:
                    self._send(Accept(cid=self._cid(), bidder=other, step=step))

    def _auto(self) -> None:
        alias = self._bidder()
        price = max(1, self._price(alias) - self.dice.choice((0, 500, 5_000, 5_000, 20_000)))
        limit = self.dice.choice([self._text(price)] * 8 + [None, "low", "999999.00"])
        self._send(Auto(cid=self._cid(), bidder=alias, limit=limit))

    def _duel(self) -> None:
        """Limits that are equal, or closer than a step."""
        price = max(1, self._price(ALIASES[0]) * 9 // 10)
        for alias in self.dice.sample(ALIASES, 3):
            limit = max(1, price - self.dice.choice((0, 0, 1, 90)))
            self._send(Auto(cid=self._cid(), bidder=alias, limit=self._text(limit)))

    def _repeat(self) -> None:
        former = self.dice.choice(self.sent[-20:])
        if former.cid and self.dice.random() < 0.3 and isinstance(former, Bid):
            former = msgspec.structs.replace(former, price="321.00")
        self._send(former)

    def _withdraw(self) -> None:
        bids = [
            (placed.seq, alias)
            for alias, bidder in self.state.bidders.items()
            for placed in bidder.bids
        ]
        bid_seq, alias = self.dice.choice(bids) if bids else (1, "Nobody")
        if self.state.taken is not None and self.dice.random() < 0.15:
            taken = self.state.bidders[self.state.taken.bidder]
            bid_seq, alias = taken.bids[0].seq if taken.bids else 1, self.state.taken.bidder
        named = self.dice.choice((None, None, alias, ALIASES[0]))
        reason = self.dice.choice(("A slip", "A slip", ""))
        self._send(Withdraw(cid=self._cid(), bid_seq=bid_seq, reason=reason, bidder=named))

    def _say(self) -> None:
        self._send(Message(cid=self._cid(), text=self.dice.choice(("Half time", "x" * 501))))

    def _late_start(self) -> None:
        at = self.terms.starts_at_us + 60 * SECOND_US
        self._send(Reschedule(cid=self._cid(), starts_at_us=at, reason="Too late for that"))

    def _exclude(self) -> None:
        reason = self.dice.choice(("Gave up", ""))
        self._send(Exclude(cid=self._cid(), bidder=self._bidder(), reason=reason))

    def _readmit(self) -> None:
        if self.state.stage.step:
            self._send(Admit(cid=self._cid(), bidder="Late Newt"))
            self._send(Accept(cid=self._cid(), bidder="Late Newt", step=self.state.stage.step or 0))
        number = self.dice.randrange(len(ALIASES))
        body = self._admission(number, ALIASES[number])
        body = msgspec.structs.replace(body, cid=self._cid())
        if self.dice.random() < 0.8:
            body = msgspec.structs.replace(body, offer=None, lines={})
        self._send(body)

    def _hold(self) -> None:
        """A pause, an extension, an outage: what makes an auction longer."""
        if self.patience == 0:
            return
        self.patience -= 1
        self.dice.choice((self._pause, self._pause, self._extend, self._outage, self._outage))()

    def _pause(self) -> None:
        self._send(Pause(cid=self._cid(), reason=self.dice.choice(("Fire alarm", ""))))
        self._pass_time(2 * SECOND_US)
        self._bid()
        if self.dice.random() < 0.5:
            self._extend()
            self._send(Pause(cid=self._cid(), reason="Again"))
            self._send(Resume(cid=self._cid(), reason="x" * 501))
        if self.dice.random() < 0.4:
            # Nobody hears anything during the pause.
            self.now_us += 9 * SECOND_US
        self._send(Resume(cid=self._cid(), reason="All is well"))

    def _extend(self) -> None:
        seconds = self.dice.choice((3, 3, 0))
        reason = self.dice.choice(("By agreement", "By agreement", ""))
        self._send(Extend(cid=self._cid(), seconds=seconds, reason=reason))

    def _outage(self) -> None:
        self.now_us += self.dice.choice((3, 8)) * SECOND_US
        if self.dice.random() < 0.6:
            self._bid()
            self._auto()
        self._send(Tick())

    def _bidder(self) -> str:
        """Often the one whose turn it is."""
        turn = self.state.stage.bidder
        if turn is not None and self.dice.random() < 0.7:
            return turn
        return self.dice.choice(ALIASES)

    def _cid(self) -> str:
        return "" if self.dice.random() < 0.1 else f"c{len(self.sent)}"

    def _answers(self) -> dict[str, str]:
        answers = {}
        for feature in self.terms.scoring.features:
            if feature.options:
                answers[feature.id] = self.dice.choice(feature.options).id
        for cost in self.terms.scoring.costs:
            answers[cost.id] = self._text(self.dice.randrange(1_000, 9_000))
        return answers

    def _lines(self, price: int) -> dict[str, str]:
        if not self.terms.lines:
            return {}
        first = price // 3
        return {"1": self._text(first), "2": self._text(price - first)}

    def _text(self, minor: int) -> str:
        return format_minor(minor, self.terms.exponent)


def main() -> None:
    known = sums(RULES_VERSION)
    folder(RULES_VERSION).mkdir(exist_ok=True)
    for name, scenario in SCENARIOS.items():
        path = folder(RULES_VERSION) / f"{name}.jsonl"
        if not path.exists():
            path.write_bytes(make(scenario, RULES_VERSION))
            known[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
            sys.stdout.write(f"{path.name}\n")
    lines = [f"{digest}  {name}\n" for name, digest in sorted(known.items())]
    (folder(RULES_VERSION) / SUMS).write_text("".join(lines))


if __name__ == "__main__":
    main()
