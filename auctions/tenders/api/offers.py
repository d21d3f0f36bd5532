"""Sealed offers over HTTP."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.schemas.offers import (
    NewOffer,
    OfferPage,
    OfferReceipt,
    Opening,
    StartAuctions,
)
from auctions.tenders.schemas.tender import TenderView, WithReason
from auctions.tenders.sending import Desk
from marketplace.kernel.access import UNCOUNTED, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.settings import Settings

READ, WRITE = "tenders:read", "tenders:write"
# A stored hash of the body would let whoever reads the database try out prices until one fits; and
# an offer that replaces the own former one may be repeated anyway.
SEALED = UNCOUNTED | {
    "access": msgspec.structs.replace(allow(scope=WRITE)["access"], idempotent=False)
}


class TenderOfferController(Controller):
    path = "/api/v1/tenders/{tender_id:uuid}"
    tags = ("offers",)

    @get("/offers", opt=allow(scope=READ), summary="List offers of a tender")
    async def list_offers(self, session: AsyncSession, actor: Actor, tender_id: UUID) -> OfferPage:
        """Opened offers for the buyer, the own ones for a supplier."""
        return await service.list_offers(session, actor, tender_id)

    @post("/open", status_code=200, opt=allow(scope=WRITE))
    async def open_offers(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        settings: Settings,
        tender_id: UUID,
    ) -> Opening:
        """Open the sealed offers, or release the caller's share where two people must."""
        return await service.open_offers(session, actor, tender_id, settings.secret, clock.now())

    @post("/start", status_code=200, opt=allow(scope=WRITE))
    async def start_auctions(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        books: Books,
        tender_id: UUID,
        data: StartAuctions | None = None,
    ) -> TenderView:
        """Make the auctions for the qualified offers."""
        starts_at = data.starts_at if data else None
        desk = Desk(database, books, clock)
        await service.start_auctions(session, actor, tender_id, starts_at, desk, clock.now())
        return await service.show(session, actor, tender_id)

    @post("/skip_auction", status_code=200, opt=allow(scope=WRITE))
    async def skip_auction(
        self, session: AsyncSession, actor: Actor, clock: Clock, tender_id: UUID
    ) -> TenderView:
        """Award on the qualified offers alone."""
        await service.skip_auctions(session, actor, tender_id, clock.now())
        return await service.show(session, actor, tender_id)


class LotOfferController(Controller):
    path = "/api/v1/lots/{lot_id:uuid}/offers"
    tags = ("offers",)

    @post("/", opt=SEALED)
    async def submit_offer(
        self, session: AsyncSession, actor: Actor, clock: Clock, lot_id: UUID, data: NewOffer
    ) -> OfferReceipt:
        """Hand in a sealed offer; it replaces the own former one."""
        return await service.submit(session, actor, lot_id, data, clock.now())

    @delete("/", status_code=200, opt=allow(scope=WRITE) | UNCOUNTED)
    async def withdraw_offer(
        self, session: AsyncSession, actor: Actor, clock: Clock, lot_id: UUID
    ) -> OfferReceipt:
        """Take the own offer back before the last minute."""
        return await service.withdraw_offer(session, actor, lot_id, clock.now())


class OfferController(Controller):
    path = "/api/v1/offers/{offer_id:uuid}"
    tags = ("offers",)

    @post("/accept", status_code=200, opt=allow(scope=WRITE))
    async def accept_offer(
        self, session: AsyncSession, actor: Actor, clock: Clock, offer_id: UUID
    ) -> OfferPage:
        """The offer qualifies. Answers with all offers of its tender."""
        now = clock.now()
        tender_id = await service.qualify(session, actor, offer_id, "accept", None, now)
        return await service.list_offers(session, actor, tender_id)

    @post("/reject", status_code=200, opt=allow(scope=WRITE))
    async def reject_offer(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        offer_id: UUID,
        data: WithReason,
    ) -> OfferPage:
        """The offer does not qualify. Answers with all offers of its tender."""
        now = clock.now()
        tender_id = await service.qualify(session, actor, offer_id, "reject", data.reason, now)
        return await service.list_offers(session, actor, tender_id)
