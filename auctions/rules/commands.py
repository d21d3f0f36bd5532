"""What can be asked of an auction: the bodies that travel through the log, and a body with its place in it.

A body is canonical JSON (`encode`) and never names an organisation: `bidder` is the random alias given at admission,
so a log may be shown without telling who took part.
"""

from __future__ import annotations

import msgspec

ALIAS_CHARS_MAX = CID_CHARS_MAX = 64
TEXT_CHARS_MAX = 500


class Body(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """Base of all bodies. `cid` is the sender's own id; the same `cid` of one sender gets the same outcome."""

    cid: str = ""


class Admit(Body, frozen=True, kw_only=True, tag="admit"):
    """Let `bidder` in. `bonus` is a fraction text taken off the price, a malus is negative; rating is in [0, 100]."""

    bidder: str
    bonus_percent: str = "0"
    bonus_minor: int = 0
    rating: str | None = None


class Exclude(Body, frozen=True, kw_only=True, tag="exclude"):
    """The bidder may bid no more (suspended, disqualified); bids that stand are withdrawn separately."""

    bidder: str
    reason: str


class Bid(Body, frozen=True, kw_only=True, tag="bid"):
    """A price as the bidder wrote it; whether it is a number at all is for the rules to say.

    `attributes` answers features by option id and costs by money text. `confirm` is the token of a refusal with
    `confirm_required`. `surrogate` is set when the buyer enters the bid on the bidder's written request.
    `price=None` takes the own bid of this turn back (rounds).
    """

    bidder: str
    price: str | None
    attributes: dict[str, str] = {}
    lines: dict[str, str] = {}
    confirm: str | None = None
    surrogate: str | None = None


class Accept(Body, frozen=True, kw_only=True, tag="accept"):
    """Take the price of `step` (dutch) or stay in at it (japanese)."""

    bidder: str
    step: int
    price: str | None = None


class Auto(Body, frozen=True, kw_only=True, tag="auto"):
    """Bid for me down to `limit`; None ends it."""

    bidder: str
    limit: str | None


class Tick(Body, frozen=True, kw_only=True, tag="tick"):
    """The heartbeat: time passed, and Redis and PostgreSQL were both there. Opens, turns, steps and closes."""


class Pause(Body, frozen=True, kw_only=True, tag="pause"):
    reason: str


class Resume(Body, frozen=True, kw_only=True, tag="resume"):
    reason: str = ""


class Extend(Body, frozen=True, kw_only=True, tag="extend"):
    seconds: int
    reason: str


class Cancel(Body, frozen=True, kw_only=True, tag="cancel"):
    reason: str


class Withdraw(Body, frozen=True, kw_only=True, tag="withdraw"):
    """Strike out the accepted bid with sequence number `bid_seq`."""

    bid_seq: int
    reason: str


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
    | Cancel
    | Withdraw
    | Message
)


class Command(msgspec.Struct, frozen=True):
    """A body with its place in the log: `seq` from 1 without gaps, `ts` in µs, strictly rising, Redis' clock."""

    seq: int
    ts: int
    body: AnyBody


_encoder = msgspec.json.Encoder(order="sorted")
_decoder: msgspec.json.Decoder[AnyBody] = msgspec.json.Decoder(AnyBody)


def encode(body: AnyBody) -> bytes:
    """Canonical JSON: sorted keys, no blanks, defaults left out; what is hashed, logged and verified."""
    return _encoder.encode(body)


def decode(raw: bytes) -> AnyBody:
    """Raises msgspec.ValidationError or msgspec.DecodeError on anything `encode` did not write."""
    return _decoder.decode(raw)
