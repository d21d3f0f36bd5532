"""Awards and the frozen sheets they were decided on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import Award, AwardSheet, Lot, LotItem
from auctions.tenders.rules import AwardState

ACTIVE = (
    AwardState.PROPOSED,
    AwardState.AWAITING_APPROVAL,
    AwardState.OFFERED,
    AwardState.ACCEPTED,
)
PAST_MAX = 1_000


async def award(session: AsyncSession, award_id: UUID, *, lock: bool = False) -> Award | None:
    statement = select(Award).where(Award.id == award_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def awards_of_lots(session: AsyncSession, lot_ids: Iterable[UUID]) -> Sequence[Award]:
    statement = select(Award).where(Award.lot_id.in_(list(lot_ids))).order_by(Award.id)
    return (await session.execute(statement)).scalars().all()


async def active_awards(session: AsyncSession, lot_id: UUID) -> Sequence[Award]:
    """Those that hold a share of the lot."""
    statement = select(Award).where(Award.lot_id == lot_id, Award.state.in_(ACTIVE))
    return (await session.execute(statement)).scalars().all()


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
