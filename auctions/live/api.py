"""Auctions over HTTP, and the public keys of the receipts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from auctions.book.fold import Durable
from auctions.book.receipts import Receipt, public_keys
from auctions.live import desk, own_receipts, transcripts
from auctions.live.entrance import viewer_of
from auctions.live.hub import Hub
from auctions.live.schemas import (
    Broadcast,
    Control,
    ExcludeBidder,
    ExtendBy,
    HintView,
    NewBid,
    PublicKeys,
    ReceiptPage,
    WithdrawBid,
    WithReason,
)
from auctions.live.socket import live_channel
from auctions.rules.core import commands
from auctions.rules.core.commands import AnyBody
from auctions.tenders.queries import AuctionAccess
from marketplace.kernel.access import PUBLIC, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Forbidden
from marketplace.kernel.pages import Page, sorted_by

READ, WRITE = "auctions:read", "auctions:write"
PROBLEM = "application/problem+json"
# A receipt is signed anew when it is shown (20 µs); a page of more would keep a node from bids.
Rank = Annotated[int, Parameter(ge=1, le=1_000_000)]


class AuctionController(Controller):
    """Who may do what is asked after the auction was found: a foreign one is missing."""

    path = "/api/v1/auctions/{auction_id:uuid}"
    tags = ("auctions",)

    @get("/", opt=allow(scope=READ))
    async def get_auction(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID
    ) -> dict[str, Any]:
        """Terms, state and standing, as far as the caller may see them."""
        access = await desk.access_to(database, actor, auction_id)
        return await desk.show(live, access)

    @post("/bids", opt=allow(scope=WRITE))
    async def place_bid(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: NewBid
    ) -> Response[Any]:
        """The receipt of an accepted bid; a refused one is a problem that carries its receipt."""
        access = await desk.access_to(database, actor, auction_id)
        return await _answer(live, access, await desk.bid(live, access, data), 201)

    @post("/pause", status_code=200, opt=allow(scope=WRITE), summary="Pause an auction")
    async def pause(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: WithReason
    ) -> Response[Any]:
        """Stop the clock for everybody."""

        def body(cid: str) -> AnyBody:
            return commands.Pause(cid=cid, reason=data.reason)

        return await _control(live, database, actor, auction_id, data, body)

    @post("/resume", status_code=200, opt=allow(scope=WRITE), summary="Resume an auction")
    async def resume(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: WithReason
    ) -> Response[Any]:
        """Go on with the time that was left."""

        def body(cid: str) -> AnyBody:
            return commands.Resume(cid=cid, reason=data.reason)

        return await _control(live, database, actor, auction_id, data, body)

    @post("/extend", status_code=200, opt=allow(scope=WRITE), summary="Extend an auction")
    async def extend(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: ExtendBy
    ) -> Response[Any]:
        """Close later."""

        def body(cid: str) -> AnyBody:
            return commands.Extend(cid=cid, seconds=data.seconds, reason=data.reason)

        return await _control(live, database, actor, auction_id, data, body)

    @post("/cancel", status_code=200, opt=allow(scope=WRITE), summary="Cancel an auction")
    async def cancel(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: WithReason
    ) -> Response[Any]:
        """End it without a winner."""

        def body(cid: str) -> AnyBody:
            return commands.Cancel(cid=cid, reason=data.reason)

        return await _control(live, database, actor, auction_id, data, body)

    @post("/withdraw_bid", status_code=200, opt=allow(scope=WRITE))
    async def withdraw_bid(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: WithdrawBid
    ) -> Response[Any]:
        """Strike a bid out; everybody is told, without a name."""

        def body(cid: str) -> AnyBody:
            return commands.Withdraw(
                cid=cid, bid_seq=data.bid_seq, bidder=data.bidder, reason=data.reason
            )

        return await _control(live, database, actor, auction_id, data, body)

    @post("/exclude", status_code=200, opt=allow(scope=WRITE), summary="Exclude a bidder")
    async def exclude(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: ExcludeBidder
    ) -> Response[Any]:
        """Let a bidder bid no more; its sockets close."""

        def body(cid: str) -> AnyBody:
            return commands.Exclude(cid=cid, bidder=data.bidder, reason=data.reason)

        return await _control(live, database, actor, auction_id, data, body)

    @post(
        "/message", status_code=200, opt=allow(scope=WRITE), summary="Send a message to all bidders"
    )
    async def message(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, data: Broadcast
    ) -> Response[Any]:
        """Speak to all bidders."""

        def body(cid: str) -> AnyBody:
            return commands.Message(cid=cid, text=data.text)

        return await _control(live, database, actor, auction_id, data, body)

    @get("/hint", opt=allow(scope=READ), summary="Ask which price reaches a rank")
    async def hint(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, rank: Rank = 1
    ) -> HintView:
        """The exact price to reach a rank, in the caller's own terms."""
        access = await desk.access_to(database, actor, auction_id)
        return HintView(rank, await desk.hint(live, access, rank))

    @get("/receipts", opt=allow(scope=READ) | sorted_by(own_receipts.RECEIPTS))
    async def list_receipts(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID, page: Page
    ) -> ReceiptPage:
        """The caller's own signed receipts, newest first, for accepted and refused orders."""
        access = await desk.access_to(database, actor, auction_id)
        return await own_receipts.show(live, database, access, page)

    @get(
        "/transcript",
        opt=allow(scope=READ),
        media_type="application/jsonl",
        summary="Read the transcript of an auction",
    )
    async def transcript(
        self, live: Hub, database: Database, actor: Actor, auction_id: UUID
    ) -> Stream:
        """The log as JSON Lines, hash-chained and signed, as far as the caller may see it."""
        access = await desk.access_to(database, actor, auction_id)
        if access.role == "invited":
            raise Forbidden("not_admitted", "Accept the terms of the tender first.")
        pool, signer = await database.pool(), await live.signer()
        found = transcripts.lines(pool, signer, live.books.envelope, auction_id, viewer_of(access))
        name = f"attachment; filename=auction-{auction_id}.jsonl"
        return Stream(found, headers={"Content-Disposition": name})


@get("/.well-known/marketplace-keys.json", opt=PUBLIC, tags=["auctions"])
async def marketplace_keys(live: Hub, database: Database) -> PublicKeys:
    """All keys that ever signed receipts and heads."""
    await live.signer()
    return PublicKeys("Ed25519", await public_keys(await database.pool()))


HANDLERS: list[ControllerRouterHandler] = [AuctionController, marketplace_keys, live_channel]


async def _control(
    live: Hub,
    database: Database,
    actor: Actor,
    auction_id: UUID,
    data: Control,
    body: Callable[[str], AnyBody],
) -> Response[Any]:
    access = await desk.access_to(database, actor, auction_id)
    return await _answer(live, access, await desk.control(live, access, data.cid, body), 200)


async def _answer(live: Hub, access: AuctionAccess, durable: Durable, status: int) -> Response[Any]:
    """The receipt, or the refusal as a problem."""
    receipt: Receipt = (await live.signer()).receipt(access.auction_id, durable)
    if durable.outcome.accepted:
        return Response(receipt, status_code=status)
    problem = await desk.refusal(live, access, durable, msgspec.structs.asdict(receipt))
    return Response(problem, status_code=409, media_type=PROBLEM)
