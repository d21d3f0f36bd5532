"""Commands that must reach an auction's log after their cause was committed.

The cause is a row; the command follows at once in the same request, or later from here when a
process died between the two. A command sent twice is one command: its `cid` is made from the cause.
An auction whose book does not answer is left for the next beat and holds up no other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.rules.core.commands import TEXT_CHARS_MAX, Admit, Cancel, Exclude, Reschedule
from auctions.tenders import queries
from auctions.tenders.models import Auction, AuctionParticipant
from auctions.tenders.rules import AuctionState
from auctions.tenders.schemas.offers import NewOffer
from marketplace.kernel.clock import Clock, to_micros
from marketplace.kernel.db import SYSTEM, Database, after_commit
from marketplace.kernel.errors import Problem

BATCH_MAX = 500
READMIT_AFTER = timedelta(seconds=2)
"""A request in flight sends its own command; only what is older was left behind."""

Row = TypeVar("Row")
_log = structlog.get_logger(__name__)


class Desk(msgspec.Struct, frozen=True):
    """What sends commands to the books of auctions."""

    database: Database
    books: Books
    clock: Clock

    def admit_later(
        self, session: AsyncSession, tender_id: UUID, organisation_id: UUID | None = None
    ) -> None:
        """Once the caller's transaction is durable; `readmit` where that is lost."""
        after_commit(session, partial(admit, self, tender_id, organisation_id))

    def move_starts_later(self, session: AsyncSession, tender_id: UUID) -> None:
        """Once the caller's transaction is durable; `move_starts` where that is lost."""
        after_commit(session, partial(move_starts, self, tender_id))

    def end_later(self, session: AsyncSession, tender_id: UUID) -> None:
        """Once the caller's transaction is durable; `send_cancels` where that is lost."""
        after_commit(session, partial(end_auctions, self, tender_id))


async def admit(desk: Desk, tender_id: UUID, organisation_id: UUID | None = None) -> None:
    """Let one organisation, or all that wait, into the auctions of a tender. Raises Unavailable;
    repeat or leave it to `readmit`.
    """
    async with desk.database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_admits(
            session,
            desk.clock.now(),
            BATCH_MAX,
            tender_id=tender_id,
            organisation_id=organisation_id,
        )
    for row in waiting:
        await _admit(desk, row)


async def readmit(desk: Desk) -> int:
    """Send the admissions that a crash left behind; how many."""
    before = desk.clock.now() - READMIT_AFTER
    async with desk.database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_admits(session, before, BATCH_MAX)
    return await _each(desk, waiting, lambda row: row[0].auction_id, _admit)


async def _admit(desk: Desk, row: Any) -> None:
    participant, percent, minor, content = row
    offer = None if content is None else msgspec.convert(content, NewOffer)
    command = Admit(
        cid=f"admit:{participant.alias}",
        bidder=participant.alias,
        bonus_percent=percent or "0",
        bonus_minor=minor or 0,
        rating=participant.rating,
        offer=offer.price.amount if offer else None,
        attributes=offer.attributes if offer else {},
        lines=offer.lines if offer else {},
    )
    await desk.books.submit(participant.auction_id, command)
    await _stamp(desk, participant, admitted_at=desk.clock.now())


async def exclude_suspended(desk: Desk) -> int:
    """Let suspended organisations bid no more, wherever they take part; how many bidders.

    What they have bid stands until the buyer withdraws it. Who is reinstated is not let in again
    here: an auction that went on without a bidder is the buyer's to judge.
    """
    async with desk.database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_excludes(session, BATCH_MAX)
    return await _each(desk, waiting, lambda row: row.auction_id, _exclude)


async def _exclude(desk: Desk, participant: AuctionParticipant) -> None:
    # Refused means that the auction is over or the buyer was faster: nothing is left to do.
    await desk.books.submit(
        participant.auction_id,
        Exclude(
            cid=f"suspend:{participant.alias}",
            bidder=participant.alias,
            reason="The marketplace has suspended this bidder.",
        ),
    )
    await _stamp(desk, participant, excluded_at=desk.clock.now())


async def _stamp(desk: Desk, participant: AuctionParticipant, **columns: datetime) -> None:
    async with desk.database.transaction(SYSTEM) as session:
        await session.execute(
            update(AuctionParticipant)
            .where(
                AuctionParticipant.auction_id == participant.auction_id,
                AuctionParticipant.alias == participant.alias,
            )
            .values(**columns)
        )


async def end_auctions(desk: Desk, tender_id: UUID) -> None:
    """Tell the auctions of one tender that it was called off. Raises Unavailable; repeat or leave
    it to `send_cancels`.
    """
    async with desk.database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_cancels(session, BATCH_MAX, tender_id)
    for auction in waiting:
        await _cancel(desk, auction)


async def send_cancels(desk: Desk) -> int:
    """Send the cancellations that a crash left behind; how many."""
    async with desk.database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_cancels(session, BATCH_MAX)
    return await _each(desk, waiting, lambda auction: auction.id, _cancel)


async def _cancel(desk: Desk, auction: Auction) -> None:
    assert auction.cancel_reason is not None, "the query asks for it"
    command = Cancel(cid=f"cancel:{auction.tender_id}", reason=auction.cancel_reason)
    durable = await desk.books.submit(auction.id, command)
    # Refused means that it had ended by itself before the cancelling arrived.
    state = AuctionState.CANCELLED if durable.outcome.accepted else AuctionState.CLOSED
    async with desk.database.transaction(SYSTEM) as session:
        await session.execute(
            update(Auction)
            .where(Auction.id == auction.id, Auction.state == AuctionState.SCHEDULED)
            .values(state=state, ended_at=desk.clock.now())
        )


async def move_starts(desk: Desk, tender_id: UUID | None = None) -> None:
    """Tell the auctions of one tender, or all that wait, that they begin later."""
    async with desk.database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_moves(session, BATCH_MAX, tender_id)
    await _each(desk, waiting, lambda auction: auction.id, _move_start)


async def _move_start(desk: Desk, auction: Auction) -> None:
    command = Reschedule(
        cid=f"start:{auction.start_moves}",
        starts_at_us=to_micros(auction.starts_at),
        reason=(auction.start_reason or "")[:TEXT_CHARS_MAX],
    )
    # Refused means that it had begun when the command arrived: it goes on as it is.
    await desk.books.submit(auction.id, command)
    async with desk.database.transaction(SYSTEM) as session:
        await session.execute(
            update(Auction)
            .where(Auction.id == auction.id, Auction.start_moves_sent < auction.start_moves)
            .values(start_moves_sent=auction.start_moves)
        )


async def _each(
    desk: Desk,
    rows: Sequence[Row],
    auction_of: Callable[[Row], UUID],
    work: Callable[[Desk, Row], Awaitable[None]],
) -> int:
    """Do `work` row by row; an auction that cannot be reached is left out for this time."""
    unreachable: set[UUID] = set()
    done = 0
    for row in rows:
        auction_id = auction_of(row)
        if auction_id in unreachable:
            continue
        try:
            await work(desk, row)
            done += 1
        except Problem as problem:
            unreachable.add(auction_id)
            _log.warning("auction_unreachable", auction=str(auction_id), code=problem.code)
    return done
