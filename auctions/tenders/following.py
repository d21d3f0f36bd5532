"""Somebody must follow every running auction, watched or not: its heart beats on the workers."""

from __future__ import annotations

from datetime import timedelta

import structlog

from auctions.book.books import Books
from auctions.tenders import queries
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Problem

AHEAD = timedelta(seconds=20)
"""Longer than the heart's lead, so that an auction is never blind when it starts."""

_log = structlog.get_logger(__name__)


async def follow_auctions(database: Database, books: Books, clock: Clock) -> int:
    """Open the books of all auctions that run or are about to; idle ones close by themselves.

    Answers how many are followed. One auction that cannot be opened does not hold up the others.
    """
    async with database.transaction(SYSTEM) as session:
        due = await queries.auctions_open_or_due(session, clock.now() + AHEAD)
    wanted = {auction.auction_id for auction in due}
    for auction_id in wanted:
        try:
            await books.open(auction_id)
        except Problem as problem:
            _log.warning("not_followed", auction=str(auction_id), code=problem.code)
    return len(wanted)
