"""Holding commits back, and losing them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from auctions.book.fold import Durable

PATIENCE_S = 4.0


class Held:
    """A lock on the head of an auction: its commits wait for it."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection

    async def lose(self) -> None:
        """End the connection of the commit that waits, as a server that goes away does."""
        ended = False
        async with asyncio.timeout(PATIENCE_S):
            while not ended:
                ended = await self._connection.fetchval(
                    "SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
                )


@asynccontextmanager
async def held(database_url: str, auction_id: UUID) -> AsyncIterator[Held]:
    """Inside, nothing of this auction becomes durable."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM auction_head WHERE auction_id = $1 FOR UPDATE", auction_id
            )
            yield Held(connection)
    finally:
        await connection.close()


class Drawing:
    """A preparer that notes what happens, in order: (`folded` or `published`, seq), (`lost`, 0)."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, int]] = []
        self.cids: set[str] = set()
        self._folded = asyncio.Event()

    def folded(self, durables: Sequence[Durable]) -> None:
        self.notes += [("folded", durable.seq) for durable in durables]
        self.cids |= {durable.cid for durable in durables}
        self._folded.set()

    def lost(self) -> None:
        self.notes.append(("lost", 0))
        self.cids.clear()

    def published(self, durables: Sequence[Durable]) -> None:
        self.notes += [("published", durable.seq) for durable in durables]

    async def has_folded(self, cid: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while cid not in self.cids:
                self._folded.clear()
                await self._folded.wait()
