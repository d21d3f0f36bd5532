"""What would have happened under other rules: the bids of a past log, played again.

Pure, and the same `apply` as the live auction. The bidders behave like this:

- where bidders bid when they like, every bid is sent again at its old moment, counted from the
  start;
- elsewhere the format says what they do at each stage, knowing every price they ever named
  (`Format.act`);
- who accepted on a clock has named the price of that step.

A price that was accepted counts as confirmed where the other rules doubt it. One that its bidder
was asked about and never confirmed is a slip, no bid: it is not played. Exclusions and withdrawals
are kept (where the other rules publish bids later, a withdrawn one was never sent), answers that
the other rules do not ask for are dropped. Pauses, extensions by the buyer and outages are left
out: the heart beats all the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import msgspec

from marketplace.kernel.money import format_minor, round_half_even

from .core.commands import (
    Accept,
    Admit,
    AnyBody,
    Auto,
    Bid,
    Command,
    Exclude,
    Reschedule,
    Tick,
    Withdraw,
)
from .core.guard import BadPrice, confirmation_token, read_price
from .core.outcomes import Code, Outcome
from .core.parameters import Terms
from .core.scoring import read_exact
from .core.standing import rank_at
from .core.state import State
from .core.timeline import heartbeat_us
from .parts.format import Format
from .versions import apply_of, format_of, initial, publishes_at_once
from .views.limits import next_max_price

TICKS_MAX = 2_000_000
"""A simulated auction lasts at most so many heartbeats."""


class Place(msgspec.Struct, frozen=True):
    """A row of the final standing; `evaluated` is exact minor units as text."""

    rank: int
    bidder: str
    price: int
    evaluated: str

    @property
    def evaluated_minor(self) -> int:
        """Rounded half-even to the minor unit."""
        return round_half_even(Fraction(read_exact(self.evaluated)))


class Played(msgspec.Struct, frozen=True):
    """How one auction went. `curve` is (ts, evaluated price of the lead in minor units, rounded
    half-even) as it fell.
    """

    format: str
    winner: str | None
    standing: list[Place]
    close_at: int
    extensions: int
    accepted: int
    refused: dict[str, int]
    curve: list[tuple[int, int]]


class Comparison(msgspec.Struct, frozen=True):
    """The auction as it was and as it would have been."""

    before: Played
    after: Played

    @property
    def winner_changes(self) -> bool:
        return self.before.winner != self.after.winner

    @property
    def lead_change_minor(self) -> int | None:
        """How much lower (negative) or higher the best evaluated price would have been."""
        if not self.before.standing or not self.after.standing:
            return None
        return self.after.standing[0].evaluated_minor - self.before.standing[0].evaluated_minor


def replay_under(commands: Sequence[Command], original: Terms, terms: Terms) -> Comparison:
    """Plays `commands` under their `original` terms and their bids under `terms`.

    The start and the auction's id are those of the original. Raises BrokenLog when the log does not
    fold under its own terms.
    """
    # How a price is split decides nothing here, and the bids made up below have no lines.
    before, outcomes = play_again(commands, original)
    began_us = original.starts_at_us
    for command, outcome in zip(commands, outcomes, strict=True):
        if isinstance(command.body, Reschedule) and outcome.accepted:
            began_us = command.body.starts_at_us
    other = msgspec.structs.replace(
        terms, starts_at_us=began_us, auction=original.auction, lines=()
    )
    named = [
        _named(command, original)
        for command, outcome in zip(commands, outcomes, strict=True)
        if _was_meant(outcome)
    ]
    accepted = {c.seq for c, o in zip(commands, outcomes, strict=True) if o.accepted}
    return Comparison(before, _Simulation(named, accepted, other).play())


def play_again(commands: Sequence[Command], terms: Terms) -> tuple[Played, list[Outcome]]:
    """The auction exactly as it was, with the decision on each command."""
    state, notes, apply = initial(terms), _Notes(), apply_of(terms)
    outcomes = []
    for command in commands:
        state, outcome = apply(state, command)
        notes.take(state, command, outcome)
        outcomes.append(outcome)
    return notes.played(state), outcomes


def _was_meant(outcome: Outcome) -> bool:
    """Not a slip that was asked about, nor a cid that was sent before."""
    repeats = outcome.repeat_of is not None or outcome.code is Code.CID_REUSED
    return not repeats and outcome.code is not Code.CONFIRM_REQUIRED


class _Notes:
    """Gathers what `Played` tells, command by command."""

    def __init__(self) -> None:
        self.extensions = 0
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self.curve: list[tuple[int, int]] = []

    def take(self, state: State, command: Command, outcome: Outcome) -> None:
        self.extensions += sum(
            event.__struct_config__.tag == "extended" for event in outcome.events
        )
        if isinstance(command.body, Bid | Accept) and outcome.repeat_of is None:
            self.accepted += outcome.accepted
            if outcome.code is not None:
                self.refused[str(outcome.code)] += 1
        if state.rows:
            lead = round_half_even(Fraction(state.rows[0][0]))
            if not self.curve or self.curve[-1][1] != lead:
                self.curve.append((command.ts, lead))

    def played(self, state: State) -> Played:
        standing = [
            Place(rank_at(state, index), alias, state.bidders[alias].bids[-1].price, str(worth))
            for index, (worth, _, alias) in enumerate(state.rows)
        ]
        return Played(
            format=state.terms.format,
            winner=standing[0].bidder if standing else None,
            standing=standing,
            close_at=state.close_at,
            extensions=self.extensions,
            accepted=self.accepted,
            refused=dict(self.refused),
            curve=self.curve,
        )


class _Simulation:
    """The second run: our own heartbeats, the old bids, and intents where prices are asked."""

    def __init__(self, commands: Sequence[Command], accepted: set[int], terms: Terms) -> None:
        self.state = initial(terms)
        self._apply = apply_of(terms)
        self.notes = _Notes()
        if not publishes_at_once(terms):
            commands = _without_withdrawn(commands)
        self.ladders = _ladders(commands, terms)
        self.answers = _answers(commands)
        self.old = [command for command in commands if _is_kept(command.body)]
        self.accepted = accepted
        self.seq_of: dict[int, int] = {}
        self.acted: set[tuple[str, int, int | None, int | None]] = set()

    def play(self) -> Played:
        terms = self.state.terms
        at = min(
            [terms.starts_at_us - terms.heartbeat_us, *(command.ts for command in self.old[:1])]
        )
        position = 0
        for _ in range(TICKS_MAX):
            self.send(Tick(), at)
            self._act(at)
            if self.state.status == "closed":
                break
            at += heartbeat_us(self.state, at)
            while position < len(self.old) and self.old[position].ts < at:
                self._repeat(self.old[position])
                position += 1
        return self.notes.played(self.state)

    def send(self, body: AnyBody, at: int) -> Outcome:
        command = Command(self.state.seq + 1, max(at, self.state.ts + 1), body)
        self.state, outcome = self._apply(self.state, command)
        self.notes.take(self.state, command, outcome)
        return outcome

    def _repeat(self, command: Command) -> None:
        body = command.body
        if isinstance(body, Bid | Accept) and not self._format.repeats_bids:
            return
        if isinstance(body, Withdraw):
            body = msgspec.structs.replace(body, bid_seq=self.seq_of.get(body.bid_seq, 0))
        elif isinstance(body, Bid):
            # What was refused is sent as it was: nobody has confirmed it.
            asked = self._asked(body.attributes)
            body = msgspec.structs.replace(body, attributes=asked, lines={})
            body = self.confirmed(body) if command.seq in self.accepted else body
        elif isinstance(body, Admit):
            body = self._admission(body)
        body = msgspec.structs.replace(body, cid="")
        self.send(body, command.ts)
        self.seq_of[command.seq] = self.state.seq

    def confirmed(self, body: Bid) -> Bid:
        try:
            price = read_price(self.state.terms, body.price)
        except BadPrice:
            return body
        token = confirmation_token(self.state.terms, body.bidder, price)
        return msgspec.structs.replace(body, confirm=token)

    def _admission(self, body: Admit) -> Admit:
        """A clock takes no offers."""
        offer = None if self._format.is_clock else body.offer
        asked = self._asked(body.attributes)
        return msgspec.structs.replace(body, offer=offer, attributes=asked, lines={})

    def _asked(self, answers: dict[str, str]) -> dict[str, str]:
        scoring = self.state.terms.scoring
        known = {feature.id for feature in scoring.features if feature.source == "options"}
        known |= {cost.id for cost in scoring.costs}
        return {name: answer for name, answer in answers.items() if name in known}

    def _act(self, at: int) -> None:
        """What the bidders do at this stage, once each."""
        format_, stage = self._format, self.state.stage
        if self.state.status != "open" or format_.repeats_bids:
            return
        for alias, ladder in self.ladders.items():
            mark = (alias, self.state.phase, stage.round or stage.step, stage.turn)
            if mark in self.acted or self.state.status != "open":
                continue
            self.acted.add(mark)
            format_.act(self, alias, ladder, at)

    @property
    def _format(self) -> Format:
        return format_of(self.state.terms, self.state.now)

    def border(self, alias: str, at: int) -> int | None:
        return next_max_price(self.state, alias, at)

    def answers_of(self, alias: str) -> dict[str, str]:
        return self._asked(self.answers.get(alias, {}))


def _named(command: Command, original: Terms) -> Command:
    """An accept as a bid at the price of its step. A clock is the first phase or the only one."""
    body, clock = command.body, original.phases[0]
    if not isinstance(body, Accept):
        return command
    price = format_of(original, clock).price_of(clock, body.step)
    if price is None or price < 1:
        return command
    text = format_minor(price, original.exponent)
    return msgspec.structs.replace(command, body=Bid(cid=body.cid, bidder=body.bidder, price=text))


def _is_kept(body: AnyBody) -> bool:
    return isinstance(body, Bid | Accept | Auto | Admit | Exclude | Withdraw)


def _without_withdrawn(commands: Sequence[Command]) -> list[Command]:
    gone = {command.body.bid_seq for command in commands if isinstance(command.body, Withdraw)}
    return [
        command
        for command in commands
        if command.seq not in gone and not isinstance(command.body, Withdraw)
    ]


def _ladders(commands: Sequence[Command], terms: Terms) -> dict[str, list[int]]:
    """alias -> every price it named, in order; only what is a price at all."""
    ladders: dict[str, list[int]] = {}
    for command in commands:
        if isinstance(command.body, Bid):
            try:
                price = read_price(terms, command.body.price)
            except BadPrice:
                continue
            ladders.setdefault(command.body.bidder, []).append(price)
    return ladders


def _answers(commands: Sequence[Command]) -> dict[str, dict[str, str]]:
    """alias -> the answers it gave, the newest counting."""
    answers: dict[str, dict[str, str]] = {}
    for command in commands:
        if isinstance(command.body, Bid) and command.body.attributes:
            answers.setdefault(command.body.bidder, {}).update(command.body.attributes)
    return answers
