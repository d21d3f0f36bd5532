"""OCDS: the own tender as a release package, and a draft from somebody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.rules.core import outcomes
from auctions.rules.core.outcomes import BidPlaced, BidWithdrawn
from auctions.tenders import queries
from auctions.tenders.models import Auction, Tender
from auctions.tenders.ocds import reading, shapes, writing
from auctions.tenders.rules import AuctionState, TenderState
from auctions.tenders.schemas.tender import NewTender
from auctions.tenders.service.drafts import create
from auctions.tenders.service.ending import ended_in_books, is_over
from auctions.tenders.service.views import own_tender
from marketplace.documents import queries as documents
from marketplace.kernel.actor import Actor
from marketplace.kernel.ids import TenderId
from marketplace.kernel.scope import as_house
from pricing.catalogue.codes import Named, unknown_codes


async def export(
    session: AsyncSession, actor: Actor, tender_id: UUID, origin: str, now: datetime
) -> shapes.Package:
    """For the tender's buyer. Bids of an auction are in it once the auction is over, sealed offers
    once they were opened. `origin` is where this marketplace is found. Raises NotFound.
    """
    tender = await own_tender(session, actor, tender_id)
    lots = await queries.lots(session, tender_id)
    auctions = await _as_ended(session, tender)
    bidders: dict[tuple[UUID, str], UUID] = {}
    for auction in auctions.values():
        for alias, organisation_id in (await queries.participants(session, auction.id)).items():
            bidders[auction.id, alias] = organisation_id
    participants = list(await queries.participations(session, tender_id))
    awards = await queries.awards_of_lots(session, [lot.id for lot in lots])
    known = {tender.buyer_id, *participants, *bidders.values()}
    dossier = writing.Dossier(
        origin=origin,
        tender=tender,
        lots=lots,
        items=await queries.items(session, tender_id),
        auctions=auctions,
        documents=await documents.documents(session, "tender", tender_id, documents.BY_NAME),
        addenda=await queries.addenda(session, tender_id),
        questions_count=len(await queries.questions(session, tender_id)),
        participants=participants,
        offers=await queries.offers(session, tender_id),
        awards=awards,
        history=await _history(session, auctions),
        bidders=bidders,
        names={key: row.name for key, row in (await queries.directory(session, known)).items()},
    )
    return writing.package(dossier, now)


async def _as_ended(session: AsyncSession, tender: Tender) -> dict[UUID, Auction]:
    """The auctions by lot, those whose books have ended shown so. What is shown is not written: the
    rows leave the session first.
    """
    ended = await ended_in_books(session, tender)
    over = await is_over(session, tender)
    auctions = await queries.auctions(session, tender.id)
    for auction in auctions.values():
        if auction.id in ended:
            session.expunge(auction)
            cancelled = ended[auction.id] == "cancelled"
            auction.state = AuctionState.CANCELLED if cancelled else AuctionState.CLOSED
    if over:
        session.expunge(tender)
        tender.state = TenderState.AWARDING
    return auctions


async def _history(
    session: AsyncSession, auctions: Mapping[UUID, Auction]
) -> Sequence[writing.Placed]:
    over = [row for row in auctions.values() if row.state == AuctionState.CLOSED]
    found: list[writing.Placed] = []
    # The log belongs to the house; the caller is its buyer, and the bidding is over.
    async with as_house(session):
        for auction in over:
            for seq, ts, outcome in await queries.bids_of(session, auction.id):
                events = outcomes.decode(outcome).events
                found += [
                    writing.Placed(auction.id, auction.lot_id, seq, number, ts, event)
                    for number, event in enumerate(events)
                    if isinstance(event, BidPlaced | BidWithdrawn)
                ]
    return found


async def import_draft(
    session: AsyncSession,
    actor: Actor,
    document: reading.Document,
    currency: str | None,
    ocid: str | None,
    now: datetime,
) -> TenderId:
    """The newest tender of one process in a release or a package as a draft. Raises Forbidden,
    Invalid.
    """
    draft = reading.draft(document, currency, ocid)
    return await create(session, actor, await _with_known_codes(session, draft), now)


async def _with_known_codes(session: AsyncSession, draft: NewTender) -> NewTender:
    """A code that our copy of its list does not have is left out; the item names it in words."""
    coded = [
        (item.classification, lot_number, number)
        for lot_number, lot in enumerate(draft.lots)
        for number, item in enumerate(lot.items)
        if item.classification is not None
    ]
    named = [Named(code.scheme, code.version, code.code) for code, _, _ in coded]
    lots = [list(lot.items) for lot in draft.lots]
    for place in await unknown_codes(session, named):
        code, lot_number, number = coded[place]
        lots[lot_number][number] = reading.without_code(lots[lot_number][number], code)
    replaced = [
        msgspec.structs.replace(lot, items=items)
        for lot, items in zip(draft.lots, lots, strict=True)
    ]
    return msgspec.structs.replace(draft, lots=replaced)
