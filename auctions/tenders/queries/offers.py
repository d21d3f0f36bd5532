"""Sealed offers and the keys that open them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import Offer, TenderKey, TenderKeyShare
from auctions.tenders.rules import OfferState


async def offer(session: AsyncSession, offer_id: UUID, *, lock: bool = False) -> Offer | None:
    statement = select(Offer).where(Offer.id == offer_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def offer_of(session: AsyncSession, lot_id: UUID, organisation_id: UUID) -> Offer | None:
    """One organisation's offer for a lot, locked for a change."""
    statement = (
        select(Offer)
        .where(Offer.lot_id == lot_id, Offer.organisation_id == organisation_id)
        .with_for_update()
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def offers(session: AsyncSession, tender_id: UUID) -> Sequence[Offer]:
    """Opened ones for the buyer, the own ones for a supplier."""
    statement = (
        select(Offer)
        .where(Offer.tender_id == tender_id)
        .order_by(Offer.lot_id, Offer.price_minor, Offer.id)
    )
    return (await session.execute(statement)).scalars().all()


async def sealed_offers(session: AsyncSession, tender_id: UUID) -> Sequence[Offer]:
    """What waits for the opening (system scope)."""
    statement = (
        select(Offer)
        .where(Offer.tender_id == tender_id, Offer.state == OfferState.SEALED)
        .with_for_update()
    )
    return (await session.execute(statement)).scalars().all()


async def sealed_counts(session: AsyncSession, tender_id: UUID) -> dict[UUID, int]:
    """How many offers wait for the opening, by lot (system scope)."""
    statement = (
        select(Offer.lot_id, func.count())
        .where(Offer.tender_id == tender_id, Offer.state == OfferState.SEALED)
        .group_by(Offer.lot_id)
    )
    return {lot_id: count for lot_id, count in await session.execute(statement)}


async def accepted_offers(session: AsyncSession, tender_id: UUID) -> dict[UUID, list[Offer]]:
    """Qualified offers by lot."""
    statement = select(Offer).where(
        Offer.tender_id == tender_id, Offer.state == OfferState.ACCEPTED
    )
    found: dict[UUID, list[Offer]] = {}
    for row in (await session.execute(statement)).scalars():
        found.setdefault(row.lot_id, []).append(row)
    return found


async def tender_key(session: AsyncSession, tender_id: UUID) -> TenderKey | None:
    return await session.get(TenderKey, tender_id)


async def key_shares(
    session: AsyncSession, tender_id: UUID, *, lock: bool = False
) -> Sequence[TenderKeyShare]:
    """In order (system scope)."""
    statement = (
        select(TenderKeyShare)
        .where(TenderKeyShare.tender_id == tender_id)
        .order_by(TenderKeyShare.number)
    )
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalars().all()
