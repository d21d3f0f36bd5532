"""Awards and the frozen sheets they were decided on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import Award, AwardSheet, Lot, LotItem, Tender
from auctions.tenders.rules import AwardState
from marketplace.kernel.actor import Actor

PAST_MAX = 1_000


async def award(session: AsyncSession, award_id: UUID, *, lock: bool = False) -> Award | None:
    statement = select(Award).where(Award.id == award_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def awards_of_lots(session: AsyncSession, lot_ids: Iterable[UUID]) -> Sequence[Award]:
    statement = select(Award).where(Award.lot_id.in_(list(lot_ids))).order_by(Award.id)
    return (await session.execute(statement)).scalars().all()


async def award_page(
    session: AsyncSession, actor: Actor, *, limit: int, before: UUID | None
) -> Sequence[Any]:
    """Own awards as buyer, and as supplier those that were offered, newest first: rows of (award,
    currency); one more than `limit` when there are more.
    """
    own = or_(
        Award.buyer_id == actor.organisation_id, Award.organisation_id == actor.organisation_id
    )
    statement = select(Award, Tender.currency).join(Tender, Tender.id == Award.tender_id).where(own)
    if before is not None:
        statement = statement.where(Award.id < before)
    return (await session.execute(statement.order_by(Award.id.desc()).limit(limit + 1))).all()


async def award_sheet(session: AsyncSession, lot_id: UUID) -> AwardSheet | None:
    """The ranking as it was frozen at the first proposal."""
    return await session.get(AwardSheet, lot_id)


async def past_awards(session: AsyncSession, buyer_id: UUID) -> Sequence[Any]:
    """What a buyer awarded before: rows of (organisation id, item name, classification code, unit),
    newest first.
    """
    statement = (
        select(
            Award.organisation_id,
            LotItem.name,
            LotItem.classification["code"].astext,
            LotItem.unit,
        )
        .join(Lot, Lot.id == Award.lot_id)
        .join(LotItem, LotItem.lot_id == Lot.id)
        .where(Award.buyer_id == buyer_id, Award.state == AwardState.ACCEPTED)
        .order_by(Award.id.desc())
        .limit(PAST_MAX)
    )
    return (await session.execute(statement)).all()
