"""Auctions on the wire of the HTTP API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from auctions.book.receipts import Receipt
from auctions.live.messages import Alias, Cid, Word, Words
from auctions.rules.core.commands import TEXT_CHARS_MAX

Reason = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS_MAX)]
Seconds = Annotated[int, Meta(ge=1, le=7 * 86_400)]
Seq = Annotated[int, Meta(ge=1, lt=2**53)]


class NewBid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As over the socket. The buyer enters a bid for `bidder` (its alias) with the words of the
    written request in `surrogate`.
    """

    cid: Cid
    price: Word | None
    attributes: Words = {}
    lines: Words = {}
    confirm: Word | None = None
    bidder: Alias | None = None
    surrogate: Reason | None = None


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the buyer's commands: the same `cid` is the same command."""

    cid: Cid | None = None


class WithReason(Control, frozen=True, kw_only=True):
    reason: Reason


class ExtendBy(WithReason, frozen=True, kw_only=True):
    seconds: Seconds


class WithdrawBid(WithReason, frozen=True, kw_only=True):
    """`bid_seq` is the number in the standing; `bidder` where automatic bids share it."""

    bid_seq: Seq
    bidder: Alias | None = None


class ExcludeBidder(WithReason, frozen=True, kw_only=True):
    bidder: Alias


class Broadcast(Control, frozen=True, kw_only=True):
    text: Reason


class HintView(msgspec.Struct, frozen=True):
    """`price` is null where no price reaches the rank, or where it would tell what is hidden."""

    rank: int
    price: str | None


class OwnReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """One answered order of the caller.

    kind      `bid`, `accept` (a step of a moving price) or `auto` (an automatic limit)
    price     what was named; null takes back, or ends automatic bidding
    step      of an accept, from 0
    code      why it was refused, null when it counts
    receipt   signed; anybody can check it with the public keys
    """

    kind: str
    price: str | None
    code: str | None
    receipt: Receipt
    step: int | None = None


class ReceiptPage(msgspec.Struct, frozen=True):
    """Newest first."""

    items: list[OwnReceipt]
    next_cursor: str | None


class PublicKeys(msgspec.Struct, frozen=True):
    """Public keys in base64 by key id."""

    algorithm: str
    keys: dict[str, str]
