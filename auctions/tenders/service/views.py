"""What a caller sees of tenders; another organisation's reads as missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries
from auctions.tenders.life import TENDER
from auctions.tenders.models import Auction, Lot, LotItem, Tender, TenderInvitation
from auctions.tenders.rules import HIDDEN, Access
from auctions.tenders.schemas.tender import (
    Adjustment,
    Classification,
    Delivery,
    History,
    InvitationView,
    ItemView,
    LotView,
    OffersStage,
    Party,
    StepView,
    TenderLine,
    TenderPage,
    TenderView,
)
from marketplace.accounts.schemas import AssigneePage
from marketplace.accounts.service import assignments
from marketplace.accounts.service.separation import barred_authors
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import Amount, Money
from marketplace.kernel.pages import Page
from marketplace.kernel.workflow import history, last_mover

PAGE_DEFAULT = 50


async def visible_tender(
    session: AsyncSession, actor: Actor, tender_id: UUID, *, lock: bool = False
) -> Tender:
    """The tender, if the caller's organisation is its buyer or may take part. Raises NotFound."""
    tender = await queries.tender(session, tender_id, lock=lock)
    if tender is None:
        raise NotFound("tender")
    if tender.buyer_id == actor.organisation_id:
        return tender
    if tender.state in HIDDEN or "supplies" not in actor.capabilities:
        raise NotFound("tender")
    # The policy of the table says the same; asking again here keeps a mistake there from showing.
    if tender.access != Access.OPEN:
        invitation = await queries.invitation(session, tender_id, actor.organisation_id)
        if invitation is None or invitation.sent_at is None:
            raise NotFound("tender")
    return tender


async def own_tender(
    session: AsyncSession, actor: Actor, tender_id: UUID, *, lock: bool = False
) -> Tender:
    """The tender, if the caller's organisation is its buyer. Raises NotFound; a supplier that may
    see the
    tender but not do this gets the same answer."""
    tender = await queries.tender(session, tender_id, lock=lock)
    if tender is None or tender.buyer_id != actor.organisation_id:
        raise NotFound("tender")
    return tender


async def show(session: AsyncSession, actor: Actor, tender_id: UUID) -> TenderView:
    """Everything the caller may see of one tender. Raises NotFound."""
    tender = await visible_tender(session, actor, tender_id)
    mine = tender.buyer_id == actor.organisation_id
    accepted = await queries.participation(session, tender_id, actor.organisation_id)
    asked = None if mine else await queries.invitation(session, tender_id, actor.organisation_id)
    buyer = await parties(session, [tender.buyer_id])
    return TenderView(
        id=tender.id,
        state=tender.state,
        title=tender.title,
        description=tender.description,
        currency=tender.currency,
        access=tender.access,
        buyer=buyer[tender.buyer_id],
        delivery=msgspec.convert(tender.terms.get("delivery", {}), Delivery),
        reason=tender.reason,
        created_at=tender.created_at,
        published_at=tender.published_at,
        lots=await _lots(session, actor, tender),
        invitations=await invitation_views(session, tender) if mine else None,
        accepted_at=accepted.accepted_at if accepted else None,
        invited_at=asked.sent_at if asked else None,
        declined_at=asked.declined_at if asked else None,
        decline_reason=asked.decline_reason if asked else None,
        offers=OffersStage(tender.offers_due_at, tender.two_person)
        if tender.offers_due_at
        else None,
        opened_at=tender.opened_at,
        addenda_count=tender.addenda_count,
        events=await _events(session, actor, tender),
    )


async def _events(session: AsyncSession, actor: Actor, tender: Tender) -> list[str]:
    """Nobody releases the own tender, or that of a sponsor."""
    found = TENDER.events(tender.state, _capacities(actor, tender))
    if TENDER.not_by_author.isdisjoint(found):
        return found
    barred = await barred_authors(session, actor, "approver")
    authors = {tender.author_id, await last_mover(session, TENDER.name, tender.id, tender.state)}
    bars = () if barred.isdisjoint(authors) else TENDER.not_by_author
    return [event for event in found if event not in bars]


def _capacities(actor: Actor, tender: Tender) -> frozenset[str]:
    if tender.buyer_id != actor.organisation_id:
        return frozenset()
    return frozenset(f"buyer.{role}" for role in actor.roles)


async def list_assignees(session: AsyncSession, actor: Actor, tender_id: UUID) -> AssigneePage:
    """Raises NotFound."""
    await visible_tender(session, actor, tender_id)
    return await assignments.list_assignees(session, actor, tender_id)


async def set_assignees(
    session: AsyncSession, actor: Actor, tender_id: UUID, users: Sequence[UUID], now: datetime
) -> AssigneePage:
    """Who of the caller's organisation works on the tender. Raises NotFound, Forbidden, Invalid."""
    await visible_tender(session, actor, tender_id)
    return await assignments.set_assignees(session, actor, "tender", tender_id, users, now)


async def history_of(session: AsyncSession, actor: Actor, tender_id: UUID) -> History:
    """Every step of the own tender, oldest first. Raises NotFound."""
    await own_tender(session, actor, tender_id)
    steps = await history(session, TENDER.name, tender_id)
    return History(
        [StepView(s.event, s.source, s.target, s.at, s.user_id, s.reason) for s in steps]
    )


async def _lots(session: AsyncSession, actor: Actor, tender: Tender) -> list[LotView]:
    items = await queries.items(session, tender.id)
    auctions = await queries.auctions(session, tender.id)
    aliases = await queries.aliases_of(session, tender.id, actor.organisation_id)
    return [
        _lot(lot, tender.currency, items.get(lot.id, []), auctions.get(lot.id), aliases)
        for lot in await queries.lots(session, tender.id)
    ]


def _lot(
    lot: Lot, currency: str, items: list[LotItem], auction: Auction | None, aliases: dict[UUID, str]
) -> LotView:
    return LotView(
        id=lot.id,
        title=lot.title,
        description=lot.description,
        items=[_item(item) for item in items],
        ceiling=money(lot.ceiling_minor, currency),
        rules=lot.rules,
        auction_id=auction.id if auction else None,
        starts_at=auction.starts_at if auction else None,
        alias=aliases.get(auction.id) if auction else None,
    )


def _item(item: LotItem) -> ItemView:
    return ItemView(
        name=item.name,
        description=item.description,
        quantity=decimal_text(item.quantity),
        unit=item.unit,
        item_id=item.item_id,
        classification=msgspec.convert(item.classification, Classification | None),
    )


def decimal_text(value: Decimal) -> str:
    """Without an exponent and without zeros behind the point: `400`, `0.5`."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(minor: int | None, currency: str) -> Amount | None:
    return None if minor is None else Money(minor, currency).wire()


async def invitation_views(session: AsyncSession, tender: Tender) -> list[InvitationView]:
    """All invitations of a tender, for its buyer."""
    found = await queries.invitations(session, tender.id)
    joined = await queries.participations(session, tender.id)
    # In an open tender suppliers take part without an invitation.
    names = await parties(session, [row.organisation_id for row in found])
    return [
        InvitationView(
            organisation=names[row.organisation_id],
            invited_at=row.created_at,
            accepted_at=joined[row.organisation_id].accepted_at
            if row.organisation_id in joined
            else None,
            declined_at=row.declined_at,
            decline_reason=row.decline_reason,
            adjustment=_adjustment(row, tender.currency),
        )
        for row in found
    ]


def _adjustment(row: TenderInvitation, currency: str) -> Adjustment | None:
    if row.bonus_percent == "0" and row.bonus_minor == 0:
        return None
    return Adjustment(row.bonus_percent, money(row.bonus_minor, currency))


async def parties(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Party]:
    """Id and name of organisations that stand in a row the caller may see."""
    known = await queries.directory(session, ids)
    return {key: Party(key, row.name) for key, row in known.items()}


async def listing(
    session: AsyncSession,
    actor: Actor,
    *,
    page: Page,
    states: Iterable[str] = (),
    role: str | None = None,
) -> TenderPage:
    """One page of tenders, newest first."""
    rows = await queries.tender_page(session, actor, page=page, states=states, role=role)
    shown, next_cursor = page.cut(rows)
    ids = [row.id for row in shown]
    counts = await queries.lot_counts(session, ids)
    accepted = await queries.accepted_at(session, ids, actor.organisation_id)
    declined = await queries.declined_at(session, ids, actor.organisation_id)
    buyers = await parties(session, {row.buyer_id for row in shown})
    lines = [
        TenderLine(
            id=row.id,
            state=row.state,
            title=row.title,
            currency=row.currency,
            access=row.access,
            buyer=buyers[row.buyer_id],
            mine=row.buyer_id == actor.organisation_id,
            lots_count=counts[row.id][0] if row.id in counts else 0,
            created_at=row.created_at,
            published_at=row.published_at,
            starts_at=counts[row.id][1] if row.id in counts else None,
            accepted_at=accepted.get(row.id),
            declined_at=declined.get(row.id),
        )
        for row in shown
    ]
    return TenderPage(lines, next_cursor)
