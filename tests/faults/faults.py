"""What can go wrong, each as one act: break, wait, mend."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import asyncpg

from marketplace.kernel.redis import connect
from tests.faults.arena import Arena

Fault = Callable[[Arena, random.Random], Awaitable[None]]


async def kill_node(arena: Arena, dice: random.Random) -> None:
    node = dice.choice(arena.nodes)
    node.kill()
    node.start()
    await node.ready()


async def freeze_node(arena: Arena, dice: random.Random) -> None:
    """Longer than PostgreSQL lets an idle transaction live, now and then."""
    node = dice.choice(arena.nodes)
    node.freeze()
    try:
        await asyncio.sleep(dice.choice((0.2, 0.8, 2.0, 7.0)))  # how long the fault lasts
    finally:
        node.thaw()


async def kill_redis(arena: Arena, dice: random.Random) -> None:
    """It comes back empty: nothing of it is on disk."""
    arena.servers.redis.kill()
    await asyncio.sleep(dice.choice((0.0, 0.5)))  # how long the fault lasts
    await asyncio.to_thread(arena.servers.redis.start)


async def freeze_redis(arena: Arena, dice: random.Random) -> None:
    arena.servers.redis.freeze()
    try:
        await asyncio.sleep(dice.choice((0.1, 0.5, 1.5, 3.0)))  # how long the fault lasts
    finally:
        arena.servers.redis.thaw()


async def wipe_redis(arena: Arena, _: random.Random) -> None:
    redis = connect(arena.servers.redis_url)
    await redis.flushall()
    await redis.aclose()


async def kill_postgres(arena: Arena, dice: random.Random) -> None:
    arena.servers.postgres.kill()
    await asyncio.sleep(dice.choice((0.0, 0.5)))  # how long the fault lasts
    await asyncio.to_thread(arena.servers.postgres.start)


async def freeze_postgres(arena: Arena, dice: random.Random) -> None:
    arena.servers.postgres.freeze()
    try:
        await asyncio.sleep(dice.choice((0.1, 0.5, 1.5, 3.0)))  # how long the fault lasts
    finally:
        arena.servers.postgres.thaw()


async def cut_connections(arena: Arena, _: random.Random) -> None:
    """PostgreSQL ends every client's connection, commits in flight among them."""
    connection = await asyncpg.connect(arena.servers.database_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def power_cut(arena: Arena, dice: random.Random) -> None:
    """Both servers at once, with a commit in flight that never happens: whoever was answered before
    it was durable has lost.
    """
    arena.servers.postgres.freeze()
    await asyncio.sleep(dice.choice((0.3, 0.8)))  # bids go on meanwhile
    arena.servers.redis.kill()
    arena.servers.postgres.kill()
    await asyncio.to_thread(arena.servers.redis.start)
    await asyncio.to_thread(arena.servers.postgres.start)


FAULTS: dict[str, Fault] = {
    "kill a node": kill_node,
    "freeze a node": freeze_node,
    "kill Redis": kill_redis,
    "freeze Redis": freeze_redis,
    "wipe Redis": wipe_redis,
    "kill PostgreSQL": kill_postgres,
    "freeze PostgreSQL": freeze_postgres,
    "cut all connections to PostgreSQL": cut_connections,
    "cut the power of both servers": power_cut,
}
