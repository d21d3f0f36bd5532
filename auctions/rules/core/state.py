"""The state of one auction: all that `apply` remembers between two commands.

It encodes to msgpack as it is (snapshots); the ordered standing is rebuilt when it is decoded.
Memory is flat: per bidder the newest HISTORY_MAX bids, per auction at least the newest CID_WINDOW
outcomes and at most twice as many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from marketplace.kernel.money import MINOR_MAX

from .format import Format, Rules
from .outcomes import Code
from .parameters import Phase, Terms
from .scoring import Exact, Scale, evaluate

CID_WINDOW = 8_192
HISTORY_MAX = 64
"""Bids kept for each bidder: so many may be withdrawn one after the other."""
BIDS_PER_BIDDER_MAX = 100_000

Status = Literal["scheduled", "open", "paused", "closed", "cancelled"]
Row = tuple[Exact, int, str]
"""A place in the standing: evaluated price, order of acceptance, alias."""


class Placed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A bid that was accepted. `order` counts accepted bids and decides between equal ones; `lines`
    are the totals of the lot's lines, in their order, in minor units.
    """

    seq: int
    order: int
    price: int
    scale: Scale
    auto: bool = False
    surrogate: bool = False
    lines: tuple[int, ...] = ()


class Bidder(msgspec.Struct):
    """One admitted bidder; `bids` is newest last, the last one stands. `initial` is the oldest bid
    that was not withdrawn, also where `bids` no longer holds it.
    """

    number: int
    keep_ppm: int
    bonus_minor: int
    rating: str | None
    admitted: bool = True
    answers: dict[str, str] = {}
    scale: Scale | None = None
    bids: list[Placed] = []
    bids_count: int = 0
    initial: Placed | None = None
    auto_minor: int | None = None
    auto_since: int = 0
    dropped_at: int | None = None

    @property
    def current(self) -> Placed | None:
        return self.bids[-1] if self.bids else None


class Stage(msgspec.Struct):
    """What is going on now and until when; the part a format keeps for itself."""

    name: str
    ends_at: int
    round: int | None = None
    turn: int | None = None
    step: int | None = None
    price: int | None = None
    bidder: str | None = None


class Taken(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The price of a clock that `bidder` accepted with its bid `order`."""

    bidder: str
    order: int
    price: int


class Remembered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a cid was answered, the outcome but its events; `digest` tells whether the body is the
    same.
    """

    seq: int
    digest: bytes
    accepted: bool
    code: Code | None
    detail: str | None
    limit: int | None
    token: str | None
    rank: int | None
    evaluated: str | None


class Kept(msgspec.Struct, kw_only=True):
    """What a snapshot keeps."""

    terms: Terms
    seq: int = 0
    ts: int = 0
    status: Status = "scheduled"
    phase: int = 0
    close_at: int
    stage: Stage
    last_tick_us: int = 0
    outage: bool = False
    left_us: int | None = None
    pause_reason: str = ""
    extensions: int = 0
    bids_count: int = 0
    initial_sum: int = 0
    initial_count: int = 0
    autos_count: int = 0
    bidders: dict[str, Bidder] = {}
    turns: list[str] = []
    pending: dict[str, Placed] = {}
    taken: Taken | None = None
    remembered: dict[str, Remembered] = {}
    remembered_before: dict[str, Remembered] = {}


class State(Kept, kw_only=True):
    """Mutable; `apply` consumes it and hands it back. What it has beyond `Kept` follows from that,
    and most commands ask for it: `rules` are those of the version that the terms pin, `format` and
    `now` are the format of the running phase and its parameters, `top` is the highest price anybody
    may bid.
    """

    rules: Rules
    format: Format
    now: Phase
    top: int
    row_of: dict[str, Row]
    rows: list[Row]

    def enter_phase(self, phase: int) -> None:
        self.phase = phase
        self.now = self.terms.phases[phase]
        self.format = self.rules.formats[self.now.format]


_KEPT = Kept.__struct_fields__
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Kept] = msgspec.msgpack.Decoder(Kept)


def initial(terms: Terms, rules: Rules) -> State:
    """The state before the first command, decided by `rules`; `versions.initial` finds those.

    Its close is an estimate until the auction opens.
    """
    close_at = terms.starts_at_us + sum(phase.duration_us for phase in terms.phases)
    stage = Stage(name="scheduled", ends_at=terms.starts_at_us)
    return _unfolded(Kept(terms=terms, close_at=close_at, stage=stage), rules)


def dump(state: State) -> bytes:
    """A snapshot; `versions.load(dump(state)) == state`."""
    return _encoder.encode(Kept(**{name: getattr(state, name) for name in _KEPT}))


def load(raw: bytes, rules_of: Callable[[Terms], Rules]) -> State:
    """Raises msgspec.ValidationError or msgspec.DecodeError on anything `dump` did not write."""
    kept = _decoder.decode(raw)
    return _unfolded(kept, rules_of(kept.terms))


def _unfolded(kept: Kept, rules: Rules) -> State:
    row_of: dict[str, Row] = {
        alias: (evaluate(placed.scale, placed.price), placed.order, alias)
        for alias, bidder in kept.bidders.items()
        if (placed := bidder.current) is not None
    }
    fields = {name: getattr(kept, name) for name in _KEPT}
    now, top = kept.terms.phases[kept.phase], top_of(kept.terms, kept.taken)
    rows = sorted(row_of.values())
    format_ = rules.formats[now.format]
    return State(**fields, rules=rules, format=format_, now=now, top=top, row_of=row_of, rows=rows)


def top_of(terms: Terms, taken: Taken | None) -> int:
    """The ceiling, or just below the price that was accepted on the clock."""
    if taken is not None:
        return taken.price - 1
    return MINOR_MAX if terms.ceiling_minor is None else terms.ceiling_minor


def is_blind(state: State, ts: int) -> bool:
    """Whether the heartbeat has been silent too long while the auction should be running."""
    terms, silent_us = state.terms, ts - state.last_tick_us
    if silent_us <= terms.near_blind_us:
        return False
    if silent_us <= terms.blind_us:
        # Near the end of a stage less is allowed. What was silent before does not count: heartbeats
        # came less often then.
        near_from = state.stage.ends_at - terms.near_us
        return state.status == "open" and ts - near_from > terms.near_blind_us
    return state.status == "open" or (state.status == "scheduled" and ts >= terms.starts_at_us)
