"""What comes back from the books of auctions to their tenders."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from auctions.tenders import queries, service
from auctions.tenders.sending import BATCH_MAX, Desk
from marketplace.kernel.db import SYSTEM


async def note_ended_auctions(desk: Desk) -> int:
    """Tell the tenders whose auctions are over, each in a transaction of its own; how many
    auctions.
    """
    async with desk.database.transaction(SYSTEM) as session:
        ended = await queries.ended_auctions(session, BATCH_MAX)
    for _, rows in groupby(sorted(ended, key=_tender_of), key=_tender_of):
        async with desk.database.transaction(SYSTEM) as session:
            await service.auctions_ended(session, list(rows), desk.clock.now())
    return len(ended)


def _tender_of(row: Any) -> UUID:
    tender_id: UUID = row[2]
    return tender_id
