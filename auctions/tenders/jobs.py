"""What must reach an auction's log after its cause was committed, and what comes back from it.

The cause is a row; the command follows at once in the same request, or later from here when a
process died
between the two. A command sent twice is one command: its `cid` is made from the cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import update

from auctions.book.books import Books
from auctions.rules.commands import Admit, Bid, Cancel
from auctions.rules.outcomes import Code, Outcome
from auctions.tenders import queries, service
from auctions.tenders.models import Auction, AuctionParticipant, Offer
from auctions.tenders.rules import AuctionState
from auctions.tenders.schemas.offers import NewOffer
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database

BATCH_MAX = 500
READMIT_AFTER = timedelta(seconds=2)
"""A request in flight sends its own command; only what is older was left behind."""


async def readmit(database: Database, books: Books, clock: Clock) -> int:
    """Send the admissions that a crash left behind; how many. Raises Unavailable when the book is
    away.
    """
    before = clock.now() - READMIT_AFTER
    async with database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_admits(session, before, BATCH_MAX)
    return await _admit(database, books, clock.now(), waiting)


async def admit(
    database: Database,
    books: Books,
    clock: Clock,
    tender_id: UUID,
    organisation_id: UUID | None = None,
) -> None:
    """Let one organisation, or all that wait, into the auctions of a tender. Raises Unavailable;
    repeat or leave it to `readmit`.
    """
    async with database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_admits(
            session, clock.now(), BATCH_MAX, tender_id=tender_id, organisation_id=organisation_id
        )
    await _admit(database, books, clock.now(), waiting)


async def _admit(database: Database, books: Books, now: datetime, waiting: Sequence[Any]) -> int:
    for participant, percent, minor in waiting:
        command = Admit(
            cid=f"admit:{participant.alias}",
            bidder=participant.alias,
            bonus_percent=percent or "0",
            bonus_minor=minor or 0,
        )
        await books.submit(participant.auction_id, command)
        async with database.transaction(SYSTEM) as session:
            await session.execute(
                update(AuctionParticipant)
                .where(
                    AuctionParticipant.auction_id == participant.auction_id,
                    AuctionParticipant.alias == participant.alias,
                )
                .values(admitted_at=now)
            )
    return len(waiting)


async def end_auctions(database: Database, books: Books, clock: Clock, tender_id: UUID) -> None:
    """Tell the auctions of one tender that it was called off. Raises Unavailable; repeat or leave
    it to `send_cancels`.
    """
    await _cancel(database, books, clock, tender_id)


async def send_cancels(database: Database, books: Books, clock: Clock) -> int:
    """Send the cancellations that a crash left behind; how many. Raises Unavailable."""
    return await _cancel(database, books, clock, None)


async def _cancel(database: Database, books: Books, clock: Clock, tender_id: UUID | None) -> int:
    async with database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_cancels(session, BATCH_MAX, tender_id)
    for auction in waiting:
        assert auction.cancel_reason is not None, "the query asks for it"
        command = Cancel(cid=f"cancel:{auction.tender_id}", reason=auction.cancel_reason)
        durable = await books.submit(auction.id, command)
        # Refused means that it had ended by itself before the cancelling arrived.
        state = AuctionState.CANCELLED if durable.outcome.accepted else AuctionState.CLOSED
        async with database.transaction(SYSTEM) as session:
            await session.execute(
                update(Auction)
                .where(Auction.id == auction.id, Auction.state == AuctionState.SCHEDULED)
                .values(state=state, ended_at=clock.now())
            )
    return len(waiting)


async def note_ended_auctions(database: Database, clock: Clock) -> int:
    """Tell the tenders whose auctions are over; how many auctions."""
    async with database.transaction(SYSTEM) as session:
        ended = await queries.ended_auctions(session, BATCH_MAX)
        await service.auctions_ended(session, ended, clock.now())
    return len(ended)


async def enter_offers(database: Database, books: Books, clock: Clock) -> int:
    """Qualified sealed offers become the first bids of auctions that have opened, in the order they
    were handed in; how many. Raises Unavailable when the book is away.
    """
    async with database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_entries(session, clock.now(), BATCH_MAX)
    for offer, auction_id, alias in waiting:
        outcome = await _enter(books, offer, auction_id, alias, clock.now_us())
        if outcome.code in (Code.PAUSED, Code.NOT_OPEN, Code.NOT_ADMITTED):
            continue
        async with database.transaction(SYSTEM) as session:
            await session.execute(
                update(Offer).where(Offer.id == offer.id).values(entered_at=clock.now())
            )
    return len(waiting)


async def _enter(books: Books, offer: Offer, auction_id: UUID, alias: str, now_us: int) -> Outcome:
    content = msgspec.convert(offer.content, NewOffer)
    # A cid of its own each time: a pause must not make the refusal of one try the answer to the
    # next. A second entry after a crash is refused by the step, it cannot count twice.
    bid = Bid(
        cid=f"offer:{now_us}",
        bidder=alias,
        price=content.price.amount,
        attributes=content.attributes,
        surrogate="sealed offer",
    )
    outcome = (await books.submit(auction_id, bid)).outcome
    if outcome.code != Code.CONFIRM_REQUIRED:
        return outcome
    confirmed = msgspec.structs.replace(bid, cid=f"offer:{now_us}:confirmed", confirm=outcome.token)
    return (await books.submit(auction_id, confirmed)).outcome
