"""Endpoints, deliveries and the operator's outbox over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange import queries, service
from marketplace.exchange.schemas import (
    DeliveryPage,
    DeliveryView,
    EndpointChange,
    EndpointPage,
    EndpointView,
    EventPage,
    IssuedEndpoint,
    MailPage,
    NewEndpoint,
    Replayed,
)
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.pages import Page, sorted_by
from marketplace.kernel.settings import Settings

READ, WRITE = "exchange:read", "exchange:write"
_KEEPERS = ("admin", "channel_manager", "partner_manager")


class EndpointController(Controller):
    path = "/api/v1/endpoints"
    tags = ("exchange",)

    @get("/", opt=allow(*_KEEPERS, scope=READ))
    async def list_endpoints(self, session: AsyncSession, actor: Actor) -> EndpointPage:
        return await service.listing(session, actor)

    @post("/", opt=allow(*_KEEPERS, scope=WRITE))
    async def add_endpoint(
        self,
        session: AsyncSession,
        actor: Actor,
        settings: Settings,
        clock: Clock,
        data: NewEndpoint,
    ) -> IssuedEndpoint:
        """Where events go. The secret is shown once."""
        return await service.add(session, actor, settings, data, clock.now())

    @get("/{endpoint_id:uuid}", opt=allow(*_KEEPERS, scope=READ))
    async def get_endpoint(
        self, session: AsyncSession, actor: Actor, endpoint_id: UUID
    ) -> EndpointView:
        return await service.show(session, actor, endpoint_id)

    @patch("/{endpoint_id:uuid}", opt=allow(*_KEEPERS, scope=WRITE))
    async def change_endpoint(
        self,
        session: AsyncSession,
        actor: Actor,
        settings: Settings,
        clock: Clock,
        endpoint_id: UUID,
        data: EndpointChange,
    ) -> EndpointView:
        """What is left out stays."""
        return await service.change(session, actor, settings, endpoint_id, data, clock.now())

    @delete("/{endpoint_id:uuid}", opt=allow(*_KEEPERS, scope=WRITE))
    async def remove_endpoint(self, session: AsyncSession, actor: Actor, endpoint_id: UUID) -> None:
        await service.remove(session, actor, endpoint_id)

    @post("/{endpoint_id:uuid}/rotate", opt=allow(*_KEEPERS, scope=WRITE))
    async def rotate_secret(
        self,
        session: AsyncSession,
        actor: Actor,
        settings: Settings,
        clock: Clock,
        endpoint_id: UUID,
    ) -> IssuedEndpoint:
        """A new secret; for a day every message is signed by both."""
        return await service.rotate(session, actor, settings, endpoint_id, clock.now())

    @post("/{endpoint_id:uuid}/test", opt=allow(*_KEEPERS, scope=WRITE))
    async def test_endpoint(
        self, session: AsyncSession, actor: Actor, clock: Clock, endpoint_id: UUID
    ) -> DeliveryView:
        """Send a test event."""
        return await service.test(session, actor, endpoint_id, clock.now())

    @post("/{endpoint_id:uuid}/replay", status_code=200, opt=allow(*_KEEPERS, scope=WRITE))
    async def replay_dead(
        self, session: AsyncSession, actor: Actor, clock: Clock, endpoint_id: UUID
    ) -> Replayed:
        """Send everything that was given up once more, with the same ids."""
        return await service.replay(session, actor, endpoint_id, clock.now())


class DeliveryController(Controller):
    path = "/api/v1/deliveries"
    tags = ("exchange",)

    @get("/", opt=allow(*_KEEPERS, scope=READ) | sorted_by(queries.DELIVERIES))
    async def list_deliveries(
        self,
        session: AsyncSession,
        actor: Actor,
        page: Page,
        endpoint: UUID | None = None,
        delivery_state: Annotated[
            Literal["pending", "delivered", "dead"] | None, QueryParameter(name="state")
        ] = None,
    ) -> DeliveryPage:
        """What was sent and how it went, newest first."""
        return await service.deliveries(
            session,
            actor,
            endpoint_id=endpoint,
            state=delivery_state,
            page=page,
        )

    @post("/{delivery_id:uuid}/replay", status_code=200, opt=allow(*_KEEPERS, scope=WRITE))
    async def replay_delivery(
        self, session: AsyncSession, actor: Actor, clock: Clock, delivery_id: UUID
    ) -> Replayed:
        """Send one message once more."""
        return await service.replay_one(session, actor, delivery_id, clock.now())


class ExchangeController(Controller):
    path = "/api/v1"
    tags = ("exchange",)

    @get("/events", opt=allow(scope=READ), sync_to_thread=False)
    def list_events(self) -> EventPage:
        """Everything that is ever sent."""
        return service.events()

    @get("/mails", opt=allow(scope=READ, operator=True) | sorted_by(queries.MAILS))
    async def list_mails(
        self,
        session: AsyncSession,
        page: Page,
        mail_state: Annotated[
            Literal["pending", "sent", "dead"] | None, QueryParameter(name="state")
        ] = None,
    ) -> MailPage:
        """The operator's outbox: without a mail server this is where mails stay."""
        return await service.mails(session, state=mail_state, page=page)


CONTROLLERS = [EndpointController, DeliveryController, ExchangeController]
