"""From draft to published: checks, approval above the limit, an auction for every lot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.rules.core.parameters import Terms
from auctions.tenders import queries, rules, vault
from auctions.tenders.life import TENDER
from auctions.tenders.models import (
    Auction,
    Lot,
    Tender,
    TenderInvitation,
    TenderKey,
    TenderKeyShare,
)
from auctions.tenders.rules import Access, AuctionState, TenderState
from auctions.tenders.service import notices
from auctions.tenders.service.lot_terms import lot_terms
from auctions.tenders.service.views import own_tender
from marketplace.accounts.service.separation import with_sponsors
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import from_micros
from marketplace.kernel.errors import FieldError, Invalid
from marketplace.kernel.ids import new_id
from marketplace.kernel.workflow import Mover, last_mover, move, mover, require_other_person

LATE_START_MAX = timedelta(seconds=60)
"""How far in the past a start may lie: a client that publishes in its last seconds is fine."""


async def publish(
    session: AsyncSession, actor: Actor, tender_id: UUID, books: Books, secret: str, now: datetime
) -> None:
    """Check everything, then make the tender visible, or hand it to an approver when its value is
    above the buyer's limit. All errors come at once.

    Raises NotFound, Forbidden, Conflict, Invalid.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    by = mover(actor, now, buyer=tender.buyer_id)
    TENDER.choose(tender, "publish", by)
    actor.require_capability("buys")
    lots = await queries.lots(session, tender.id)
    await _check(session, tender, lots, now)
    tender.needs_approval = await _above_limit(session, tender, lots)
    await _move(session, tender, "publish", by)
    if tender.state == TenderState.PUBLISHED:
        await _release(session, tender, lots, books, secret, now)


async def approve(
    session: AsyncSession, actor: Actor, tender_id: UUID, books: Books, secret: str, now: datetime
) -> None:
    """Release a tender that waits for it; neither by its author nor by who handed it in, nor by
    people they brought in.

    Raises NotFound, Forbidden, Conflict, Invalid (the start may have passed meanwhile).
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    by = await with_sponsors(session, mover(actor, now, buyer=tender.buyer_id), "approver")
    TENDER.choose(tender, "approve", by)
    handed_in_by = await last_mover(session, TENDER.name, tender.id, tender.state)
    if handed_in_by is not None:
        require_other_person(by, handed_in_by)
    lots = await queries.lots(session, tender.id)
    await _check(session, tender, lots, now)
    await _move(session, tender, "approve", by)
    tender.approved_by = actor.user_id
    await _release(session, tender, lots, books, secret, now)


async def send_back(
    session: AsyncSession, actor: Actor, tender_id: UUID, reason: str, now: datetime
) -> None:
    """The approver wants changes: a draft again. Raises NotFound, Forbidden, Conflict."""
    tender = await own_tender(session, actor, tender_id, lock=True)
    await _move(session, tender, "send_back", mover(actor, now, reason, buyer=tender.buyer_id))
    tender.updated_at = now


async def _move(session: AsyncSession, tender: Tender, event: str, by: Mover) -> None:
    await move(session, TENDER, tender, event, by, parties=[tender.buyer_id])


async def _check(session: AsyncSession, tender: Tender, lots: Sequence[Lot], now: datetime) -> None:
    """Raises Invalid with every wrong field of the tender and of all its lots."""
    invited = len(await queries.invitations(session, tender.id))
    errors: list[FieldError] = []
    if tender.access == Access.INVITED and not invited:
        message = "Invite at least one supplier, or make the tender open."
        errors.append(FieldError("invitations", "nobody_invited", message))
    due = tender.offers_due_at
    if due is not None and due <= now:
        message = "Sealed offers need a last minute in the future."
        errors.append(FieldError("offers.due_at", "in_the_past", message))
    bidders = invited if tender.access == Access.INVITED else None
    starts = []
    for index, lot in enumerate(lots):
        prefix = f"lots[{index}].rules"
        try:
            terms = lot_terms(tender, lot, lot.id, bidders)
        except Invalid as error:
            errors += [rules.below(prefix, field) for field in error.errors]
            continue
        starts.append(from_micros(terms.starts_at_us))
        if starts[-1] < now - LATE_START_MAX:
            message = "This start has passed already."
            errors.append(FieldError(f"{prefix}.starts_at", "in_the_past", message))
        elif due is not None and starts[-1] <= due:
            message = "The auction starts after the sealed offers were opened."
            errors.append(FieldError(f"{prefix}.starts_at", "before_opening", message))
    rules.raise_if(errors)
    tender.begins_at = min(starts) if due is None else None


async def _above_limit(session: AsyncSession, tender: Tender, lots: Sequence[Lot]) -> bool:
    """A value that cannot be compared with the limit counts as above it."""
    policy = await queries.policy(session, tender.buyer_id)
    if policy is None or policy.approval_limit_minor is None:
        return False
    ceilings = [lot.ceiling_minor for lot in lots if lot.ceiling_minor is not None]
    if policy.currency != tender.currency or len(ceilings) < len(lots):
        return True
    return sum(ceilings) > policy.approval_limit_minor


async def _release(
    session: AsyncSession,
    tender: Tender,
    lots: Sequence[Lot],
    books: Books,
    secret: str,
    now: datetime,
) -> None:
    """The invitations go out; with sealed offers a key is made, without them the auctions are."""
    tender.published_at = tender.updated_at = now
    sent = await session.execute(
        update(TenderInvitation)
        .where(TenderInvitation.tender_id == tender.id, TenderInvitation.sent_at.is_(None))
        .values(sent_at=now)
        .returning(TenderInvitation.organisation_id)
    )
    await notices.invited(session, tender, sent.scalars().all(), now)
    if tender.offers_due_at is not None:
        await _make_key(session, tender, secret, now)
        return
    for lot in lots:
        await create_auction(session, tender, lot, books, now)


async def _make_key(session: AsyncSession, tender: Tender, secret: str, now: datetime) -> None:
    public, shares = vault.new_key(secret, tender.id, two_person=tender.two_person)
    session.add(
        TenderKey(tender_id=tender.id, buyer_id=tender.buyer_id, public_key=public, created_at=now)
    )
    await session.flush()
    session.add_all(
        TenderKeyShare(tender_id=tender.id, number=number, buyer_id=tender.buyer_id, sealed=share)
        for number, share in enumerate(shares, 1)
    )
    await session.flush()


async def create_auction(
    session: AsyncSession,
    tender: Tender,
    lot: Lot,
    books: Books,
    now: datetime,
    starts_at: datetime | None = None,
) -> Auction:
    """The auction of one lot with its book. Raises Invalid (fields relative to the lot's rules)."""
    auction_id = new_id()
    terms: Terms = lot_terms(tender, lot, auction_id, None, starts_at)
    auction = Auction(
        id=auction_id,
        lot_id=lot.id,
        tender_id=tender.id,
        buyer_id=tender.buyer_id,
        state=AuctionState.SCHEDULED,
        starts_at=from_micros(terms.starts_at_us),
        created_at=now,
    )
    session.add(auction)
    await session.flush()
    await books.create(session, auction_id=auction_id, terms=terms)
    return auction
