"""What became of a command: accepted or refused, and what happened to the auction through it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Code(StrEnum):
    """Refusal codes, as in the public contract."""

    LATE = "late"
    NOT_OPEN = "not_open"
    PAUSED = "paused"
    NOT_ADMITTED = "not_admitted"
    ABOVE_CEILING = "above_ceiling"
    STEP_TOO_SMALL = "step_too_small"
    NOT_BELOW_LEAD = "not_below_lead"
    TIE_FORBIDDEN = "tie_forbidden"
    CONFIRM_REQUIRED = "confirm_required"
    NOT_YOUR_TURN = "not_your_turn"
    STALE_STEP = "stale_step"
    CID_REUSED = "cid_reused"
    MALFORMED = "malformed"
    OUT_OF_RANGE = "out_of_range"
    TOO_MANY = "too_many"


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, gc=False
):
    """Base of what happened. The full event is for buyers; others get what `visibility` leaves."""


class Opened(Event, frozen=True, kw_only=True, tag="opened"):
    close_at: int


class BidPlaced(Event, frozen=True, kw_only=True, tag="bid"):
    """A bid that stands. `price` in minor units; `evaluated` exact, as `"a"` or `"a/b"`."""

    bidder: str
    price: int
    evaluated: str
    rank: int
    auto: bool = False
    surrogate: bool = False


class BidWithdrawn(Event, frozen=True, kw_only=True, tag="withdrawn"):
    """`bid_seq` was struck out by the buyer, or taken back by the bidder in the own turn."""

    bidder: str
    bid_seq: int
    reason: str = ""


class Extended(Event, frozen=True, kw_only=True, tag="extended"):
    close_at: int
    number: int = 0
    reason: str = ""


class Rescheduled(Event, frozen=True, kw_only=True, tag="rescheduled"):
    """The auction begins later than its terms said; `close_at` is the new estimate."""

    starts_at: int
    close_at: int
    reason: str


class Paused(Event, frozen=True, kw_only=True, tag="paused"):
    reason: str
    outage: bool = False


class Resumed(Event, frozen=True, kw_only=True, tag="resumed"):
    close_at: int
    reason: str = ""
    outage: bool = False


class Stage(Event, frozen=True, kw_only=True, tag="stage"):
    """A phase, round, turn, pause or step begins; `ends_at` in µs. `bidder` is whose turn it is."""

    name: str
    ends_at: int | None
    phase: int = 0
    round: int | None = None
    turn: int | None = None
    step: int | None = None
    price: int | None = None
    bidder: str | None = None


class DroppedOut(Event, frozen=True, kw_only=True, tag="dropped"):
    bidder: str
    step: int


class Announced(Event, frozen=True, kw_only=True, tag="message"):
    text: str


class Admitted(Event, frozen=True, kw_only=True, tag="admitted"):
    bidder: str


class Excluded(Event, frozen=True, kw_only=True, tag="excluded"):
    bidder: str
    reason: str


class AutoSet(Event, frozen=True, kw_only=True, tag="auto"):
    """Private to the bidder: the own automatic limit in minor units, or none."""

    bidder: str
    limit: int | None


class Closed(Event, frozen=True, kw_only=True, tag="closed"):
    """`winner` is the alias at rank 1, or none."""

    close_at: int
    winner: str | None = None


class Cancelled(Event, frozen=True, kw_only=True, tag="cancelled"):
    reason: str


AnyEvent = (
    Opened
    | BidPlaced
    | BidWithdrawn
    | Extended
    | Rescheduled
    | Paused
    | Resumed
    | Stage
    | DroppedOut
    | Announced
    | Admitted
    | Excluded
    | AutoSet
    | Closed
    | Cancelled
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The decision on one command.

    accepted     whether it took effect (ticks that change nothing are accepted with no events)
    code         why not, when refused; `detail` says it in a sentence with both numbers or times
    limit        the highest price in minor units that would have been accepted
    token        the confirmation token when `code` is confirm_required
    rank, evaluated   of the bidder's own standing afterwards, for bids and accepts
    repeat_of    the seq whose decision this repeats (same cid again); its events are not repeated
    events       what happened, in order, opening and closing by time included
    """

    accepted: bool
    code: Code | None = None
    detail: str | None = None
    limit: int | None = None
    token: str | None = None
    rank: int | None = None
    evaluated: str | None = None
    repeat_of: int | None = None
    events: list[AnyEvent] = []


encode: Callable[[Outcome], bytes] = msgspec.json.Encoder(order="sorted").encode
"""Canonical JSON, part of the hash chain."""

decode: Callable[[bytes], Outcome] = msgspec.json.Decoder(Outcome).decode
