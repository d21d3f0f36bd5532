"""What can be asked of an auction: the bodies that travel through the log, with their place in it.

A body is canonical JSON (`encode`) and never names an organisation: `bidder` is the random alias
given at admission, so a log may be shown without telling who took part.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

ALIAS_CHARS_MAX = CID_CHARS_MAX = 64
TEXT_CHARS_MAX = 500


class Body(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, gc=False
):
    """Base of all bodies. The same `cid` (sender's own id) of one sender gets the same outcome."""

    cid: str = ""


class Admit(Body, frozen=True, kw_only=True, tag="admit"):
    """Let `bidder` in. `bonus_percent` is a decimal text taken off the price, then `bonus_minor`;

    a malus is negative. `rating` is a decimal text in [0, 100], None: not rated yet. `offer` is the
    opened sealed offer the bidder starts with, `attributes` its answers to features and costs,
    `lines` the totals of the lot's lines.
    """

    bidder: str
    bonus_percent: str = "0"
    bonus_minor: int = 0
    rating: str | None = None
    offer: str | None = None
    attributes: dict[str, str] = {}
    lines: dict[str, str] = {}


class Exclude(Body, frozen=True, kw_only=True, tag="exclude"):
    """The bidder may bid no more; bids that stand are withdrawn separately."""

    bidder: str
    reason: str


class Bid(Body, frozen=True, kw_only=True, tag="bid"):
    """A price as the bidder wrote it; whether it is a number at all is for the rules to say.

    `attributes` answers features by option id and costs by money text. `confirm` is the token of a
    refusal with `confirm_required`. `surrogate` is set when the buyer enters the bid on the
    bidder's written request. `price=None` takes the own bid of this turn back.
    """

    bidder: str
    price: str | None
    attributes: dict[str, str] = {}
    lines: dict[str, str] = {}
    confirm: str | None = None
    surrogate: str | None = None


class Accept(Body, frozen=True, kw_only=True, tag="accept"):
    """Accept the price that a clock shows at `step`."""

    bidder: str
    step: int
    price: str | None = None


class Auto(Body, frozen=True, kw_only=True, tag="auto"):
    """Bid for me down to `limit`; None ends it."""

    bidder: str
    limit: str | None


class Tick(Body, frozen=True, kw_only=True, tag="tick"):
    """The heartbeat: time passed, and Redis and PostgreSQL were there. Opens, turns, closes."""


class Pause(Body, frozen=True, kw_only=True, tag="pause"):
    reason: str


class Resume(Body, frozen=True, kw_only=True, tag="resume"):
    reason: str = ""


class Extend(Body, frozen=True, kw_only=True, tag="extend"):
    seconds: int
    reason: str


class Reschedule(Body, frozen=True, kw_only=True, tag="reschedule"):
    """An auction that has not begun begins later, at `starts_at_us`."""

    starts_at_us: int
    reason: str


class Cancel(Body, frozen=True, kw_only=True, tag="cancel"):
    reason: str


class Withdraw(Body, frozen=True, kw_only=True, tag="withdraw"):
    """Strike out the accepted bid with sequence number `bid_seq`.

    Automatic bids share the number of the command that woke them: `bidder` says whose is meant,
    None is the one who sent that command.
    """

    bid_seq: int
    reason: str
    bidder: str | None = None


class Message(Body, frozen=True, kw_only=True, tag="message"):
    """The buyer speaks to all bidders."""

    text: str


AnyBody = (
    Admit
    | Exclude
    | Bid
    | Accept
    | Auto
    | Tick
    | Pause
    | Resume
    | Extend
    | Reschedule
    | Cancel
    | Withdraw
    | Message
)


class Command(msgspec.Struct, frozen=True, gc=False):
    """A body with its place in the log: `seq` from 1 without gaps, `ts` in µs of Redis, rising.

    `raw` is `encode(body)` where it is at hand; it only saves encoding it again.
    """

    seq: int
    ts: int
    body: AnyBody
    raw: bytes = b""


# The coders' own methods, not functions around them: every bid goes through both.
encode: Callable[[AnyBody], bytes] = msgspec.json.Encoder(order="sorted").encode
"""Canonical JSON (sorted keys, no blanks, no defaults): what is hashed, logged, verified."""

decode: Callable[[bytes], AnyBody] = msgspec.json.Decoder(AnyBody).decode
"""Raises msgspec.ValidationError or msgspec.DecodeError on anything `encode` did not write."""
