"""What a buyer decides by hand: trust, and the block that is no number. And what other floors ask
before they invite somebody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from marketplace.kernel.statements import Source
from marketplace.orders.facts import OrderIntended
from ratings import queries
from ratings.models import RatingAffiliate, RatingBlock, RatingTrust
from ratings.schemas import AffiliatesView, NewAffiliates, NewTrust
from ratings.service import reading, views
from ratings.service.showing import side

TRUST_LIFE_MAX = timedelta(days=1_096)


class Standing(msgspec.Struct, frozen=True):
    """What a tender needs to know of a supplier. `score` has one decimal, None: not rated yet;
    `blocked` is the reason.
    """

    score: str | None
    blocked: str | None


async def standings(
    session: AsyncSession, buyer_id: UUID, supplier_ids: Iterable[UUID], now: datetime
) -> dict[UUID, Standing]:
    """For gates, ties and criteria: score and block of each supplier as the buyer sees them."""
    wanted = list(dict.fromkeys(supplier_ids))
    async with as_house(session):
        policy = await queries.policy_at(session, buyer_id, now)
        rated = await reading.ratings(session, buyer_id, wanted, policy, now)
        blocks = await queries.blocks(session, buyer_id, wanted)
    return {
        supplier_id: Standing(
            views.points(rated[supplier_id]),
            blocks[supplier_id].reason if supplier_id in blocks else None,
        )
        for supplier_id in wanted
    }


async def blocked_suppliers(source: Source, buyer_id: UUID) -> frozenset[UUID]:
    """Whom the buyer has blocked. Works in any scope."""
    async with as_house(source):
        return await queries.blocked_suppliers(source, buyer_id)


async def refuse_blocked(session: AsyncSession, fact: OrderIntended) -> None:
    """Nobody orders from a supplier that its buyer has blocked. Raises Conflict."""
    async with as_house(session):
        block = await queries.block(session, fact.buyer_id, fact.supplier_id)
    if block is None:
        return
    if fact.by == fact.buyer_id:
        detail = f"Your organisation has blocked this supplier: {block.reason}"
    else:
        detail = f"The buyer has blocked you: {block.reason}"
    raise Conflict("supplier_blocked", detail)


async def give_trust(
    session: AsyncSession, actor: Actor, supplier_id: UUID, new: NewTrust, now: datetime
) -> None:
    """Credit that fades and ends; the newest counts. Raises NotFound, Forbidden, Invalid."""
    actor.require_capability("buys")
    await side(session, actor, supplier_id, None)
    if new.expires_at.tzinfo is None or not now < new.expires_at <= now + TRUST_LIFE_MAX:
        message = f"Trust ends, within {TRUST_LIFE_MAX.days} days."
        raise Invalid.field("expires_at", "out_of_range", message)
    _reasoned(new.reason)
    session.add(
        RatingTrust(
            id=new_id(),
            buyer_id=actor.organisation_id,
            supplier_id=supplier_id,
            credit_bp=new.credit_bp,
            reason=new.reason.strip(),
            author_id=actor.user_id,
            given_at=now,
            expires_at=new.expires_at,
        )
    )
    await session.flush()


async def block(
    session: AsyncSession, actor: Actor, supplier_id: UUID, reason: str, now: datetime
) -> None:
    """Nobody of the buyer invites this supplier until it is lifted. Raises NotFound, Forbidden,
    Conflict (`already_blocked`), Invalid.
    """
    actor.require_capability("buys")
    await side(session, actor, supplier_id, None)
    _reasoned(reason)
    if await queries.block(session, actor.organisation_id, supplier_id, lock=True):
        raise Conflict("already_blocked", "This supplier is blocked already.")
    session.add(
        RatingBlock(
            id=new_id(),
            buyer_id=actor.organisation_id,
            supplier_id=supplier_id,
            reason=reason.strip(),
            blocked_by=actor.user_id,
            blocked_at=now,
        )
    )
    await session.flush()


async def unblock(
    session: AsyncSession, actor: Actor, supplier_id: UUID, reason: str, now: datetime
) -> None:
    """Raises NotFound, Forbidden, Conflict (`not_blocked`), Invalid."""
    actor.require_capability("buys")
    await side(session, actor, supplier_id, None)
    _reasoned(reason)
    row = await queries.block(session, actor.organisation_id, supplier_id, lock=True)
    if row is None:
        raise Conflict("not_blocked", "This supplier is not blocked.")
    row.lifted_by, row.lifted_at, row.lifted_reason = actor.user_id, now, reason.strip()
    await session.flush()


async def declare_affiliates(
    session: AsyncSession, actor: Actor, new: NewAffiliates, now: datetime
) -> AffiliatesView:
    """Two organisations of one group share one voice in public ratings. Raises Invalid."""
    names = await views.parties(session, [new.organisation_id, new.affiliate_id])
    if new.organisation_id == new.affiliate_id or len(names) != 2:
        raise Invalid.field("affiliate_id", "unknown_organisation", "Name two organisations.")
    _reasoned(new.reason)
    first, second = sorted([new.organisation_id, new.affiliate_id])
    row = await session.get(RatingAffiliate, (first, second))
    if row is None:
        row = RatingAffiliate(
            organisation_id=first,
            affiliate_id=second,
            reason=new.reason.strip(),
            author_id=actor.user_id,
            created_at=now,
        )
        session.add(row)
        await session.flush()
    return AffiliatesView(
        organisation_id=first, affiliate_id=second, reason=row.reason, created_at=row.created_at
    )


def _reasoned(reason: str) -> None:
    if not reason.strip() or "\0" in reason:
        raise Invalid.field("reason", "required", "Say why.")
