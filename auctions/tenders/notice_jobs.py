"""Notices that no request causes: an auction is about to start, a leader was outbid.

How far an auction was read is a column of its row, so a notice survives the worker that would have
written it, and two workers write it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.rules.core import outcomes
from auctions.rules.core.outcomes import BidPlaced, BidWithdrawn
from auctions.rules.views import visibility
from auctions.tenders import queries
from auctions.tenders.models import Auction
from auctions.tenders.service import notices
from marketplace.kernel.clock import Clock, to_micros
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Problem

START_NOTICE = timedelta(minutes=15)
"""Long enough to sit down and log in, short enough not to be forgotten again."""

AUCTIONS_MAX = 200
"""Auctions of one beat: a hundred new bids each are read in well under its second."""

_log = structlog.get_logger(__name__)


class Overtaken(msgspec.Struct, frozen=True):
    """`alias` led until the bid `seq`."""

    alias: str
    seq: int


async def announce_starts(database: Database, clock: Clock) -> int:
    """Tell who takes part, once for each start; how many auctions."""
    now = clock.now()
    async with database.transaction(SYSTEM) as session:
        due = await queries.starts_to_announce(session, now, now + START_NOTICE, AUCTIONS_MAX)
        for auction in due:
            lot = await queries.lot(session, auction.lot_id)
            assert lot is not None, "an auction never outlives its lot"
            await notices.auction_starts(session, auction, lot, now)
            auction.start_announced_at = now
    return len(due)


async def announce_outbid(database: Database, books: Books, clock: Clock) -> int:
    """Tell former leaders; how many. An auction that cannot be read does not hold up the others."""
    async with database.transaction(SYSTEM) as session:
        behind = await queries.auctions_behind(session, AUCTIONS_MAX)
    announced = 0
    for auction_id in behind:
        try:
            announced += await _announce(database, books, clock, auction_id)
        except Problem as problem:
            _log.warning("outbid_not_announced", auction=str(auction_id), code=problem.code)
    return announced


async def _announce(database: Database, books: Books, clock: Clock, auction_id: UUID) -> int:
    book = await books.open(auction_id)
    async with database.transaction(SYSTEM) as session:
        auction, head = await queries.auction_behind(session, auction_id)
        if auction is None:
            return 0  # another worker is at it
        rows = await queries.bids_after(session, auction_id, auction.announced_seq, head)
        overtaken = await _overtaken(session, auction, rows)
        auction.announced_seq = head
        if not overtaken:
            return 0
        async with book.settled(overtaken[-1].seq) as fold:
            visible = [each for each in overtaken if _may_know(fold.state, each.alias, clock)]
        lot = await queries.lot(session, auction.lot_id)
        assert lot is not None, "an auction never outlives its lot"
        bidders = await queries.participants(session, auction_id)
        for each in visible:
            await notices.outbid(session, auction, lot, bidders[each.alias], each.seq, clock.now())
    return len(visible)


async def _overtaken(
    session: AsyncSession, auction: Auction, rows: Sequence[Any]
) -> list[Overtaken]:
    """Leaders that lost the lead by these commands; moves the auction's marks behind them."""
    found = []
    for seq, _, outcome in rows:
        for event in outcomes.decode(outcome).events:
            if isinstance(event, BidPlaced) and event.rank == 1:
                former, auction.announced_leader = auction.announced_leader, event.bidder
                if former not in (None, event.bidder):
                    found.append(Overtaken(str(former), seq))
            elif isinstance(event, BidWithdrawn) and event.bidder == auction.announced_leader:
                auction.announced_leader = await _leader_at(session, auction.id, seq)
    return found


async def _leader_at(session: AsyncSession, auction_id: UUID, until: int) -> str | None:
    """Who leads after a withdrawal, from the outcomes alone; of equal bids the earlier."""
    standing: list[tuple[Fraction, int, str]] = []
    for seq, _, outcome in await queries.bids_of(session, auction_id):
        if seq > until:
            break
        for event in outcomes.decode(outcome).events:
            if isinstance(event, BidPlaced):
                standing.append((Fraction(event.evaluated), seq, event.bidder))
            elif isinstance(event, BidWithdrawn):
                gone = (event.bid_seq, event.bidder)
                standing = [row for row in standing if row[1:] != gone]
    return min(standing)[2] if standing else None


def _may_know(state: Any, alias: str, clock: Clock) -> bool:
    """Whether the rules show this bidder its rank at all, and it does not lead again."""
    rank: int = visibility.personal(state, alias, to_micros(clock.now()))["you"].get("rank", 1)
    return rank > 1
