"""Every SELECT of tenders. Row-level security narrows each to what the session's organisation may
see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import (
    Auction,
    AuctionParticipant,
    Lot,
    LotItem,
    Offer,
    Tender,
    TenderInvitation,
    TenderParticipation,
    TenderPolicy,
)
from auctions.tenders.rules import HIDDEN, Access, AuctionState, OfferState
from marketplace.accounts import queries as accounts
from marketplace.accounts.models import Organisation
from marketplace.accounts.queries import PublicOrganisation
from marketplace.kernel.actor import SHUT_OUT, Actor
from marketplace.kernel.pages import Page, Sorting

PAGE_MAX = 200


class AuctionAccess(msgspec.Struct, frozen=True):
    """What a caller is in an auction.

    role     `buyer`, `observer` (of the buyer's organisation, reads), `bidder` or `invited` (may
    still join)
    alias    the bidder's pseudonym, else None
    practice of the practice room: nothing counts, and there may be no tender behind it
    may_act  may give the buyer's commands or place the bidder's bids; reading needs only the
    access itself
    """

    auction_id: UUID
    tender_id: UUID | None
    lot_id: UUID | None
    buyer_id: UUID
    role: str
    alias: str | None
    may_act: bool
    practice: bool = False


BUYER_ROLES = ("procurement_officer",)
BIDDER_ROLES = ("partner_manager", "partner_employee")


async def tender(session: AsyncSession, tender_id: UUID, *, lock: bool = False) -> Tender | None:
    """`lock` takes the row for the rest of the transaction, so that two changes take turns."""
    statement = select(Tender).where(Tender.id == tender_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def lots(session: AsyncSession, tender_id: UUID) -> Sequence[Lot]:
    statement = select(Lot).where(Lot.tender_id == tender_id).order_by(Lot.position)
    return (await session.execute(statement)).scalars().all()


async def lot(session: AsyncSession, lot_id: UUID) -> Lot | None:
    return await session.get(Lot, lot_id)


async def items(session: AsyncSession, tender_id: UUID) -> dict[UUID, list[LotItem]]:
    """Items of all lots of a tender, in order, by lot."""
    statement = (
        select(LotItem)
        .where(LotItem.tender_id == tender_id)
        .order_by(LotItem.lot_id, LotItem.position)
    )
    found: dict[UUID, list[LotItem]] = {}
    for item in (await session.execute(statement)).scalars():
        found.setdefault(item.lot_id, []).append(item)
    return found


async def auctions(session: AsyncSession, tender_id: UUID) -> dict[UUID, Auction]:
    """The auctions of a tender by lot; where a lot's auction was repeated, the newest."""
    statement = select(Auction).where(Auction.tender_id == tender_id).order_by(Auction.id)
    return {auction.lot_id: auction for auction in (await session.execute(statement)).scalars()}


async def invitation(
    session: AsyncSession, tender_id: UUID, organisation_id: UUID
) -> TenderInvitation | None:
    return await session.get(TenderInvitation, (tender_id, organisation_id))


async def invitations(session: AsyncSession, tender_id: UUID) -> Sequence[TenderInvitation]:
    statement = (
        select(TenderInvitation)
        .where(TenderInvitation.tender_id == tender_id)
        .order_by(TenderInvitation.created_at, TenderInvitation.organisation_id)
    )
    return (await session.execute(statement)).scalars().all()


async def participation(
    session: AsyncSession, tender_id: UUID, organisation_id: UUID
) -> TenderParticipation | None:
    return await session.get(TenderParticipation, (tender_id, organisation_id))


async def participations(session: AsyncSession, tender_id: UUID) -> dict[UUID, TenderParticipation]:
    """By organisation; for a supplier only its own."""
    statement = select(TenderParticipation).where(TenderParticipation.tender_id == tender_id)
    return {row.organisation_id: row for row in (await session.execute(statement)).scalars()}


async def aliases_of(
    session: AsyncSession, tender_id: UUID, organisation_id: UUID
) -> dict[UUID, str]:
    """One organisation's pseudonyms in a tender, by auction."""
    statement = select(AuctionParticipant.auction_id, AuctionParticipant.alias).where(
        AuctionParticipant.tender_id == tender_id,
        AuctionParticipant.organisation_id == organisation_id,
    )
    return {auction_id: alias for auction_id, alias in (await session.execute(statement))}


async def participants(session: AsyncSession, auction_id: UUID) -> dict[str, UUID]:
    """Organisation by alias: all for the buyer and the system, only the own one for a bidder."""
    statement = select(AuctionParticipant.alias, AuctionParticipant.organisation_id).where(
        AuctionParticipant.auction_id == auction_id
    )
    return {alias: organisation_id for alias, organisation_id in (await session.execute(statement))}


async def excluded_auctions(
    session: AsyncSession, tender_id: UUID, organisation_id: UUID
) -> list[UUID]:
    """Auctions from which the marketplace took this organisation."""
    statement = select(AuctionParticipant.auction_id).where(
        AuctionParticipant.tender_id == tender_id,
        AuctionParticipant.organisation_id == organisation_id,
        AuctionParticipant.excluded_at.is_not(None),
    )
    return list((await session.scalars(statement)).all())


async def auction_for(
    session: AsyncSession, actor: Actor, auction_id: UUID
) -> AuctionAccess | None:
    """What `actor` is in this auction, or None when it must look as if there were none."""
    auction = await session.get(Auction, auction_id)
    if auction is None:
        return None
    if auction.buyer_id == actor.organisation_id:
        may_act = actor.has_role(*BUYER_ROLES)
        return _access(auction, "buyer" if may_act else "observer", None, may_act)
    statement = select(AuctionParticipant.alias).where(
        AuctionParticipant.auction_id == auction_id,
        AuctionParticipant.organisation_id == actor.organisation_id,
    )
    alias = (await session.execute(statement)).scalar_one_or_none()
    if alias is not None:
        may_act = actor.has_role(*BIDDER_ROLES) and actor.state == "active"
        return _access(auction, "bidder", alias, may_act)
    if "supplies" not in actor.capabilities:
        return None
    return _access(auction, "invited", None, may_act=False)


def _access(auction: Auction, role: str, alias: str | None, may_act: bool) -> AuctionAccess:
    return AuctionAccess(
        auction.id, auction.tender_id, auction.lot_id, auction.buyer_id, role, alias, may_act
    )


async def waiting_admits(
    session: AsyncSession,
    before: datetime,
    limit: int,
    *,
    tender_id: UUID | None = None,
    organisation_id: UUID | None = None,
) -> Sequence[Any]:
    """Participants whose Admit command was not seen in the log yet, made at or before `before`, of
    all tenders or of one supplier in one (system scope): rows of (participant, bonus_percent,
    bonus_minor, opened offer).
    """
    narrowed = []
    if tender_id is not None:
        narrowed.append(AuctionParticipant.tender_id == tender_id)
    if organisation_id is not None:
        narrowed.append(AuctionParticipant.organisation_id == organisation_id)
    statement = (
        select(
            AuctionParticipant,
            TenderInvitation.bonus_percent,
            TenderInvitation.bonus_minor,
            Offer.content,
        )
        .join(Auction, Auction.id == AuctionParticipant.auction_id)
        .outerjoin(
            TenderInvitation,
            and_(
                TenderInvitation.tender_id == AuctionParticipant.tender_id,
                TenderInvitation.organisation_id == AuctionParticipant.organisation_id,
            ),
        )
        .outerjoin(
            Offer,
            and_(
                Offer.lot_id == Auction.lot_id,
                Offer.organisation_id == AuctionParticipant.organisation_id,
                Offer.state == OfferState.ACCEPTED,
            ),
        )
        .where(
            AuctionParticipant.admitted_at.is_(None),
            AuctionParticipant.created_at <= before,
            Auction.state == AuctionState.SCHEDULED,
            *narrowed,
        )
        .order_by(AuctionParticipant.created_at)
        .limit(limit)
    )
    return (await session.execute(statement)).all()


async def waiting_excludes(session: AsyncSession, limit: int) -> Sequence[AuctionParticipant]:
    """Admitted bidders of auctions not yet over whose organisation was suspended meanwhile and
    whose Exclude is not in the log (system scope).
    """
    statement = (
        select(AuctionParticipant)
        .join(Auction, Auction.id == AuctionParticipant.auction_id)
        .join(Organisation, Organisation.id == AuctionParticipant.organisation_id)
        .where(
            Organisation.state.in_(SHUT_OUT),
            Auction.state == AuctionState.SCHEDULED,
            AuctionParticipant.admitted_at.is_not(None),
            AuctionParticipant.excluded_at.is_(None),
        )
        .order_by(AuctionParticipant.auction_id, AuctionParticipant.alias)
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


async def waiting_cancels(
    session: AsyncSession, limit: int, tender_id: UUID | None = None
) -> Sequence[Auction]:
    """Auctions whose cancelling has not reached their log yet, of all tenders or one (system
    scope).
    """
    statement = (
        select(Auction)
        .where(Auction.state == AuctionState.SCHEDULED, Auction.cancel_reason.is_not(None))
        .limit(limit)
    )
    if tender_id is not None:
        statement = statement.where(Auction.tender_id == tender_id)
    return (await session.execute(statement)).scalars().all()


TENDERS = Sorting(Tender.id, created_at=Tender.id, title=Tender.title, state=Tender.state)


async def tender_page(
    session: AsyncSession,
    actor: Actor,
    *,
    page: Page,
    states: Iterable[str] = (),
    role: str | None = None,
) -> Sequence[Tender]:
    """Own tenders as buyer, visible ones as supplier, newest first; one more than `limit` when
    there are
    more. `role` is `buyer`, `supplier` or None for both."""
    mine = Tender.buyer_id == actor.organisation_id
    others: ColumnElement[bool] = false()
    if "supplies" in actor.capabilities:
        others = and_(Tender.buyer_id != actor.organisation_id, _visible_to_supplier(actor))
    wanted = {"buyer": mine, "supplier": others}.get(role or "", or_(mine, others))
    statement = page.of(select(Tender).where(wanted))
    if states := list(states):
        statement = statement.where(Tender.state.in_(states))
    return (await session.execute(statement)).scalars().all()


def _visible_to_supplier(actor: Actor) -> Any:
    invited: Select[Any] = select(TenderInvitation.tender_id).where(
        TenderInvitation.organisation_id == actor.organisation_id,
        TenderInvitation.sent_at.is_not(None),
    )
    shown = Tender.state.not_in([state.value for state in HIDDEN])
    return and_(shown, or_(Tender.access == Access.OPEN, Tender.id.in_(invited)))


async def lot_counts(
    session: AsyncSession, tender_ids: list[UUID]
) -> dict[UUID, tuple[int, datetime | None]]:
    """How many lots each tender has and when its first auction starts."""
    statement = (
        select(Lot.tender_id, func.count(Lot.id), func.min(Auction.starts_at))
        .outerjoin(Auction, Auction.lot_id == Lot.id)
        .where(Lot.tender_id.in_(tender_ids))
        .group_by(Lot.tender_id)
    )
    return {row[0]: (row[1], row[2]) for row in (await session.execute(statement))}


async def accepted_at(
    session: AsyncSession, tender_ids: list[UUID], organisation_id: UUID
) -> dict[UUID, datetime]:
    """When an organisation accepted the terms, by tender."""
    statement = select(TenderParticipation.tender_id, TenderParticipation.accepted_at).where(
        TenderParticipation.tender_id.in_(tender_ids),
        TenderParticipation.organisation_id == organisation_id,
    )
    return {tender_id: when for tender_id, when in (await session.execute(statement))}


async def declined_at(
    session: AsyncSession, tender_ids: list[UUID], organisation_id: UUID
) -> dict[UUID, datetime]:
    """When an organisation declined its invitation, by tender."""
    statement = select(TenderInvitation.tender_id, TenderInvitation.declined_at).where(
        TenderInvitation.tender_id.in_(tender_ids),
        TenderInvitation.organisation_id == organisation_id,
        TenderInvitation.declined_at.is_not(None),
    )
    return {tender_id: when for tender_id, when in (await session.execute(statement)) if when}


async def directory(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, PublicOrganisation]:
    """Organisations by id, whoever asks; unknown ids are left out."""
    return await accounts.public_organisations(session, ids)


async def policy(session: AsyncSession, buyer_id: UUID) -> TenderPolicy | None:
    return await session.get(TenderPolicy, buyer_id)


async def waiting_moves(
    session: AsyncSession, limit: int, tender_id: UUID | None = None
) -> Sequence[Auction]:
    """Auctions whose log does not know yet that they begin later (system scope)."""
    statement = (
        select(Auction)
        .where(
            Auction.start_moves > Auction.start_moves_sent,
            Auction.state == AuctionState.SCHEDULED,
        )
        .order_by(Auction.id)
        .limit(limit)
    )
    if tender_id is not None:
        statement = statement.where(Auction.tender_id == tender_id)
    return (await session.scalars(statement)).all()


async def ended_auctions(
    session: AsyncSession, limit: int, tender_id: UUID | None = None
) -> Sequence[Any]:
    """Auctions whose book has ended and whose tender does not know it yet, of all tenders or one
    (system scope): rows of (auction id, status of the book, tender id).
    """
    statement = text(
        "SELECT a.id, h.status, a.tender_id FROM auctions a"
        " JOIN auction_head h ON h.auction_id = a.id"
        " WHERE a.state = 'scheduled' AND h.status IN ('closed', 'cancelled')"
        " AND (CAST(:tender_id AS uuid) IS NULL OR a.tender_id = :tender_id)"
        " ORDER BY a.id LIMIT :limit"
    )
    return (await session.execute(statement, {"limit": limit, "tender_id": tender_id})).all()


async def active_suppliers(session: AsyncSession, ids: Iterable[UUID]) -> set[UUID]:
    """Those of `ids` that may be invited: organisations that supply and are approved."""
    known = await directory(session, ids)
    return {
        row.id for row in known.values() if row.state == "active" and "supplies" in row.capabilities
    }
