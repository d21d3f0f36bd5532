"""Tries what a bid does, on an auction that does not exist: nothing of it stays in PostgreSQL, and
in Redis only a head and a log of one entry, which are removed at once.
"""

from __future__ import annotations

import contextlib
from uuid import UUID

import asyncpg
from redis.crc import REDIS_CLUSTER_HASH_SLOTS

from auctions.book.journal import PoolConnection, try_record
from auctions.book.log import GENESIS_TAG, Log, head_key, wake_channel
from marketplace.kernel.db import Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.redis import AnyRedis, Cluster, try_channel

LOCK_TIMEOUT_MS = 400
"""Shorter than the time a readiness check has, so that it can still name the table."""

TABLES = ("auction_head", "auction_commands")
_IDS_MAX = 1_000
"""Random ids looked at for one in a slot of each master: with 100 masters of equal size one is
missed once in 20 000 tries.
"""

# A transaction whose commit must reach the disk, and the standby where one has to confirm.
_DURABLE = "SELECT pg_logical_emit_message(true, 'readyz', '')"


class LockedError(Exception):
    """A table of the bid path is locked by somebody else."""


class OrderError(Exception):
    """Redis answered, but not as the order of bids needs it."""


class Trial:
    """One per process; its auction ids are its own, so several nodes do not disturb each other."""

    def __init__(self, database: Database, redis: AnyRedis) -> None:
        self._database = database
        self._redis = redis
        self._log: Log | None = None
        self._auction_id = new_id()

    async def commit(self) -> None:
        """Record a command of no auction and commit. Raises LockedError or the driver's errors."""
        pool = await self._database.pool(steady=True)
        connection = await pool.acquire()
        try:
            await connection.execute(f"BEGIN; SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            for table in TABLES:
                await _lock(connection, table)
            await try_record(connection, self._auction_id)
            await connection.execute(_DURABLE)
            await connection.execute("COMMIT")
        except BaseException:
            # Maybe in the middle of something: nobody waits until that is over.
            with contextlib.suppress(asyncpg.InterfaceError):
                connection.terminate()
            raise
        finally:
            await pool.release(connection)

    async def sequence(self) -> None:
        """Give one command its place, read it back, mark it durable and announce it; on a cluster
        once for each master. Raises OrderError or what the client raises.
        """
        if self._log is None:
            self._log = Log(self._redis)
        for auction_id in await self._auction_ids():
            await self._sequence(self._log, auction_id)

    async def _sequence(self, log: Log, auction_id: UUID) -> None:
        await log.load(auction_id, 1, 0, 0, GENESIS_TAG)
        try:
            replies, _ = await log.tell({auction_id: [b"{}"]})
            reply = replies[auction_id]
            if isinstance(reply, Exception):
                raise reply
            entry = reply[0]
            if not await log.read(auction_id, 1, entry.seq, entry.seq, entry.before):
                raise OrderError("a command that was placed is not in the log")
            _, failed = await log.tell({}, {auction_id: (1, entry.seq, entry.tag)})
            for error in failed.values():
                raise error
            # The script does not announce what nobody listens to.
            await try_channel(self._redis, wake_channel(auction_id))
            await log.heads([auction_id])
        finally:
            await log.forget(auction_id)

    async def _auction_ids(self) -> list[UUID]:
        """One whose slot lies on each master; on a single server one."""
        if not isinstance(self._redis, Cluster):
            return [self._auction_id]
        await self._redis.known()
        if len(self._redis.nodes_manager.slots_cache) < REDIS_CLUSTER_HASH_SLOTS:
            self._redis.look_again()
            raise OrderError("some slots of the cluster have no master")
        found: dict[str, UUID] = {}
        masters = self._redis.get_primaries()
        for _ in range(_IDS_MAX):
            if len(found) == len(masters):
                break
            auction_id = new_id()
            found.setdefault(
                self._redis.master_of(("HMGET", head_key(auction_id))).name, auction_id
            )
        return list(found.values())

    async def close(self) -> None:
        if self._log is not None:
            await self._log.close()


async def _lock(connection: PoolConnection, table: str) -> None:
    """As INSERT and UPDATE do it: bids are not held up by it."""
    try:
        await connection.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
    except asyncpg.LockNotAvailableError:
        raise LockedError(f"the table {table} is locked") from None
