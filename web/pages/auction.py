"""The auction page: its frame is made here, everything in it arrives over the live channel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries as tender_queries
from auctions.tenders import service
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.errors import NotFound
from web.pages import queries
from web.pages.render import AnyRequest, page, viewer_of

BUYING = frozenset(["buyer", "observer"])


class AuctionFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What the template needs; `page_data` is what the modules need."""

    title: str
    tender_id: UUID
    tender_title: str
    buyer_name: str
    view: str
    state: str
    currency: str
    may_act: bool
    page_data: dict[str, Any]


class AuctionPage(Controller):
    path = "/auctions"

    @get("/{auction_id:uuid}", opt=allow(scope=None, waiting=True))
    async def auction(
        self,
        request: AnyRequest,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        auction_id: UUID,
    ) -> Template:
        """Raises NotFound; somebody who has not accepted the terms yet is told so on the page."""
        access = await tender_queries.auction_for(session, actor, auction_id)
        if access is None:
            raise NotFound("auction")
        tender = await service.show(session, actor, access.tender_id)
        lot = next(lot for lot in tender.lots if lot.id == access.lot_id)
        known = await queries.progress(database, [auction_id])
        view = "buyer" if access.role in BUYING else "supplier"
        data = {
            "auction_id": str(auction_id),
            "user_id": str(actor.user_id),
            "view": view,
            "may_act": access.may_act,
            "currency": tender.currency,
            "tender_url": f"/tenders/{tender.id}",
            "starts_at": lot.starts_at.isoformat() if lot.starts_at else None,
            "terms": {
                "currency": tender.currency,
                "ceiling": msgspec.to_builtins(lot.ceiling),
                "rules": lot.rules,
            },
        }
        frame = AuctionFrame(
            title=lot.title,
            tender_id=tender.id,
            tender_title=tender.title,
            buyer_name=tender.buyer.name,
            view=view,
            state=known[auction_id].status if auction_id in known else "scheduled",
            currency=tender.currency,
            may_act=access.may_act,
            page_data=data,
        )
        who = await viewer_of(session, actor)
        return page(request, "auction/page.html", viewer=who, auction=frame)
