"""Events and mails to the suppliers of a tender and to the buyer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries
from auctions.tenders.models import Auction, Award, Lot, Tender
from marketplace.exchange.announcing import announce


async def invited(
    session: AsyncSession, tender: Tender, organisations: Iterable[UUID], now: datetime
) -> None:
    """`invitation.received` to each; again to the same one nothing."""
    data = {"tender_id": str(tender.id), "title": tender.title}
    for organisation_id in organisations:
        once = f"invitation {tender.id}"
        await announce(session, organisation_id, "invitation.received", data, once, now)


async def invitation_declined(
    session: AsyncSession, tender: Tender, organisation_id: UUID, reason: str, now: datetime
) -> None:
    """`invitation.declined` to the buyer; once, also when the supplier words its reason anew."""
    names = await queries.directory(session, [organisation_id])
    data = {
        "tender_id": str(tender.id),
        "title": tender.title,
        "organisation_id": str(organisation_id),
        "supplier": names[organisation_id].name,
        "reason": reason,
    }
    once = f"declined {tender.id} {organisation_id}"
    await announce(session, tender.buyer_id, "invitation.declined", data, once, now)


async def award_won(session: AsyncSession, award: Award, lot: Lot, now: datetime) -> None:
    """`award.won` to the supplier that accepted it."""
    data = {
        "award_id": str(award.id),
        "tender_id": str(award.tender_id),
        "lot_id": str(lot.id),
        "title": lot.title,
    }
    await announce(session, award.organisation_id, "award.won", data, f"award {award.id}", now)


async def addendum_published(
    session: AsyncSession, tender: Tender, number: int, now: datetime
) -> None:
    """`addendum.published` to everybody who was invited or takes part."""
    data = {"tender_id": str(tender.id), "title": tender.title, "number": number}
    for organisation_id in sorted(await suppliers_of(session, tender.id)):
        once = f"addendum {tender.id} {number}"
        await announce(session, organisation_id, "addendum.published", data, once, now)


async def question_answered(
    session: AsyncSession, tender: Tender, question_id: UUID, asked_by: UUID, now: datetime
) -> None:
    """`question.answered` to everybody who was invited or takes part, and to who asked."""
    data = {
        "tender_id": str(tender.id),
        "question_id": str(question_id),
        "title": tender.title,
    }
    for organisation_id in sorted({*await suppliers_of(session, tender.id), asked_by}):
        once = f"answer {question_id}"
        await announce(session, organisation_id, "question.answered", data, once, now)


async def suppliers_of(session: AsyncSession, tender_id: UUID) -> set[UUID]:
    """Who was invited and did not decline, or takes part (scope of the buyer or the system)."""
    asked = await queries.invitations(session, tender_id)
    invited = {row.organisation_id for row in asked if row.sent_at and not row.declined_at}
    return invited | set(await queries.participations(session, tender_id))


async def auction_starts(session: AsyncSession, auction: Auction, lot: Lot, now: datetime) -> None:
    """`auction.starts` to the buyer and to everybody who takes part (system scope)."""
    start = auction.starts_at.astimezone(UTC)
    data = {
        "auction_id": str(auction.id),
        "tender_id": str(auction.tender_id),
        "lot_id": str(lot.id),
        "title": lot.title,
        "starts_at": f"{start:%Y-%m-%d %H:%M} UTC",
    }
    bidders = await queries.participants(session, auction.id)
    for organisation_id in sorted({auction.buyer_id, *bidders.values()}):
        once = f"auction {auction.id} starts {start.isoformat()}"
        await announce(session, organisation_id, "auction.starts", data, once, now)


async def outbid(
    session: AsyncSession,
    auction: Auction,
    lot: Lot,
    organisation_id: UUID,
    seq: int,
    now: datetime,
) -> None:
    """`auction.outbid` to who led until the bid `seq` (system scope)."""
    data = {
        "auction_id": str(auction.id),
        "tender_id": str(auction.tender_id),
        "lot_id": str(lot.id),
        "title": lot.title,
        "seq": seq,
    }
    once = f"auction {auction.id} outbid {seq}"
    await announce(session, organisation_id, "auction.outbid", data, once, now)
