"""The auction page: its frame is made here, everything in it arrives over the live channel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.live.hub import Hub
from auctions.practice.queries import auction_for, practice
from auctions.rules.terms.show import describe
from auctions.tenders import service
from auctions.tenders.queries import AuctionAccess
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.errors import NotFound
from web.pages import queries
from web.pages.bid_fields import LineOfLot, Question, lines_of, questions
from web.pages.visit import Visit

BUYING = frozenset(["buyer", "observer"])


class AuctionFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What the template needs; `page_data` is what the modules need."""

    title: str
    tender_id: UUID | None
    lot_id: UUID | None
    tender_title: str
    buyer_name: str
    view: str
    state: str
    currency: str
    may_act: bool
    questions: list[Question]
    lines: list[LineOfLot]
    page_data: dict[str, Any]
    practice: bool = False


class AuctionPage(Controller):
    path = "/auctions"

    @get("/{auction_id:uuid}", opt=allow(scope=None, waiting=True))
    async def auction(
        self, visit: Visit, database: Database, live: Hub, auction_id: UUID
    ) -> Template:
        """Raises NotFound; somebody who has not accepted the terms yet is told so on the page."""
        access = await auction_for(visit.session, visit.actor, auction_id)
        if access is None:
            raise NotFound("auction")
        if access.practice or access.tender_id is None:
            frame = await _practised(visit.session, visit.actor, live, access)
            return await visit.page("auction/page.html", auction=frame)
        tender = await service.show(visit.session, visit.actor, access.tender_id)
        lot = next(lot for lot in tender.lots if lot.id == access.lot_id)
        known = await queries.progress(database, [auction_id])
        view = "buyer" if access.role in BUYING else "supplier"
        data = {
            "auction_id": str(auction_id),
            "user_id": str(visit.actor.user_id),
            "view": view,
            "may_act": access.may_act,
            "currency": tender.currency,
            "tender_url": f"/tenders/{tender.id}",
            # Observers look on as bidders do, without names.
            "names": await _names(live, auction_id) if access.role == "buyer" else {},
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
            lot_id=lot.id,
            tender_title=tender.title,
            buyer_name=tender.buyer.name,
            view=view,
            state=known[auction_id].status if auction_id in known else "scheduled",
            currency=tender.currency,
            may_act=access.may_act,
            questions=questions(lot.rules),
            lines=lines_of(lot.rules),
            page_data=data,
        )
        return await visit.page("auction/page.html", auction=frame)


async def _names(live: Hub, auction_id: UUID) -> dict[str, str]:
    return {alias: known.name for alias, known in (await live.names(auction_id)).items()}


async def _practised(
    session: AsyncSession, actor: Actor, live: Hub, access: AuctionAccess
) -> AuctionFrame:
    """The same page for a practice auction: its terms are those of its book. Raises NotFound,
    Unavailable.
    """
    found = await practice(session, actor, access.auction_id)
    if found is None:
        raise NotFound("auction")
    book = await live.books.open(access.auction_id)
    async with book.settled() as fold:
        state, terms = fold.state.status, describe(fold.terms)
    view = "buyer" if access.role in BUYING else "supplier"
    data = {
        "auction_id": str(access.auction_id),
        "user_id": str(actor.user_id),
        "view": view,
        "may_act": access.may_act,
        "currency": terms["currency"],
        "tender_url": f"/tenders/{found.tender_id}" if found.tender_id else "/practice",
        "names": {},
        "starts_at": terms["rules"]["starts_at"],
        "terms": terms,
    }
    return AuctionFrame(
        title=found.title,
        tender_id=found.tender_id,
        lot_id=None,
        tender_title="",
        buyer_name="",
        view=view,
        state=state,
        currency=terms["currency"],
        may_act=access.may_act,
        questions=questions(terms["rules"]),
        lines=lines_of(terms["rules"]),
        page_data=data,
        practice=True,
    )
