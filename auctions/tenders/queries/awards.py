"""Awards and the frozen sheets they were decided on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import (
    Award,
    AwardSheet,
    Lot,
    LotItem,
    Tender,
    TenderParticipation,
)
from auctions.tenders.rules import AwardState
from marketplace.kernel.actor import Actor
from marketplace.kernel.pages import Page, Sorting

PAST_MAX = 5_000
BIDS_MAX = 100_000


async def award(session: AsyncSession, award_id: UUID, *, lock: bool = False) -> Award | None:
    statement = select(Award).where(Award.id == award_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def awards_of_lots(session: AsyncSession, lot_ids: Iterable[UUID]) -> Sequence[Award]:
    statement = select(Award).where(Award.lot_id.in_(list(lot_ids))).order_by(Award.id)
    return (await session.execute(statement)).scalars().all()


async def lot_titles(session: AsyncSession, lot_ids: Iterable[UUID]) -> dict[UUID, str]:
    statement = select(Lot.id, Lot.title).where(Lot.id.in_(list(lot_ids)))
    return {row.id: row.title for row in await session.execute(statement)}


AWARDS = Sorting(Award.id, created_at=Award.id, state=Award.state, price=Award.price_minor)


async def award_page(
    session: AsyncSession,
    actor: Actor,
    *,
    page: Page,
    tender_id: UUID | None = None,
) -> Sequence[Any]:
    """Own awards as buyer, and as supplier those that were offered, newest first, of all tenders or
    one: rows of (award, currency); one more than `limit` when there are more.
    """
    own = or_(
        Award.buyer_id == actor.organisation_id, Award.organisation_id == actor.organisation_id
    )
    statement = select(Award, Tender.currency).join(Tender, Tender.id == Award.tender_id).where(own)
    if tender_id is not None:
        statement = statement.where(Award.tender_id == tender_id)
    return (await session.execute(page.of(statement))).all()


async def award_sheet(session: AsyncSession, lot_id: UUID) -> AwardSheet | None:
    """The ranking as it was frozen at the first proposal."""
    return await session.get(AwardSheet, lot_id)


async def past_lots(session: AsyncSession, buyer_id: UUID, but: UUID) -> Sequence[Any]:
    """Who took part in a buyer's tenders other than `but`, item by item, newest first, with the
    award if there was one: rows of (tender_id, lot_id, organisation_id, item_id, name, code, unit,
    quantity, items_count, currency, state, price_minor).
    """
    count = (
        select(func.count())
        .select_from(LotItem)
        .where(LotItem.lot_id == Lot.id)
        .correlate(Lot)
        .scalar_subquery()
    )
    statement = (
        select(
            Lot.tender_id,
            Lot.id.label("lot_id"),
            TenderParticipation.organisation_id,
            LotItem.item_id,
            LotItem.name,
            LotItem.classification["code"].astext.label("code"),
            LotItem.unit,
            LotItem.quantity,
            count.label("items_count"),
            Tender.currency,
            Award.state,
            Award.price_minor,
        )
        .join(Tender, Tender.id == Lot.tender_id)
        .join(LotItem, LotItem.lot_id == Lot.id)
        .join(TenderParticipation, TenderParticipation.tender_id == Lot.tender_id)
        .outerjoin(
            Award,
            and_(
                Award.lot_id == Lot.id,
                Award.organisation_id == TenderParticipation.organisation_id,
                Award.state == AwardState.ACCEPTED,
            ),
        )
        .where(Tender.buyer_id == buyer_id, Tender.id != but)
        .order_by(Tender.id.desc(), Lot.position)
        .limit(PAST_MAX)
    )
    return (await session.execute(statement)).all()


async def bids_of(session: AsyncSession, auction_id: UUID) -> Sequence[Any]:
    """Accepted bids and withdrawals of an auction's log, oldest first, at most BIDS_MAX: rows of
    (seq, ts in µs, encoded outcome) (system scope).
    """
    statement = text(
        "SELECT seq, ts, outcome FROM auction_commands WHERE auction_id = :id"
        # 'bid' and 'withdrawn' are kinds of events; a refused command has neither.
        " AND (position(CAST(:bid AS bytea) IN outcome) > 0"
        "      OR position(CAST(:gone AS bytea) IN outcome) > 0)"
        " ORDER BY seq LIMIT :limit"
    )
    values = {"id": auction_id, "bid": b'"kind":"bid"', "gone": b'"kind":"withdrawn"'}
    return (await session.execute(statement, values | {"limit": BIDS_MAX})).all()
