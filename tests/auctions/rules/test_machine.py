"""A state machine over every format: whatever is sent, the promises hold."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from auctions.rules.core import commands, outcomes
from auctions.rules.core.apply import apply
from auctions.rules.core.bidding import highest, highest_below
from auctions.rules.core.commands import (
    Accept,
    Admit,
    AnyBody,
    Auto,
    Bid,
    Command,
    Exclude,
    Extend,
    Pause,
    Resume,
    Tick,
    Withdraw,
)
from auctions.rules.core.outcomes import BidPlaced, BidWithdrawn, Closed, Code, Opened, Outcome
from auctions.rules.core.outcomes import Stage as StageEvent
from auctions.rules.core.scoring import evaluate
from auctions.rules.core.standing import rank_of
from auctions.rules.core.state import State, dump
from auctions.rules.versions import initial, load
from auctions.rules.views.limits import next_max_price, price_for_rank
from auctions.rules.views.projection import project
from auctions.rules.views.visibility import Viewer, audience, personal, snapshot
from tests.auctions.rules.any_rules import ALIASES, aliases, english_rules, other_rules, prices
from tests.auctions.rules.driver import terms_of


class Promises(RuleBasedStateMachine):
    """Sends commands at random and checks after each what must never break."""

    @initialize(
        rules=st.one_of(english_rules(), other_rules()),
        start_s=st.sampled_from([0, 0, 0, 1.5, -3]),
        offers=st.booleans(),
    )
    def begin(self, rules: dict[str, Any], start_s: float, offers: bool) -> None:
        self.terms = terms_of(**rules)
        self.scored = self.terms.scoring.kind
        self.state = initial(self.terms)
        self.log: list[Command] = []
        self.outcomes: list[Outcome] = []
        self.cids: dict[tuple[str, str], tuple[AnyBody, Outcome]] = {}
        self.ts = self.terms.starts_at_us - 5_000_000
        self.views: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.send(Tick())
        for number, alias in enumerate(ALIASES):
            self.admit(alias, number)
        if offers and self.state.now.format not in ("dutch", "japanese"):
            answers = self.answers("d")
            self.send(Admit(bidder="d", rating="100", offer="9.50", attributes=answers))
        while self.ts < self.terms.starts_at_us + start_s * 1_000_000:
            self.send(Tick(), 500_000)

    def admit(self, alias: str, number: int) -> None:
        rating = [None, "87.5", "40", "100"][number]
        bonus = {"bonus_percent": "1.5", "bonus_minor": 7} if number == 2 else {}
        self.send(Admit(bidder=alias, rating=rating, **bonus))

    def answers(self, alias: str) -> dict[str, str]:
        answers: dict[str, str] = {}
        if self.terms.scoring.features:
            answers["warranty"] = ["none", "3y", "5y", "3y"][ALIASES.index(alias)]
        if self.terms.scoring.costs:
            answers["energy"] = ["0", "1.37", "0.05", "2.00"][ALIASES.index(alias)]
        return answers

    def send(self, body: AnyBody, after_us: int = 1) -> Outcome:
        """One command through `apply`, with all promises about a single step."""
        assert commands.decode(commands.encode(body)) == body
        self.ts += after_us
        command = Command(len(self.log) + 1, self.ts, body)
        before = self.lead()
        offered = self.expected_border(body)
        self.state, outcome = apply(self.state, command)
        assert outcomes.decode(outcomes.encode(outcome)) == outcome
        self.log.append(command)
        self.outcomes.append(outcome)
        self.check_step(command, outcome, before)
        self.check_border(body, outcome, offered)
        self.check_automatic(body)
        self.watch(command, outcome)
        return outcome

    def lead(self) -> Fraction | None:
        return Fraction(self.state.rows[0][0]) if self.state.rows else None

    def expected_border(self, body: AnyBody) -> int | None:
        """What the bidder was told just before, where that moment still decides."""
        if not isinstance(body, Bid | Accept):
            return None
        return next_max_price(self.state, body.bidder, self.ts)

    def check_border(self, body: AnyBody, outcome: Outcome, border: int | None) -> None:
        """At the border only a doubt may object; above it nothing goes."""
        unsaid = (Code.CID_REUSED, Code.MALFORMED)
        if not isinstance(body, Bid) or outcome.repeat_of or outcome.code in unsaid:
            return
        # What this very command opened or ended was not asked about before.
        moved = any(isinstance(event, Opened | StageEvent | Closed) for event in outcome.events)
        if body.attributes or body.price is None or moved:
            return
        if border is None:
            assert not outcome.accepted
            return
        minor = round(float(body.price) * 100)
        assert minor <= border or not outcome.accepted
        if minor == border:
            assert outcome.accepted or outcome.code is Code.CONFIRM_REQUIRED

    def check_automatic(self, body: AnyBody) -> None:
        """After a bid or a limit no automatic bidder is left who could lead and does not."""
        state = self.state
        if state.status != "open" or state.now.format != "english" or not state.autos_count:
            return
        if not isinstance(body, Bid | Auto):
            return
        for alias, bidder in state.bidders.items():
            if bidder.auto_minor is None or bidder.scale is None or not state.rows:
                continue
            if state.rows[0][2] != alias:
                best = highest_below(state, alias, bidder.scale, state.rows[0][0])
                assert best is None or best < bidder.auto_minor

    def check_step(self, command: Command, outcome: Outcome, before: Fraction | None) -> None:
        placed = [event for event in outcome.events if isinstance(event, BidPlaced)]
        struck = [event for event in outcome.events if isinstance(event, BidWithdrawn)]
        after = self.lead()
        if before is not None and not struck:
            assert after is not None
            assert after <= before, "the best gets worse only by a withdrawal"
        if isinstance(command.body, Bid | Accept) and outcome.accepted and not outcome.repeat_of:
            assert command.ts < self.state.close_at or self.terms.format == "dutch"
            assert self.state.status in ("open", "closed")
        if outcome.accepted:
            assert outcome.code is None
        else:
            assert outcome.code is not None
            assert outcome.detail
        for event in placed:
            assert event.price >= 1
            assert event.price <= (self.terms.ceiling_minor or 2**53)
        for event in outcome.events:
            if isinstance(event, Closed):
                assert event.winner == (self.state.rows[0][2] if self.state.rows else None)

    def watch(self, command: Command, outcome: Outcome) -> None:
        """Snapshot + frames = fresh snapshot; who changes the audience takes a new one."""
        viewers = [Viewer("buyer"), Viewer("observer"), *(Viewer("bidder", a) for a in ALIASES)]
        for viewer in viewers:
            name = viewer.role + (viewer.alias or "")
            key = audience(self.state, viewer)
            frames = project(self.state, command, outcome, key)
            fresh = snapshot(self.state, viewer, self.ts)
            if self.keys.get(name) == key:
                view = self.views[name]
                for frame in frames:
                    view = fold(view, frame)
                assert view["standing"] == fresh["standing"]
                assert view["close_at"] == fresh["close_at"]
            self.keys[name], self.views[name] = key, fresh

    @rule(alias=aliases, price=prices, cid=st.integers(0, 30))
    def bid(self, alias: str, price: str, cid: int) -> None:
        body = Bid(bidder=alias, price=price, cid=str(cid), attributes=self.answers(alias))
        outcome = self.send(body)
        former = self.cids.get((alias, str(cid)))
        if former is None:
            self.cids[alias, str(cid)] = body, outcome
        elif former[0] == body:
            assert outcome.repeat_of is not None
            for field in ("accepted", "code", "detail", "limit", "token", "rank", "evaluated"):
                assert getattr(outcome, field) == getattr(former[1], field)
        else:
            assert outcome.code is Code.CID_REUSED

    @rule(alias=aliases, below=st.integers(0, 60))
    def improve(self, alias: str, below: int) -> None:
        """What an eager bidder does, in the own turn where there are turns."""
        alias = self.state.stage.bidder or alias
        border = next_max_price(self.state, alias, self.ts + 1)
        if border is None:
            self.send(Bid(bidder=alias, price="8.88", attributes=self.answers(alias)))
            return
        minor = max(1, min(border, 1_000) - below)
        outcome = self.send(Bid(bidder=alias, price=f"{minor // 100}.{minor % 100:02d}"))
        if outcome.code is Code.CONFIRM_REQUIRED:
            body = self.log[-1].body
            assert isinstance(body, Bid)
            self.send(Bid(bidder=alias, price=body.price, confirm=outcome.token))

    @rule(alias=aliases, above=st.integers(0, 2), confirm=st.booleans())
    def bid_at_the_border(self, alias: str, above: int, confirm: bool) -> None:
        """What is shown as the highest price is accepted; a cent more is not."""
        border = next_max_price(self.state, alias, self.ts + 1)
        if border is None or border > 10**9 or self.state.now.format in ("dutch", "japanese"):
            return
        minor = border + above
        text = f"{minor // 100}.{minor % 100:02d}"
        outcome = self.send(Bid(bidder=alias, price=text))
        if above:
            assert not outcome.accepted
        elif outcome.code is Code.CONFIRM_REQUIRED and confirm:
            outcome = self.send(Bid(bidder=alias, price=text, confirm=outcome.token))
            assert outcome.accepted
        else:
            assert outcome.accepted or outcome.code is Code.CONFIRM_REQUIRED

    @rule(alias=aliases, rank=st.integers(1, 4))
    def bid_for_a_rank(self, alias: str, rank: int) -> None:
        """The hint gives the rank it names, and no higher price would."""
        hint = price_for_rank(self.state, alias, rank, self.ts + 1)
        if hint is None or self.state.autos_count or self.state.now.format != "english":
            return
        scale = self.state.bidders[alias].scale
        assert scale is not None
        higher = highest(self.state, alias, scale)
        for minor in range(hint + 1, min(hint + 4, (higher or 0) + 1)):
            copy = load(dump(self.state))
            text = f"{minor // 100}.{minor % 100:02d}"
            probe = Command(copy.seq + 1, self.ts + 1, Bid(bidder=alias, price=text))
            copy, outcome = apply(copy, probe)
            assert not outcome.accepted or (outcome.rank or 0) > rank
        body = Bid(bidder=alias, price=f"{hint // 100}.{hint % 100:02d}")
        outcome = self.send(body)
        if outcome.code is not Code.CONFIRM_REQUIRED:
            assert outcome.accepted
            assert outcome.rank is not None
            assert outcome.rank <= rank

    @rule(alias=aliases, step=st.integers(0, 8), right=st.booleans())
    def accept(self, alias: str, step: int, right: bool) -> None:
        now = self.state.stage.step if right else step
        border = next_max_price(self.state, alias, self.ts + 1)
        clock = self.state.now.format in ("dutch", "japanese")
        outcome = self.send(Accept(bidder=alias, step=now or 0))
        if right and clock:
            assert outcome.accepted == (border is not None)

    @rule(alias=aliases, limit=st.one_of(st.none(), prices, prices))
    def auto(self, alias: str, limit: str | None) -> None:
        outcome = self.send(Auto(bidder=alias, limit=limit))
        for event in outcome.events:
            if isinstance(event, BidPlaced):
                assert event.auto
                bidder = self.state.bidders[event.bidder]
                assert bidder.auto_minor is not None
                assert event.price >= bidder.auto_minor

    @rule(alias=aliases)
    def take_back(self, alias: str) -> None:
        self.send(Bid(bidder=alias, price=None))

    @rule()
    def all_stay_in(self) -> None:
        """A Japanese step that nobody leaves but one, or a Dutch one that nobody takes."""
        if self.state.now.format == "japanese":
            for alias in ALIASES[: 4 - (self.state.stage.step or 0) // 2]:
                self.send(Accept(bidder=alias, step=self.state.stage.step or 0))
        self.time_passes(4)

    @rule(seconds=st.floats(0.1, 5))
    def time_passes(self, seconds: float) -> None:
        left_us = round(seconds * 1_000_000)
        while left_us > 0:
            self.send(Tick(), min(left_us, 500_000))
            left_us -= 500_000

    @rule(seconds=st.sampled_from([1.9, 2.5, 5.9, 6.5, 60, 600]))
    def silence(self, seconds: float) -> None:
        """Nobody may bid in it, and it never closes."""
        status, ends_at, last = self.state.status, self.state.stage.ends_at, self.state.last_tick_us
        self.ts += round(seconds * 1_000_000)
        now = self.ts + 1
        blind = now - last > 6_000_000 or now - max(last, ends_at - 120_000_000) > 2_000_000
        outcome = self.send(Bid(bidder="a", price="1.00", attributes=self.answers("a")))
        if blind and status == "open":
            assert outcome.code is Code.PAUSED
            assert self.state.status == "open"
            self.send(Tick())
            assert self.state.status == "open", "never closed while blind"
            left_us = self.state.stage.ends_at - self.ts
            assert left_us >= max(ends_at - last, self.terms.min_resume_us)
        else:
            self.send(Tick())

    @rule(seconds=st.sampled_from([0, 1.5, 20]), stays=st.sampled_from([False, False, True]))
    def pause(self, seconds: float, stays: bool) -> None:
        """The buyer's pause takes nothing away and gives nothing."""
        opened = self.state.status == "open"
        left_us = self.state.stage.ends_at - self.ts - 1
        accepted = self.send(Pause(reason="x")).accepted
        self.time_passes(seconds)
        if stays:
            return
        self.send(Resume())
        if accepted and opened:
            assert self.state.stage.ends_at - self.ts == left_us

    @precondition(lambda self: self.state.status == "paused")
    @rule()
    def resume(self) -> None:
        assert self.send(Resume()).accepted

    @rule(seconds=st.integers(1, 10))
    def extend(self, seconds: int) -> None:
        self.send(Extend(seconds=seconds, reason="x"))

    @precondition(lambda self: any(b.bids for b in self.state.bidders.values()))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """The struck bid is gone, the standing is that of the bids that are left."""
        bidders = self.state.bidders
        alias = data.draw(st.sampled_from(sorted(a for a in bidders if bidders[a].bids)))
        number = data.draw(st.sampled_from([placed.seq for placed in bidders[alias].bids]))
        count = len(bidders[alias].bids)
        outcome = self.send(Withdraw(bid_seq=number, reason="x", bidder=alias))
        if outcome.accepted:
            assert len(self.state.bidders[alias].bids) == count - 1
            assert self.state.bidders[alias].auto_minor is None

    @rule(alias=aliases)
    def exclude_and_readmit(self, alias: str) -> None:
        if self.send(Exclude(bidder=alias, reason="x")).accepted:
            assert self.send(Bid(bidder=alias, price="1.00")).code is Code.NOT_ADMITTED
            self.admit(alias, ALIASES.index(alias))

    @invariant()
    def the_standing_is_the_sorted_bids(self) -> None:
        expected = sorted(
            (Fraction(evaluate(bid.scale, bid.price)), bid.order, alias)
            for alias, bidder in self.state.bidders.items()
            if (bid := bidder.current) is not None
        )
        assert self.state.rows == expected
        if self.terms.tie_rank == "order":
            ranks = [rank_of(self.state, alias) for _, _, alias in expected]
            assert ranks == list(range(1, len(expected) + 1))

    @invariant()
    def a_snapshot_is_the_state(self) -> None:
        copy = load(dump(self.state))
        assert copy == self.state
        assert copy.rows == self.state.rows

    def teardown(self) -> None:
        """Folding the log again gives the same state and the same outcomes."""
        if not hasattr(self, "log"):
            return
        state: State = initial(self.terms)
        for command, outcome in zip(self.log, self.outcomes, strict=True):
            state, again = apply(state, command)
            assert again == outcome
        assert state == self.state
        for alias in ALIASES:
            assert personal(state, alias, self.ts) == personal(self.state, alias, self.ts)


def fold(view: dict[str, Any], frame: dict[str, Any]) -> dict[str, Any]:
    """What a client does with an event frame; the rule is in `projection`. The buyer's frames
    carry the whole standing with every change.
    """
    standing = view["standing"]
    if "standing" in frame:
        standing = frame["standing"]
    elif "alias" in frame and frame["kind"] in ("bid", "withdrawn"):
        row = frame["row"] if frame["kind"] == "withdrawn" else row_of(frame)
        standing = [kept for kept in standing if kept["alias"] != frame["alias"]]
        if row is not None:
            standing.insert(row["rank"] - 1, row)
        standing = [row | {"rank": number} for number, row in enumerate(standing, 1)]
    return view | {"standing": standing, "close_at": frame.get("close_at", view["close_at"])}


def row_of(frame: dict[str, Any]) -> dict[str, Any]:
    """The standing's row in a `bid` frame."""
    return {
        field: frame[field] for field in ("rank", "alias", "price", "evaluated") if field in frame
    }


TestPromises = Promises.TestCase
TestPromises.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
