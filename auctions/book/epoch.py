"""When Redis was wiped, fell behind or forked: start a new epoch from PostgreSQL, once, whoever
sees it first.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from auctions.book.journal import JournalHead, Pool
from auctions.book.log import Log

_log = structlog.get_logger(__name__)


async def redis_differs(log: Log, head: JournalHead) -> bool:
    """Whether Redis does not continue from PostgreSQL's head."""
    redis = (await log.heads([head.auction_id]))[0]
    return (
        redis is None
        or redis.epoch != head.epoch
        or redis.seq < head.seq
        or (redis.seq == head.seq and redis.tag != head.tag)
    )


async def begin_epoch(pool: Pool, log: Log, auction_id: UUID, distrusted: int) -> int:
    """Load Redis under the head's row lock with a new epoch; answers the epoch in force.

    `distrusted` is the epoch the caller found broken. If both servers agree on another one by now,
    another node has
    done the work, and commands may be waiting in it already: it stays.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT epoch, seq, ts, tag FROM auction_head WHERE auction_id = $1 FOR UPDATE",
            auction_id,
        )
        redis = (await log.heads([auction_id]))[0]
        epoch: int = row["epoch"]
        if redis and redis.epoch == epoch != distrusted and redis.seq >= row["seq"]:
            return epoch
        epoch = max(epoch, redis.epoch if redis else 0) + 1
        await log.load(auction_id, epoch, row["seq"], row["ts"], row["tag"])
        await connection.execute(
            "UPDATE auction_head SET epoch = $2 WHERE auction_id = $1", auction_id, epoch
        )
    _log.info("epoch_begun", auction=str(auction_id), epoch=epoch)
    return epoch
