"""Claims: the buyer files, the supplier upholds or disputes, the operator has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import Mover, house, move
from marketplace.orders import queries
from marketplace.orders.facts import ClaimMoved, ClaimUpheld, ClaimWithdrawn
from marketplace.orders.life import CLAIM, CLAIMABLE, moved_by
from marketplace.orders.models import Claim, Order
from marketplace.orders.schemas import ClaimPage, ClaimView, NewClaim
from marketplace.orders.service import views

CLAIMS_MAX = 50


async def file(
    session: AsyncSession,
    facts: Facts,
    actor: Actor,
    order_id: UUID,
    new: NewClaim,
    now: datetime,
) -> ClaimView:
    """A complaint about delivered goods. Raises NotFound, Forbidden, Conflict, Invalid."""
    order = await views.visible(session, actor, order_id, lock=True)
    if order.buyer_id != actor.organisation_id:
        raise Forbidden("not_the_buyer", "Claims are the buyer's.")
    actor.require_role("procurement_officer")
    if order.state not in CLAIMABLE:
        raise Conflict("nothing_delivered", "There are no delivered goods to complain about.")
    if new.position is not None:
        known = [line.position for line in await queries.lines(session, order_id)]
        if new.position not in known:
            raise Invalid.field("position", "unknown_line", "A line of this order.")
    former = await queries.claims(session, order_id)
    if len(former) >= CLAIMS_MAX:
        raise Conflict("too_many_claims", f"At most {CLAIMS_MAX} claims about an order.")
    claim = Claim(
        id=new_id(),
        order_id=order_id,
        number=len(former) + 1,
        buyer_id=order.buyer_id,
        supplier_id=order.supplier_id,
        author_id=actor.user_id,
        position=new.position,
        kind=new.kind,
        severity_bp=new.severity_bp,
        description=new.description,
        state="draft",
        created_at=now,
    )
    session.add(claim)
    await session.flush()
    await _step(session, facts, claim, "file", moved_by(actor, now, claim))
    return views.claim(actor, claim, now)


async def act(
    session: AsyncSession,
    facts: Facts,
    actor: Actor,
    claim_id: UUID,
    event: str,
    reason: str | None,
    severity_bp: int | None,
    now: datetime,
) -> ClaimView:
    """Uphold, dispute, escalate, dismiss or withdraw. Raises NotFound, Forbidden, Conflict."""
    claim, _ = await _held(session, actor, claim_id)
    by = moved_by(actor, now, claim, reason)
    CLAIM.choose(claim, event, by)
    if severity_bp is not None:
        if event != "uphold" or not actor.operator:
            raise Forbidden("operator_only", "Only the operator upholds a claim in part.")
        claim.severity_bp = severity_bp
    # History and deadlines are those of the two sides; the operator's right was settled above.
    async with as_house(session):
        await _step(session, facts, claim, event, by)
    return views.claim(actor, claim, now)


async def _held(session: AsyncSession, actor: Actor, claim_id: UUID) -> tuple[Claim, Order]:
    """The claim and its order, both locked: the order first, as everywhere."""
    found = await queries.claim(session, claim_id)
    if found is None:
        raise NotFound("claim")
    order = await views.visible(session, actor, found.order_id, lock=True)
    claim = await queries.claim(session, claim_id, lock=True)
    assert claim is not None, "claims are never deleted"
    return claim, order


async def _step(session: AsyncSession, facts: Facts, claim: Claim, event: str, by: Mover) -> None:
    counted = claim.state == "upheld"
    await move(session, CLAIM, claim, event, by, parties=[claim.buyer_id, claim.supplier_id])
    if by.reason and event in {"uphold", "dispute", "dismiss"}:
        claim.answer = by.reason
    if claim.state in {"upheld", "dismissed", "withdrawn"}:
        claim.decided_at = by.now
    await session.flush()
    await facts.publish(
        session,
        ClaimMoved(
            order_id=claim.order_id,
            buyer_id=claim.buyer_id,
            supplier_id=claim.supplier_id,
            at=by.now,
            claim_id=claim.id,
            number=claim.number,
            event=event,
            state=claim.state,
            by=by.organisation_id,
        ),
    )
    if claim.state == "upheld":
        await facts.publish(session, _upheld(claim, by.now))
    elif counted:
        await facts.publish(session, _withdrawn(claim, by.now))


def _upheld(claim: Claim, now: datetime) -> ClaimUpheld:
    return ClaimUpheld(
        order_id=claim.order_id,
        buyer_id=claim.buyer_id,
        supplier_id=claim.supplier_id,
        at=now,
        claim_id=claim.id,
        severity_bp=claim.severity_bp,
    )


def _withdrawn(claim: Claim, now: datetime) -> ClaimWithdrawn:
    return ClaimWithdrawn(
        order_id=claim.order_id,
        buyer_id=claim.buyer_id,
        supplier_id=claim.supplier_id,
        at=now,
        claim_id=claim.id,
    )


async def fire(
    facts: Facts, session: AsyncSession, claim_id: UUID, event: str, now: datetime
) -> None:
    """What is due, by the house (system scope): unanswered claims escalate, uncontested disputes
    end. Raises Conflict.
    """
    claim = await queries.claim(session, claim_id)
    assert claim is not None, "claims are never deleted"
    await queries.order(session, claim.order_id, lock=True)
    held = await queries.claim(session, claim_id, lock=True)
    assert held is not None, "claims are never deleted"
    await _step(session, facts, held, event, house(now, "Nothing happened in time"))


async def listing(
    session: AsyncSession, actor: Actor, now: datetime, *, states: Sequence[str], page: Page
) -> ClaimPage:
    """Claims on both sides; for the operator those that came before it."""
    read = partial(
        queries.claim_page, session, states=states, page=page, escalated_only=actor.operator
    )
    if actor.operator:
        async with as_house(session):
            found = await read()
    else:
        found = await read()
    shown, next_cursor = page.cut(found)
    items = [views.claim(actor, row, now) for row in shown]
    return ClaimPage(items, next_cursor)


async def show(session: AsyncSession, actor: Actor, claim_id: UUID, now: datetime) -> ClaimView:
    """Raises NotFound."""
    found = await queries.claim(session, claim_id)
    if found is None:
        raise NotFound("claim")
    await views.visible(session, actor, found.order_id)
    return views.claim(actor, found, now)
