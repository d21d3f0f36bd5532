"""Tenders over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, delete, get, patch, post, put
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import queries, service
from auctions.tenders.schemas.suggestions import Suggestions
from auctions.tenders.schemas.tender import (
    AcceptTerms,
    History,
    InvitationPage,
    NewInvitations,
    NewTender,
    Participation,
    PolicyView,
    TenderChange,
    TenderPage,
    TenderView,
    WithReason,
)
from auctions.tenders.sending import Desk
from marketplace.accounts.schemas import AssigneePage, NewAssignees
from marketplace.kernel.access import allow, takes
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.pages import Page, sorted_by
from marketplace.kernel.settings import Settings

READ, WRITE = "tenders:read", "tenders:write"


class TenderController(Controller):
    """Roles are asked in the services, after the tender was found: a foreign one is missing,
    whoever asks.
    """

    path = "/api/v1/tenders"
    tags = ("tenders",)

    @get("/", opt=allow(scope=READ) | sorted_by(queries.TENDERS))
    async def list_tenders(
        self,
        session: AsyncSession,
        actor: Actor,
        page: Page,
        tender_state: Annotated[list[str] | None, QueryParameter(name="state")] = None,
        role: Literal["buyer", "supplier"] | None = None,
    ) -> TenderPage:
        """Own tenders as buyer and visible ones as supplier, newest first."""
        return await service.listing(
            session,
            actor,
            page=page,
            states=tender_state or (),
            role=role,
        )

    @post("/", opt=allow("procurement_officer", scope=WRITE))
    async def create_tender(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewTender
    ) -> TenderView:
        """A draft."""
        tender_id = await service.create(session, actor, data, clock.now())
        return await service.show(session, actor, tender_id)

    @get("/{tender_id:uuid}", opt=allow(scope=READ))
    async def get_tender(self, session: AsyncSession, actor: Actor, tender_id: UUID) -> TenderView:
        return await service.show(session, actor, tender_id)

    @patch("/{tender_id:uuid}", opt=allow(scope=WRITE))
    async def change_tender(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
        data: TenderChange,
    ) -> TenderView:
        """Change a draft; what is left out stays."""
        await service.change(session, actor, tender_id, data, clock.now())
        return await service.show(session, actor, tender_id)

    @put("/{tender_id:uuid}/lots/{lot_id:uuid}/items", opt=allow(scope=WRITE) | takes("text/csv"))
    async def fill_lot(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
        lot_id: UUID,
    ) -> TenderView:
        """The items of a draft's lot from a CSV file, which is the request's body: a header with
        `name, quantity, unit` and, if wanted, `description, scheme, code, version, item_id`.
        """
        content = await request.body()
        await service.fill_lot(session, actor, tender_id, lot_id, content, clock.now())
        return await service.show(session, actor, tender_id)

    @post("/{tender_id:uuid}/invitations", opt=allow(scope=WRITE))
    async def invite_suppliers(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
        data: NewInvitations,
    ) -> InvitationPage:
        """Invite active suppliers; those invited already stay."""
        return await service.invite(session, actor, tender_id, data, clock.now())

    @delete("/{tender_id:uuid}/invitations/{organisation_id:uuid}", opt=allow(scope=WRITE))
    async def withdraw_invitation(
        self, session: AsyncSession, actor: Actor, tender_id: UUID, organisation_id: UUID
    ) -> None:
        """Take an invitation back before publication."""
        await service.withdraw(session, actor, tender_id, organisation_id)

    @post("/{tender_id:uuid}/publish", status_code=200, opt=allow(scope=WRITE))
    async def publish_tender(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        books: Books,
        settings: Settings,
        tender_id: UUID,
    ) -> TenderView:
        """Check the rules of every lot, send the invitations, make one auction a lot; above the
        buyer's approval limit the tender waits for an approver instead.
        """
        await service.publish(session, actor, tender_id, books, settings.secret, clock.now())
        return await service.show(session, actor, tender_id)

    @post("/{tender_id:uuid}/approve", status_code=200, opt=allow(scope=WRITE))
    async def approve_tender(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        books: Books,
        settings: Settings,
        tender_id: UUID,
    ) -> TenderView:
        """Release a tender above the limit; not by its author."""
        await service.approve(session, actor, tender_id, books, settings.secret, clock.now())
        return await service.show(session, actor, tender_id)

    @post("/{tender_id:uuid}/send_back", status_code=200, opt=allow(scope=WRITE))
    async def send_back_tender(
        self, session: AsyncSession, actor: Actor, clock: Clock, tender_id: UUID, data: WithReason
    ) -> TenderView:
        """The approver wants changes: a draft again."""
        await service.send_back(session, actor, tender_id, data.reason, clock.now())
        return await service.show(session, actor, tender_id)

    @post("/{tender_id:uuid}/cancel", status_code=200, opt=allow(scope=WRITE))
    async def cancel_tender(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        books: Books,
        tender_id: UUID,
        data: WithReason,
    ) -> TenderView:
        """Call the tender off and end its auctions."""
        desk = Desk(database, books, clock)
        await service.cancel(session, actor, tender_id, data.reason, desk, clock.now())
        return await service.show(session, actor, tender_id)

    @post("/{tender_id:uuid}/fail", status_code=200, opt=allow(scope=WRITE))
    async def fail_tender(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        books: Books,
        tender_id: UUID,
        data: WithReason,
    ) -> TenderView:
        """End the tender without an award."""
        desk = Desk(database, books, clock)
        await service.fail(session, actor, tender_id, data.reason, desk, clock.now())
        return await service.show(session, actor, tender_id)

    @post("/{tender_id:uuid}/participation", status_code=200, opt=allow(scope=WRITE))
    async def take_part(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        books: Books,
        tender_id: UUID,
        data: AcceptTerms,
    ) -> Participation:
        """Accept the terms. When this answers, the organisation is admitted to every auction."""
        desk = Desk(database, books, clock)
        return await service.participate(session, actor, tender_id, data, desk, clock.now())

    @post("/{tender_id:uuid}/decline", status_code=204, opt=allow(scope=WRITE))
    async def decline_invitation(
        self, session: AsyncSession, actor: Actor, clock: Clock, tender_id: UUID, data: WithReason
    ) -> None:
        """The supplier will not take part; the buyer reads why."""
        await service.decline_invitation(session, actor, tender_id, data.reason, clock.now())

    @get("/{tender_id:uuid}/assignees", opt=allow(scope=READ))
    async def list_tender_assignees(
        self, session: AsyncSession, actor: Actor, tender_id: UUID
    ) -> AssigneePage:
        """The caller's colleagues who work on the tender."""
        return await service.list_assignees(session, actor, tender_id)

    @put("/{tender_id:uuid}/assignees", opt=allow(scope=WRITE))
    async def set_tender_assignees(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
        data: NewAssignees,
    ) -> AssigneePage:
        """Who works on the tender for the caller's organisation. A partner employee sees no other
        invitations; who works on the tender works on its orders too.
        """
        return await service.set_assignees(session, actor, tender_id, data.users, clock.now())

    @get("/{tender_id:uuid}/history", opt=allow(scope=READ))
    async def tender_history(self, session: AsyncSession, actor: Actor, tender_id: UUID) -> History:
        """Who moved the tender when, and why; for its buyer."""
        return await service.history_of(session, actor, tender_id)

    @get("/{tender_id:uuid}/suggestions", opt=allow(scope=READ))
    async def suggest_suppliers(
        self, session: AsyncSession, actor: Actor, clock: Clock, tender_id: UUID
    ) -> Suggestions:
        """Whom to invite and why, and a market price for each lot; for its buyer."""
        return await service.suggest(session, actor, tender_id, clock.now())


class PolicyController(Controller):
    path = "/api/v1/tender_policy"
    tags = ("tenders",)

    @get("/", opt=allow(scope=READ))
    async def get_policy(self, session: AsyncSession, actor: Actor) -> PolicyView:
        """The own organisation's approval limit."""
        return await service.show_policy(session, actor)

    @put("/", opt=allow("admin", scope=WRITE))
    async def set_policy(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: PolicyView
    ) -> PolicyView:
        """Set the own organisation's approval limit; null: none."""
        return await service.set_policy(session, actor, data, clock.now())
