"""What can be done with an auction over HTTP; the commands take the very way of the socket's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from auctions.book.fold import Durable
from auctions.live import frames as made
from auctions.live.acks import worded
from auctions.live.entrance import viewer_of
from auctions.live.frames import Frame
from auctions.live.hub import Hub
from auctions.live.schemas import NewBid
from auctions.practice.queries import auction_for
from auctions.rules.core.commands import AnyBody, Bid
from auctions.rules.views.limits import price_for_rank
from auctions.rules.views.visibility import bidder
from auctions.tenders.queries import AuctionAccess
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Forbidden, NotFound, TooFast
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import format_minor

NOT_YET = bidder("")
"""Who may still join sees what a bidder without a bid sees."""


async def access_to(database: Database, actor: Actor, auction_id: UUID) -> AuctionAccess:
    """Raises NotFound. The transaction ends here: none may wait while a bid is decided."""
    async with database.transaction(actor) as session:
        access = await auction_for(session, actor, auction_id)
    if access is None:
        raise NotFound("auction")
    return access


async def show(live: Hub, access: AuctionAccess) -> Frame:
    """The snapshot of this caller, with the names it may know. Raises Unavailable."""
    names = await live.names(access.auction_id)
    invited = access.role == "invited"
    viewer = NOT_YET if invited else viewer_of(access)
    async with live.books.newest(access.auction_id) as book:
        state, now_us = book.fold.state, book.now_us()
        view = made.snapshot_frame(state, viewer, book.epoch, now_us, names)
    del view["type"]
    if invited:
        view["you"] = {"alias": None, "admitted": False}
    for row in view["standing"]:
        row.setdefault("organisation", None)
        row.setdefault("organisation_id", None)
    place = {"id": access.auction_id, "tender_id": access.tender_id, "lot_id": access.lot_id}
    return place | ({"practice": True} if access.practice else {}) | view


async def bid(live: Hub, access: AuctionAccess, new: NewBid) -> Durable:
    """The decision on a bid, once durable. Raises Forbidden, NotFound, TooFast, Unavailable,
    Conflict.
    """
    if new.surrogate is not None or new.bidder is not None:
        return await _surrogate(live, access, new)
    if access.role != "bidder" or access.alias is None:
        raise Forbidden("not_admitted", "Accept the terms of the tender to bid.")
    if not access.may_act:
        raise Forbidden("role_missing", "Your role does not place bids.")
    wait_s = live.allowances.take(f"{access.auction_id}:{access.alias}")
    if wait_s is not None:
        raise TooFast(retry_after_s=max(1, round(wait_s)))
    return await live.books.submit(access.auction_id, _body(new, access.alias))


async def _surrogate(live: Hub, access: AuctionAccess, new: NewBid) -> Durable:
    require_buyer(access)
    if new.surrogate is None or new.bidder is None:
        raise Forbidden("surrogate_incomplete", "Name the bidder and the written request.")
    return await live.books.submit(access.auction_id, _body(new, new.bidder))


def _body(new: NewBid, alias: str) -> Bid:
    return Bid(
        cid=new.cid,
        bidder=alias,
        price=new.price,
        attributes=new.attributes,
        lines=new.lines,
        confirm=new.confirm,
        surrogate=new.surrogate,
    )


def require_buyer(access: AuctionAccess) -> None:
    """Raises NotFound for everybody outside the buyer's organisation, Forbidden inside."""
    if access.role not in {"buyer", "observer"}:
        raise NotFound("auction")
    if access.role != "buyer" or not access.may_act:
        raise Forbidden("role_missing", "This needs the role procurement_officer.")


async def control(
    live: Hub, access: AuctionAccess, cid: str | None, make: Callable[[str], AnyBody]
) -> Durable:
    """A command of the buyer; `make` gets the cid it has in the log. Raises NotFound, Forbidden,
    Unavailable, Conflict.
    """
    require_buyer(access)
    return await live.books.submit(access.auction_id, make(_buyers_cid(cid)))


def _buyers_cid(cid: str | None) -> str:
    """The buyer shares its cids with the house (admissions, cancelling): they must not meet."""
    return "buyer:" + hashlib.sha256((cid or new_id().hex).encode()).hexdigest()[:40]


async def hint(live: Hub, access: AuctionAccess, rank: int) -> str | None:
    """The exact price for a rank, as decimal text. Raises Forbidden, Unavailable."""
    if access.alias is None:
        raise Forbidden("not_admitted", "Only who bids can ask for a price.")
    async with live.books.newest(access.auction_id) as book:
        state = book.fold.state
        price = price_for_rank(state, access.alias, rank, book.now_us())
    return None if price is None else format_minor(price, state.terms.exponent)


async def refusal(live: Hub, access: AuctionAccess, durable: Durable, receipt: Frame) -> Frame:
    """A refused command as the fields of a problem, with its receipt. Raises Unavailable."""
    book = await live.books.open(access.auction_id)
    body: Any = durable.command.body
    async with book.settled() as fold:
        alias = access.alias or getattr(body, "bidder", "") or ""
        fields = worded(fold.state, alias, durable.outcome, book.now_us())
    return {
        "type": f"urn:marketplace:problem:{fields['code']}",
        "title": "Refused",
        "status": 409,
        "seq": durable.seq,
        "ts": rfc3339(durable.ts),
        **fields,
        "receipt": receipt,
    }
