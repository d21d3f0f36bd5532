"""Orders, their moves, and the customer's link."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.schemas import AssigneePage, NewAssignees
from marketplace.kernel.access import PUBLIC, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.facts import Facts
from marketplace.kernel.pages import Page, sorted_by
from marketplace.kernel.settings import Settings
from marketplace.orders import queries
from marketplace.orders.listed import ListPrices
from marketplace.orders.schemas import (
    Confirmation,
    Move,
    NewDelivery,
    NewOrder,
    NewSurvey,
    NewWatcher,
    OrderPage,
    OrderView,
    PublicStatus,
    StatusLink,
    SuggestionPage,
    SurveyView,
    Timeline,
    WatcherPage,
)
from marketplace.orders.service import creating, dossier, moving, views

READ, WRITE = "orders:read", "orders:write"
Event = Literal["approve", "reject", "place", "withdraw", "decline", "accept", "reopen", "cancel"]


class OrderController(Controller):
    """Roles are asked after the order was found: a foreign one is missing, whoever asks."""

    path = "/api/v1/orders"
    tags = ("orders",)

    @get("/", opt=allow(scope=READ) | sorted_by(queries.ORDERS))
    async def list_orders(
        self,
        session: AsyncSession,
        actor: Actor,
        page: Page,
        order_state: Annotated[list[str] | None, QueryParameter(name="state")] = None,
        role: Literal["buyer", "supplier"] | None = None,
    ) -> OrderPage:
        """Own orders on either side, newest first."""
        return await views.listing(
            session,
            actor,
            states=order_state or (),
            role=role,
            page=page,
        )

    @post("/", opt=allow(scope=WRITE))
    async def create_order(
        self,
        session: AsyncSession,
        facts: Facts,
        list_prices: ListPrices,
        actor: Actor,
        clock: Clock,
        data: NewOrder,
    ) -> OrderView:
        """A buyer orders; a supplier proposes an order. A basket takes its prices from the
        supplier's lists: with another price it becomes a request.
        """
        now = clock.now()
        order_id = await creating.create(session, facts, list_prices, actor, data, now)
        return await views.show(session, actor, order_id, now)

    @get("/{order_id:uuid}", opt=allow(scope=READ))
    async def get_order(
        self, session: AsyncSession, actor: Actor, clock: Clock, order_id: UUID
    ) -> OrderView:
        return await views.show(session, actor, order_id, clock.now())

    @get("/{order_id:uuid}/timeline", opt=allow(scope=READ))
    async def get_timeline(
        self, session: AsyncSession, actor: Actor, clock: Clock, order_id: UUID
    ) -> Timeline:
        """Everything that happened, newest first, under the next action."""
        return await dossier.timeline(session, actor, order_id, clock.now())

    @post("/{order_id:uuid}/moves/{event:str}", status_code=200, opt=allow(scope=WRITE))
    async def move_order(
        self,
        session: AsyncSession,
        facts: Facts,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        event: Event,
        data: Move | None = None,
    ) -> OrderView:
        """Approve, reject, place, withdraw, decline, accept, reopen or cancel; what the state does
        not know answers 409.
        """
        now = clock.now()
        reason = data.reason if data else None
        await moving.act(session, facts, actor, order_id, event, reason, now)
        return await views.show(session, actor, order_id, now)

    @post("/{order_id:uuid}/confirm", status_code=200, opt=allow(scope=WRITE))
    async def confirm_order(
        self,
        session: AsyncSession,
        facts: Facts,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        data: Confirmation | None = None,
    ) -> OrderView:
        """The supplier takes the order and may name the day."""
        now = clock.now()
        due_at: datetime | None = data.due_at if data else None
        await moving.confirm(session, facts, actor, order_id, due_at, now)
        return await views.show(session, actor, order_id, now)

    @post(
        "/{order_id:uuid}/deliveries", opt=allow(scope=WRITE), summary="Deliver goods of an order"
    )
    async def deliver(
        self,
        session: AsyncSession,
        facts: Facts,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        data: NewDelivery,
    ) -> OrderView:
        """Goods are on their way, all or a part."""
        now = clock.now()
        await moving.deliver(session, facts, actor, order_id, data, now)
        return await views.show(session, actor, order_id, now)

    @put("/{order_id:uuid}/survey", opt=allow("procurement_officer", scope=WRITE))
    async def answer_survey(
        self,
        session: AsyncSession,
        facts: Facts,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        data: NewSurvey,
    ) -> SurveyView:
        """One question about an accepted order, for 30 days."""
        return await dossier.answer_survey(session, facts, actor, order_id, data, clock.now())

    @post("/{order_id:uuid}/status_link", opt=allow(scope=WRITE))
    async def make_status_link(
        self, session: AsyncSession, actor: Actor, settings: Settings, order_id: UUID
    ) -> StatusLink:
        """A link for the customer; the former one ends."""
        return await dossier.make_link(session, actor, order_id, settings.origin)

    @delete("/{order_id:uuid}/status_link", opt=allow(scope=WRITE))
    async def end_status_link(self, session: AsyncSession, actor: Actor, order_id: UUID) -> None:
        await dossier.end_link(session, actor, order_id)

    @post("/{order_id:uuid}/watchers", opt=allow(scope=WRITE))
    async def add_watcher(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        data: NewWatcher,
    ) -> WatcherPage:
        """Let a colleague follow the order."""
        return await dossier.watch(session, actor, order_id, data.user_id, clock.now())

    @get("/{order_id:uuid}/assignees", opt=allow(scope=READ))
    async def list_order_assignees(
        self, session: AsyncSession, actor: Actor, order_id: UUID
    ) -> AssigneePage:
        """The caller's colleagues who work on the order."""
        return await dossier.list_assignees(session, actor, order_id)

    @put("/{order_id:uuid}/assignees", opt=allow(scope=WRITE))
    async def set_order_assignees(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        data: NewAssignees,
    ) -> AssigneePage:
        """Who works on the order for the caller's side. A partner employee sees no other orders."""
        return await dossier.set_assignees(session, actor, order_id, data.users, clock.now())


class StatusController(Controller):
    path = "/api/v1/order_status"
    tags = ("orders",)

    @get("/{token:str}", opt=PUBLIC)
    async def get_status(self, session: AsyncSession, token: str) -> PublicStatus:
        """What the customer may see of an order: no prices."""
        return await dossier.public_status(session, token)


class SuggestionController(Controller):
    path = "/api/v1/replenishment_suggestions"
    tags = ("orders",)

    @get("/", opt=allow(scope=READ))
    async def list_suggestions(
        self, session: AsyncSession, actor: Actor, clock: Clock
    ) -> SuggestionPage:
        """What was ordered regularly and is due again within two weeks."""
        return await creating.suggestions(session, actor, clock.now())
