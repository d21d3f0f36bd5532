"""Claims over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.facts import Facts
from marketplace.kernel.pages import Page, sorted_by
from marketplace.orders import queries
from marketplace.orders.schemas import ClaimPage, ClaimView, Decision, NewClaim
from marketplace.orders.service import claims

READ, WRITE = "orders:read", "orders:write"
Event = Literal["uphold", "dispute", "escalate", "dismiss", "withdraw"]


class ClaimController(Controller):
    path = "/api/v1"
    tags = ("orders",)

    @post("/orders/{order_id:uuid}/claims", opt=allow(scope=WRITE))
    async def file_claim(
        self,
        session: AsyncSession,
        facts: Facts,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        data: NewClaim,
    ) -> ClaimView:
        """A complaint about delivered goods; evidence is added as documents of the order."""
        return await claims.file(session, facts, actor, order_id, data, clock.now())

    @get("/claims", opt=allow(scope=READ) | sorted_by(queries.CLAIMS))
    async def list_claims(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        page: Page,
        claim_state: Annotated[list[str] | None, QueryParameter(name="state")] = None,
    ) -> ClaimPage:
        """Claims on both sides, newest first; for the operator those that were escalated."""
        return await claims.listing(
            session,
            actor,
            clock.now(),
            states=claim_state or (),
            page=page,
        )

    @get("/claims/{claim_id:uuid}", opt=allow(scope=READ))
    async def get_claim(
        self, session: AsyncSession, actor: Actor, clock: Clock, claim_id: UUID
    ) -> ClaimView:
        return await claims.show(session, actor, claim_id, clock.now())

    @post("/claims/{claim_id:uuid}/moves/{event:str}", status_code=200, opt=allow(scope=WRITE))
    async def move_claim(
        self,
        session: AsyncSession,
        facts: Facts,
        actor: Actor,
        clock: Clock,
        claim_id: UUID,
        event: Event,
        data: Decision | None = None,
    ) -> ClaimView:
        """The supplier upholds or disputes, the buyer escalates or withdraws, the operator upholds
        or dismisses what was escalated.
        """
        decision = data or Decision()
        return await claims.act(
            session,
            facts,
            actor,
            claim_id,
            event,
            decision.reason,
            decision.severity_bp,
            clock.now(),
        )
