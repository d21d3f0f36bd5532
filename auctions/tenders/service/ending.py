"""How a tender ends before an award: cancelled by its buyer, unsuccessful, or its auctions over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries
from auctions.tenders.life import TENDER
from auctions.tenders.models import Auction, Tender
from auctions.tenders.rules import AuctionState, TenderState
from auctions.tenders.sending import Desk
from auctions.tenders.service.views import own_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import house, move, mover


async def cancel(
    session: AsyncSession, actor: Actor, tender_id: UUID, reason: str, desk: Desk, now: datetime
) -> None:
    """Call the tender off; once that is committed, a command ends its auctions. Repeating it
    changes nothing. Raises NotFound, Forbidden, Conflict.
    """
    await _end(session, actor, tender_id, "cancel", reason, now)
    desk.end_later(session, tender_id)


async def fail(
    session: AsyncSession, actor: Actor, tender_id: UUID, reason: str, desk: Desk, now: datetime
) -> None:
    """End it without an award. Raises NotFound, Forbidden, Conflict."""
    await _end(session, actor, tender_id, "fail", reason, now)
    desk.end_later(session, tender_id)


async def _end(
    session: AsyncSession, actor: Actor, tender_id: UUID, event: str, reason: str, now: datetime
) -> None:
    tender = await own_tender(session, actor, tender_id, lock=True)
    if event == "cancel" and tender.state == TenderState.CANCELLED:
        actor.require_role("procurement_officer")
        return
    by = mover(actor, now, reason, buyer=tender.buyer_id)
    await move(session, TENDER, tender, event, by, parties=[tender.buyer_id])
    tender.reason = reason
    tender.updated_at = now
    await session.execute(
        update(Auction)
        .where(Auction.tender_id == tender.id, Auction.state == AuctionState.SCHEDULED)
        .values(cancel_reason=reason)
    )


async def auctions_ended(session: AsyncSession, ended: Sequence[Any], now: datetime) -> None:
    """Note what the books say, as (auction, status, tender); a tender whose auctions are all over
    goes to awarding (system scope).
    """
    for auction_id, status, _ in ended:
        state = AuctionState.CANCELLED if status == "cancelled" else AuctionState.CLOSED
        await session.execute(
            update(Auction)
            .where(Auction.id == auction_id, Auction.state == AuctionState.SCHEDULED)
            .values(state=state, ended_at=now)
        )
    for tender_id in dict.fromkeys(tender_id for _, _, tender_id in ended):
        tender = await queries.tender(session, tender_id, lock=True)
        assert tender is not None, "an auction never outlives its tender"
        await _close_if_over(session, tender, now)


async def note_ended(session: AsyncSession, tender: Tender, now: datetime) -> None:
    """Look at the books of one tender now, instead of waiting for the job; the caller holds the
    tender's row and is its buyer.
    """
    if tender.state not in (TenderState.PUBLISHED, TenderState.IN_AUCTION):
        return
    async with as_house(session):
        ended = await queries.ended_auctions(session, queries.PAGE_MAX, tender.id)
        await auctions_ended(session, ended, now)


async def is_over(session: AsyncSession, tender: Tender) -> bool:
    """Whether the books of all auctions of a tender have ended, noted or not; for its buyer."""
    if tender.state not in (TenderState.PUBLISHED, TenderState.IN_AUCTION):
        return False
    auctions = (await queries.auctions(session, tender.id)).values()
    ended = await ended_in_books(session, tender)
    open_ones = [row for row in auctions if row.state == AuctionState.SCHEDULED]
    return len(auctions) > 0 and all(row.id in ended for row in open_ones)


async def ended_in_books(session: AsyncSession, tender: Tender) -> dict[UUID, str]:
    """Auctions whose book has ended although their rows do not say so yet, with the book's status;
    only looked at.
    """
    async with as_house(session):
        rows = await queries.ended_auctions(session, queries.PAGE_MAX, tender.id)
    return {auction_id: status for auction_id, status, _ in rows}


async def _close_if_over(session: AsyncSession, tender: Tender, now: datetime) -> None:
    if tender.state not in (TenderState.PUBLISHED, TenderState.IN_AUCTION):
        return
    auctions = (await queries.auctions(session, tender.id)).values()
    if all(auction.state != AuctionState.SCHEDULED for auction in auctions):
        await move(session, TENDER, tender, "close", house(now), parties=[tender.buyer_id])


async def fire(session: AsyncSession, tender_id: UUID, event: str, now: datetime) -> None:
    """A deadline of a tender (system scope). Raises Conflict when it no longer applies."""
    tender = await queries.tender(session, tender_id, lock=True)
    assert tender is not None, "tenders are never deleted"
    await move(session, TENDER, tender, event, house(now), parties=[tender.buyer_id])
