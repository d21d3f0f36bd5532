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
    """As over the live channel. The buyer enters one for a bidder that asked for it in writing.

    cid        the sender's own name for the bid; the same one with the same body gets the same
               receipt, with another body it is refused, e.g. `b-17`
    price      for the whole lot, a decimal text in its currency; null takes the bid of this turn
               back, where the format allows it, e.g. `4850.00`
    lines      the totals of the lot's lines by their id, decimal texts, where the rules have lines,
               e.g. `{"1": "4850.00"}`
    confirm    the token of a refusal with `confirm_required`: the price is meant, e.g. `6f1c0a`
    bidder     for the buyer: the alias to bid for; null: the caller itself, e.g. `Amber Heron`
    surrogate  for the buyer: the words of the written request, e.g. `Fax of 10:12: please bid
               4,850`
    """

    cid: Cid
    price: Word | None
    attributes: Words = {}
    lines: Words = {}
    confirm: Word | None = None
    bidder: Alias | None = None
    surrogate: Reason | None = None


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the buyer's commands: the same `cid` is the same command.

    cid  the sender's own name for the command; null: each request is a new one, e.g. `c-3`
    """

    cid: Cid | None = None


class WithReason(Control, frozen=True, kw_only=True):
    """A command of the buyer that needs a reason.

    reason  everybody in the auction reads it, e.g. `Our line is down`
    """

    reason: Reason


class ExtendBy(WithReason, frozen=True, kw_only=True):
    """Moves the close.

    seconds  1 to 604,800, added to the close, e.g. `300`
    """

    seconds: Seconds


class WithdrawBid(WithReason, frozen=True, kw_only=True):
    """Strikes a bid out; everybody is ranked anew.

    bid_seq  its number in the standing, e.g. `17`
    bidder   the alias, needed where automatic bids share the number; null: it is clear, e.g. `Amber
             Heron`
    """

    bid_seq: Seq
    bidder: Alias | None = None


class ExcludeBidder(WithReason, frozen=True, kw_only=True):
    """A bidder may bid no more; its bids that stand are withdrawn one by one.

    bidder  its alias, e.g. `Amber Heron`
    """

    bidder: Alias


class Broadcast(Control, frozen=True, kw_only=True):
    """A message to everybody in the auction.

    text  shown as it stands, e.g. `Ten minutes left.`
    """

    text: Reason


class HintView(msgspec.Struct, frozen=True):
    """What must be bid for a rank.

    rank   the one that was asked for, e.g. `1`
    price  the highest that reaches it; null: none does, or it would tell what is hidden, e.g.
           `4849.50`
    """

    rank: int
    price: str | None


class OwnReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """One answered order of the caller.

    kind     `bid`, `accept` (a step of a moving price) or `auto` (an automatic limit), e.g. `bid`
    price    what was named; null takes back, or ends automatic bidding, e.g. `4850.00`
    code     why it was refused; null: it counts, e.g. `step_too_small`
    receipt  signed; anybody can check it with the public keys
    step     of an accept, from 0; null: it is none, e.g. `3`
    """

    kind: str
    price: str | None
    code: str | None
    receipt: Receipt
    step: int | None = None


class ReceiptPage(msgspec.Struct, frozen=True):
    """Answered commands of the caller, the newest first."""

    items: list[OwnReceipt]
    next_cursor: str | None


class PublicKeys(msgspec.Struct, frozen=True):
    """What receipts are checked with.

    algorithm  of the signatures, e.g. `Ed25519`
    keys       public keys in base64 by their id; former ones stay, e.g. `{"9f86d081884c7d65":
               "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}`
    """

    algorithm: str
    keys: dict[str, str]
