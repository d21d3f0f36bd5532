"""What must reach an auction's log after its cause was committed: admissions and cancellations.

The cause is a row; the command follows at once in the same request, or later from here when a
process died
between the two. A command sent twice is one command: its `cid` is made from the cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from auctions.book.books import Books
from auctions.rules.commands import Admit, Cancel
from auctions.tenders import queries
from auctions.tenders.models import Auction, AuctionParticipant
from auctions.tenders.rules import AuctionState
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
    database: Database, books: Books, clock: Clock, tender_id: UUID, organisation_id: UUID
) -> None:
    """Let one organisation into the auctions of a tender it joined. Raises Unavailable; repeat or
    leave it
    to `readmit`."""
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


async def send_cancels(
    database: Database, books: Books, clock: Clock, tender_id: UUID | None = None
) -> int:
    """Tell the auctions of one cancelled tender, or of all; how many. Raises Unavailable when the
    book is
    away."""
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
