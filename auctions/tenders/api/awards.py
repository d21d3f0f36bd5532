"""Award sheets and awards over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import queries, service
from auctions.tenders.schemas.awards import AwardPage, AwardSheet, AwardView, NewAwards
from auctions.tenders.schemas.tender import TenderView, WithReason
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.facts import Facts
from marketplace.kernel.pages import Page, sorted_by

READ, WRITE = "tenders:read", "tenders:write"


class LotAwardController(Controller):
    path = "/api/v1/lots/{lot_id:uuid}"
    tags = ("awards",)

    @get("/award_sheet", opt=allow(scope=READ) | {"problems": (409,)})
    async def award_sheet(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        books: Books,
        lot_id: UUID,
        weight_price: int = 10_000,
        weight_rating: int = 0,
    ) -> AwardSheet:
        """The ranking; other weights (basis points) change nothing saved."""
        return await service.show_sheet(
            session,
            actor,
            lot_id,
            books,
            clock.now(),
            weight_price=weight_price,
            weight_rating=weight_rating,
        )

    @post("/awards", opt=allow(scope=WRITE))
    async def propose_awards(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        books: Books,
        lot_id: UUID,
        data: NewAwards,
    ) -> AwardPage:
        """Award the lot, whole or in shares. Answers with all awards of the lot."""
        return await service.propose(session, actor, lot_id, data, books, clock.now())


class AwardController(Controller):
    path = "/api/v1/awards"
    tags = ("awards",)

    @get("/", opt=allow(scope=READ) | sorted_by(queries.AWARDS))
    async def list_awards(self, session: AsyncSession, actor: Actor, page: Page) -> AwardPage:
        """Own awards as buyer or supplier, newest first."""
        return await service.list_awards(session, actor, page=page)

    @get("/{award_id:uuid}", opt=allow(scope=READ))
    async def get_award(self, session: AsyncSession, actor: Actor, award_id: UUID) -> AwardView:
        return await service.show_award(session, actor, award_id)

    @post("/{award_id:uuid}/approve", status_code=200, opt=allow(scope=WRITE))
    async def approve_award(
        self, session: AsyncSession, actor: Actor, clock: Clock, award_id: UUID
    ) -> AwardView:
        """Release another choice than rank 1; not by its author."""
        return await service.decide(session, actor, award_id, "approve", None, clock.now())

    @post("/{award_id:uuid}/refuse", status_code=200, opt=allow(scope=WRITE))
    async def refuse_award(
        self, session: AsyncSession, actor: Actor, clock: Clock, award_id: UUID, data: WithReason
    ) -> AwardView:
        """The approver says no."""
        return await service.decide(session, actor, award_id, "refuse", data.reason, clock.now())

    @post("/{award_id:uuid}/withdraw", status_code=200, opt=allow(scope=WRITE))
    async def withdraw_award(
        self, session: AsyncSession, actor: Actor, clock: Clock, award_id: UUID, data: WithReason
    ) -> AwardView:
        """The buyer takes an unanswered award back."""
        return await service.decide(session, actor, award_id, "withdraw", data.reason, clock.now())

    @post("/{award_id:uuid}/accept", status_code=200, opt=allow(scope=WRITE))
    async def accept_award(
        self, session: AsyncSession, actor: Actor, clock: Clock, facts: Facts, award_id: UUID
    ) -> AwardView:
        """The supplier takes the deal."""
        return await service.accept(session, actor, award_id, facts, clock.now())

    @post("/{award_id:uuid}/decline", status_code=200, opt=allow(scope=WRITE))
    async def decline_award(
        self, session: AsyncSession, actor: Actor, clock: Clock, award_id: UUID, data: WithReason
    ) -> AwardView:
        """The supplier says no; the next is asked."""
        return await service.decline(session, actor, award_id, data.reason, clock.now())


class FinishController(Controller):
    path = "/api/v1/tenders/{tender_id:uuid}/finish"
    tags = ("awards",)

    @post("/", status_code=200, opt=allow(scope=WRITE))
    async def finish_tender(
        self, session: AsyncSession, actor: Actor, clock: Clock, tender_id: UUID
    ) -> TenderView:
        """Award no more: what was accepted stands."""
        await service.finish(session, actor, tender_id, clock.now())
        return await service.show(session, actor, tender_id)
