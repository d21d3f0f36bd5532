"""The frames of the live channel as structs, and the encoding of what goes out: once, then shared.

Client frames are read strictly: an unknown field is a mistake the sender wants to hear of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from auctions.live.wire import text_frame
from auctions.rules.core import commands
from auctions.rules.core.commands import ALIAS_CHARS_MAX, CID_CHARS_MAX
from marketplace.kernel.strict_json import repeated_key

FRAME_BYTES_MAX = 4_096
SUBPROTOCOL = "marketplace.v1"

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
"""PostgreSQL keeps no NUL in a text, and the rules join a cid to its sender by a control sign."""
Cid = Annotated[str, Meta(min_length=1, max_length=CID_CHARS_MAX, pattern=PRINTABLE)]
Alias = Annotated[str, Meta(min_length=1, max_length=ALIAS_CHARS_MAX, pattern=PRINTABLE)]
Word = Annotated[str, Meta(max_length=64)]
Words = Annotated[dict[Word, Word], Meta(max_length=256)]
Whole = Annotated[int, Meta(ge=0, lt=2**53)]


class ClientFrame(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """Base of what a client may send."""


class Hello(ClientFrame, frozen=True, kw_only=True, tag="hello"):
    """First of all. With `last_seq` and `epoch` of an earlier connection only the news follow."""

    last_seq: Whole | None = None
    epoch: Whole | None = None


class Bid(ClientFrame, frozen=True, kw_only=True, tag="bid"):
    """`price` is decimal text; whether it is a number is for the rules to say, with a receipt."""

    cid: Cid
    price: Word | None
    attributes: Words = {}
    lines: Words = {}
    confirm: Word | None = None


class Accept(ClientFrame, frozen=True, kw_only=True, tag="accept"):
    cid: Cid
    step: Whole


class Auto(ClientFrame, frozen=True, kw_only=True, tag="auto"):
    cid: Cid
    limit: Word | None


class Hint(ClientFrame, frozen=True, kw_only=True, tag="hint"):
    id: Word | int
    rank: Annotated[int, Meta(ge=1, le=1_000_000)]


class Ping(ClientFrame, frozen=True, kw_only=True, tag="ping"):
    t: int | float


AnyFrame = Hello | Bid | Accept | Auto | Hint | Ping
Order = Bid | Accept | Auto
"""Frames that become a command in the log and are answered by an `ack`."""

_decoder: msgspec.json.Decoder[AnyFrame] = msgspec.json.Decoder(AnyFrame)
_encoder = msgspec.json.Encoder()


class _Named(msgspec.Struct):
    cid: Cid | None = None


_named = msgspec.json.Decoder(_Named)


def read(raw: bytes) -> AnyFrame:
    """Raises msgspec.MsgspecError, whose text names the field, on anything but a client frame."""
    try:
        frame = _decoder.decode(raw)
    except RecursionError:
        raise msgspec.ValidationError("The frame is nested too deep") from None
    # Each key has its colon: where there are no more than keys, none stands twice. Else a text
    # holds one, or a default was sent, and a closer look takes some microseconds.
    if raw.count(b":") > _keys(frame) and (key := repeated_key(raw)) is not None:
        raise msgspec.ValidationError(f"The key `{key[:64]}` stands twice")
    return frame


def _keys(frame: AnyFrame) -> int:
    """How many keys a frame has at least when it is written without its defaults."""
    if isinstance(frame, Bid):
        attributes, lines = len(frame.attributes), len(frame.lines)
        return 3 + attributes + lines + bool(attributes) + bool(lines)
    return 1 if isinstance(frame, Hello) else 2 if isinstance(frame, Ping) else 3


def cid_in(raw: bytes) -> str | None:
    """The cid of a frame that could not be read, as far as it has one."""
    try:
        return _named.decode(raw).cid
    except (msgspec.MsgspecError, RecursionError):
        return None


def body_of(frame: Order, alias: str) -> commands.Bid | commands.Accept | commands.Auto:
    """The command for the log. The body of one frame is the same on every node and each time."""
    if isinstance(frame, Bid):
        return commands.Bid(
            cid=frame.cid,
            bidder=alias,
            price=frame.price,
            attributes=frame.attributes,
            lines=frame.lines,
            confirm=frame.confirm,
        )
    if isinstance(frame, Accept):
        return commands.Accept(cid=frame.cid, bidder=alias, step=frame.step)
    return commands.Auto(cid=frame.cid, bidder=alias, limit=frame.limit)


def encode(frame: Mapping[str, Any]) -> bytes:
    """Wire bytes of one server frame, ready for any number of sockets."""
    return text_frame(_encoder.encode(frame))


def error(code: str, detail: str, **named: str | float | None) -> bytes:
    """An `error` frame; `named` tells which of the client's frames it is about (cid or id)."""
    known = {key: value for key, value in named.items() if value is not None}
    return encode({"type": "error", "code": code, "detail": detail, **known})
