"""Ratings over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Controller, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.pages import Page, sorted_by
from marketplace.kernel.statements import Reader
from ratings.schemas import (
    AffiliatesView,
    HistoryPage,
    NewAffiliates,
    NewPolicy,
    NewTrust,
    PolicyPage,
    PolicyView,
    PublicView,
    RatingPage,
    RatingView,
    ReceivedPage,
    SimulatedPage,
    Simulation,
    WhatIfView,
    WithReason,
)
from ratings.service import gates, policies, showing

READ, WRITE = "ratings:read", "ratings:write"
_DECIDERS = ("channel_manager", "procurement_officer")


class RatingController(Controller):
    """`buyer_id` lets a supplier read how a buyer rates it; every other rating is missing."""

    path = "/api/v1/ratings"
    tags = ("ratings",)

    @get("/", opt=allow(scope=READ) | sorted_by(showing.RATINGS))
    async def list_ratings(
        self, session: AsyncSession, actor: Actor, clock: Clock, page: Page
    ) -> RatingPage:
        """Every supplier the own organisation has completed an order with."""
        return await showing.listing(session, actor, clock.now(), page=page)

    @get("/received", opt=allow(scope=READ))
    async def list_received(
        self, session: AsyncSession, actor: Actor, clock: Clock
    ) -> ReceivedPage:
        """How each buyer rates the own organisation."""
        return await showing.received(session, actor, clock.now())

    @get("/{supplier_id:uuid}", opt=allow(scope=READ))
    async def get_rating(
        self,
        session: AsyncSession,
        reader: Reader,
        actor: Actor,
        clock: Clock,
        supplier_id: UUID,
        buyer_id: UUID | None = None,
        as_of: datetime | None = None,
        policy_version: int | None = None,
    ) -> RatingView:
        """The score with its exact explanation; as of any past date under any policy version."""
        if as_of is None and policy_version is None:
            return await showing.show(reader, actor, supplier_id, clock.now(), buyer_id=buyer_id)
        return await showing.show_past(
            session,
            actor,
            supplier_id,
            clock.now(),
            buyer_id=buyer_id,
            as_of=as_of,
            policy_version=policy_version,
        )

    @get(
        "/{supplier_id:uuid}/history", opt=allow(scope=READ), summary="Read the history of a rating"
    )
    async def get_history(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        supplier_id: UUID,
        buyer_id: UUID | None = None,
        months: int = 12,
        policy_version: int | None = None,
    ) -> HistoryPage:
        """A point a month."""
        return await showing.history(
            session,
            actor,
            supplier_id,
            clock.now(),
            buyer_id=buyer_id,
            months=months,
            policy_version=policy_version,
        )

    @get("/{supplier_id:uuid}/what_if", opt=allow(scope=READ))
    async def get_what_if(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        supplier_id: UUID,
        buyer_id: UUID | None = None,
        clean_orders: int = 0,
        claims: float = 0.0,
        price_percent: float = 0.0,
    ) -> WhatIfView:
        """The score after so many more clean orders, at so many percent above the reference price,
        and claims of so much severity.
        """
        return await showing.what_if(
            session,
            actor,
            supplier_id,
            clock.now(),
            buyer_id=buyer_id,
            clean_orders=clean_orders,
            claims=claims,
            price_percent=price_percent,
        )

    @get("/{supplier_id:uuid}/public", opt=allow(scope=READ))
    async def get_public(
        self, session: AsyncSession, clock: Clock, supplier_id: UUID
    ) -> PublicView:
        """What all buyers together think, each weighed by its freedom of choice."""
        return await showing.show_public(session, supplier_id, clock.now())

    @post("/{supplier_id:uuid}/trust", opt=allow(*_DECIDERS, scope=WRITE))
    async def give_trust(
        self, session: AsyncSession, actor: Actor, clock: Clock, supplier_id: UUID, data: NewTrust
    ) -> RatingView:
        """Credit with a reason and an end; the newest counts."""
        now = clock.now()
        await gates.give_trust(session, actor, supplier_id, data, now)
        return await showing.show(session, actor, supplier_id, now)

    @post(
        "/{supplier_id:uuid}/block",
        status_code=200,
        opt=allow(*_DECIDERS, scope=WRITE),
        summary="Block a supplier",
    )
    async def block(
        self, session: AsyncSession, actor: Actor, clock: Clock, supplier_id: UUID, data: WithReason
    ) -> RatingView:
        """Invite this supplier no more; both sides see the reason."""
        now = clock.now()
        await gates.block(session, actor, supplier_id, data.reason, now)
        return await showing.show(session, actor, supplier_id, now)

    @post(
        "/{supplier_id:uuid}/unblock",
        status_code=200,
        opt=allow(*_DECIDERS, scope=WRITE),
        summary="Unblock a supplier",
    )
    async def unblock(
        self, session: AsyncSession, actor: Actor, clock: Clock, supplier_id: UUID, data: WithReason
    ) -> RatingView:
        now = clock.now()
        await gates.unblock(session, actor, supplier_id, data.reason, now)
        return await showing.show(session, actor, supplier_id, now)


class PolicyController(Controller):
    path = "/api/v1/rating_policies"
    tags = ("ratings",)

    @get("/", opt=allow(scope=READ))
    async def list_policies(self, session: AsyncSession, actor: Actor, clock: Clock) -> PolicyPage:
        """Every version, newest first; version 0 is the house's own."""
        return await policies.listing(session, actor, clock.now())

    @post("/", opt=allow("channel_manager", scope=WRITE))
    async def adopt_policy(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewPolicy
    ) -> PolicyView:
        """A new version; it never changes."""
        return await policies.adopt(session, actor, data, clock.now())

    @post("/simulate", status_code=200, opt=allow(*_DECIDERS, scope=READ))
    async def simulate_policy(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: Simulation
    ) -> SimulatedPage:
        """What another policy would say of every supplier; nothing is kept."""
        return await policies.simulate(session, actor, data, clock.now())


class AffiliateController(Controller):
    path = "/api/v1/rating_affiliates"
    tags = ("ratings",)

    @post("/", opt=allow(scope=WRITE, operator=True))
    async def declare_affiliates(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewAffiliates
    ) -> AffiliatesView:
        """Two organisations of one group share one voice in public ratings."""
        return await gates.declare_affiliates(session, actor, data, clock.now())


CONTROLLERS = [RatingController, PolicyController, AffiliateController]
