"""From draft to published, with an auction for every lot; and calling a tender off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.rules.terms import Terms, read_terms
from auctions.tenders import queries, rules
from auctions.tenders.models import Auction, Lot, Tender, TenderInvitation
from auctions.tenders.rules import FINAL, HIDDEN, Access, AuctionState, TenderState
from auctions.tenders.service.drafts import require_author
from auctions.tenders.service.views import own_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import from_micros
from marketplace.kernel.errors import FieldError, Invalid
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import exponent_of, format_minor

LATE_START_MAX = timedelta(seconds=60)
"""How far in the past a start may lie at publication: a client that publishes in its last seconds
is fine.
"""


async def publish(
    session: AsyncSession, actor: Actor, tender_id: UUID, books: Books, now: datetime
) -> None:
    """Check every lot's rules, send the invitations, make the auctions. All errors come at once.

    Raises NotFound, Forbidden, Conflict, Invalid.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    require_author(actor)
    rules.require_state(tender.state, TenderState.DRAFT, doing="published")
    await release(session, tender, books, now)


async def release(session: AsyncSession, tender: Tender, books: Books, now: datetime) -> None:
    """The tender becomes visible and its auctions get their places in the book."""
    lots = await queries.lots(session, tender.id)
    invited = len(await queries.invitations(session, tender.id))
    auction_ids = [new_id() for _ in lots]
    terms = _read_all(tender, lots, auction_ids, invited, now)
    tender.state = TenderState.PUBLISHED
    tender.published_at = tender.updated_at = now
    await session.execute(
        update(TenderInvitation)
        .where(TenderInvitation.tender_id == tender.id, TenderInvitation.sent_at.is_(None))
        .values(sent_at=now)
    )
    for lot, auction_id, lot_terms in zip(lots, auction_ids, terms, strict=True):
        session.add(_auction(tender, lot, auction_id, lot_terms, now))
    await session.flush()
    for auction_id, lot_terms in zip(auction_ids, terms, strict=True):
        await books.create(session, auction_id=auction_id, terms=lot_terms)


def _auction(tender: Tender, lot: Lot, auction_id: UUID, terms: Terms, now: datetime) -> Auction:
    return Auction(
        id=auction_id,
        lot_id=lot.id,
        tender_id=tender.id,
        buyer_id=tender.buyer_id,
        state=AuctionState.SCHEDULED,
        starts_at=from_micros(terms.starts_at_us),
        created_at=now,
    )


def _read_all(
    tender: Tender, lots: Sequence[Lot], auction_ids: Sequence[UUID], invited: int, now: datetime
) -> list[Terms]:
    """The terms of every lot. Raises Invalid with the wrong fields of all lots."""
    errors: list[FieldError] = []
    if tender.access == Access.INVITED and not invited:
        message = "Invite at least one supplier, or make the tender open."
        errors.append(FieldError("invitations", "nobody_invited", message))
    terms = []
    bidders = invited if tender.access == Access.INVITED else None
    for index, (lot, auction_id) in enumerate(zip(lots, auction_ids, strict=True)):
        prefix = f"lots[{index}].rules"
        try:
            terms.append(_read(tender, lot, auction_id, bidders))
        except Invalid as error:
            errors += [rules.below(prefix, field) for field in error.errors]
            continue
        if from_micros(terms[-1].starts_at_us) < now - LATE_START_MAX:
            message = "This start has passed already."
            errors.append(FieldError(f"{prefix}.starts_at", "in_the_past", message))
    rules.raise_if(errors)
    return terms


def _read(tender: Tender, lot: Lot, auction_id: UUID, bidders: int | None) -> Terms:
    ceiling = lot.ceiling_minor
    return read_terms(
        lot.rules,
        auction=str(auction_id),
        currency=tender.currency,
        ceiling=None if ceiling is None else format_minor(ceiling, exponent_of(tender.currency)),
        bidders=bidders,
    )


async def cancel(
    session: AsyncSession, actor: Actor, tender_id: UUID, reason: str, now: datetime
) -> list[UUID]:
    """Call the tender off; the auctions returned still need the command in their logs
    (`jobs.send_cancels`). Repeating it changes nothing. Raises NotFound, Forbidden, Conflict."""
    tender = await own_tender(session, actor, tender_id, lock=True)
    actor.require_role("procurement_officer")
    if tender.state == TenderState.CANCELLED:
        return []
    open_states = [state for state in TenderState if state not in FINAL]
    rules.require_state(tender.state, *open_states, doing="cancelled")
    was_hidden = tender.state in HIDDEN
    tender.state = TenderState.CANCELLED
    tender.reason = reason
    tender.updated_at = now
    if was_hidden:
        return []
    waiting = await session.execute(
        update(Auction)
        .where(Auction.tender_id == tender.id, Auction.state == AuctionState.SCHEDULED)
        .values(cancel_reason=reason)
        .returning(Auction.id)
    )
    return list(waiting.scalars())
