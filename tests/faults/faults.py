"""What can go wrong, each as one act: break, wait, and return as soon as bids can be taken again.

What need not be there for that, such as a dead replica, is started `later`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial

import asyncpg
from redis.asyncio import Redis

from marketplace.kernel.embedded.server import Server
from marketplace.kernel.redis import connect
from tests.faults.arena import Arena
from tests.topology import (
    ClusterTopology,
    RedisProcess,
    SentinelTopology,
    StandbyTopology,
)
from tests.topology.sentinel import MASTER

Fault = Callable[[Arena, random.Random], Awaitable[None]]

CUT_OFF_S = 7.0
"""Longer than a commit may wait for the standby (4 s), so some are cut off and visible."""


# -- nodes and workers ----------------------------------------------------------------------------


async def kill_node(arena: Arena, dice: random.Random) -> None:
    node = dice.choice(arena.nodes)
    node.kill()
    node.start()
    await node.ready()


async def restart_node(arena: Arena, dice: random.Random) -> None:
    """As a rolling deploy does it."""
    node = dice.choice(arena.nodes)
    await asyncio.to_thread(node.end)
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


async def kill_worker(arena: Arena, dice: random.Random) -> None:
    worker = dice.choice(arena.workers)
    worker.kill()
    worker.start()


# -- PostgreSQL -----------------------------------------------------------------------------------


async def kill_postgres(arena: Arena, dice: random.Random) -> None:
    postgres = arena.topology.postgres[0]
    postgres.kill()
    await asyncio.sleep(dice.choice((0.0, 0.5)))  # how long the fault lasts
    await asyncio.to_thread(postgres.start)


async def freeze_postgres(arena: Arena, dice: random.Random) -> None:
    await _freeze(arena.topology.postgres[0], dice.choice((0.1, 0.5, 1.5, 3.0)))


async def cut_postgres_lines(arena: Arena, _: random.Random) -> None:
    """PostgreSQL ends every client's connection, commits in flight among them."""
    connection = await asyncpg.connect(arena.topology.database_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def _freeze(server: Server, seconds: float) -> None:
    server.freeze()
    try:
        await asyncio.sleep(seconds)  # how long the fault lasts
    finally:
        server.thaw()


# -- Redis ----------------------------------------------------------------------------------------


async def cut_redis_lines(arena: Arena, _: random.Random) -> None:
    for kind in ("normal", "pubsub"):
        await _ask_redis(arena, "CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


async def wipe_redis(arena: Arena, _: random.Random) -> None:
    await _ask_redis(arena, "FLUSHALL", masters=True)


async def _ask_redis(arena: Arena, *command: str, masters: bool = False) -> None:
    """Every server, or only the `masters`."""
    for server in arena.topology.servers:
        if isinstance(server, RedisProcess):
            if not masters or (await server.info("replication"))["role"] == "master":
                await server.ask(*command)
            continue
        redis = connect(arena.topology.redis_url)
        assert isinstance(redis, Redis), "a single server has a plain client"
        await redis.execute_command(*command)  # type: ignore[no-untyped-call]
        await redis.aclose()


async def kill_redis(arena: Arena, dice: random.Random) -> None:
    """It comes back empty: nothing of it is on disk."""
    redis = arena.topology.servers[0]
    redis.kill()
    await asyncio.sleep(dice.choice((0.0, 0.5)))  # how long the fault lasts
    await asyncio.to_thread(redis.start)


async def freeze_redis(arena: Arena, dice: random.Random) -> None:
    await _freeze(arena.topology.servers[0], dice.choice((0.1, 0.5, 1.5, 3.0)))


async def power_cut(arena: Arena, dice: random.Random) -> None:
    """Both servers at once, with a commit in flight that never happens: whoever was answered before
    it was durable has lost.
    """
    postgres, redis = arena.topology.postgres[0], arena.topology.servers[0]
    postgres.freeze()
    await asyncio.sleep(dice.choice((0.3, 0.8)))  # bids go on meanwhile
    redis.kill()
    postgres.kill()
    await asyncio.to_thread(redis.start)
    await asyncio.to_thread(postgres.start)


# -- Sentinel and Cluster -------------------------------------------------------------------------


async def kill_master(arena: Arena, _: random.Random) -> None:
    master = await _master(arena)
    master.kill()
    arena.later(partial(asyncio.to_thread, master.start))
    await _failed_over(arena, master)


async def freeze_master(arena: Arena, _: random.Random) -> None:
    """Until it was replaced; afterwards it still takes itself for the master for a moment."""
    master = await _master(arena)
    master.freeze()
    try:
        await _failed_over(arena, master)
    finally:
        master.thaw()


async def stall_master(arena: Arena, dice: random.Random) -> None:
    """Too short to be replaced, or about as long as that takes."""
    await _freeze(await _master(arena), dice.choice((0.1, 0.5, 1.0)))


async def hand_over(arena: Arena, _: random.Random) -> None:
    """As an operator does it before maintenance."""
    topology, master = arena.topology, await _master(arena)
    if isinstance(topology, SentinelTopology):
        await topology.sentinels[0].ask("SENTINEL", "FAILOVER", MASTER)
    else:
        replica = await _replica_of(topology, master)
        await replica.ask("CLUSTER", "FAILOVER")
    await _failed_over(arena, master)


async def kill_replica(arena: Arena, _: random.Random) -> None:
    replica = await _replica_of(arena.topology, await _master(arena))
    replica.kill()
    arena.later(partial(asyncio.to_thread, replica.start))


async def kill_sentinel(arena: Arena, dice: random.Random) -> None:
    assert isinstance(arena.topology, SentinelTopology)
    sentinel = dice.choice(arena.topology.sentinels)
    sentinel.kill()
    arena.later(partial(asyncio.to_thread, sentinel.start))


async def _master(arena: Arena) -> RedisProcess:
    if isinstance(arena.topology, SentinelTopology):
        return await arena.topology.master()
    assert isinstance(arena.topology, ClusterTopology)
    return await arena.topology.master_of(arena.auction_key)


async def _failed_over(arena: Arena, old: RedisProcess) -> None:
    if isinstance(arena.topology, SentinelTopology):
        await arena.topology.failed_over(old)
        return
    assert isinstance(arena.topology, ClusterTopology)
    await arena.topology.failed_over(arena.auction_key, old)


async def _replica_of(topology: object, master: RedisProcess) -> RedisProcess:
    assert isinstance(topology, SentinelTopology | ClusterTopology)
    for server in topology.servers:
        if server is not master:
            facts = await server.info("replication")
            if facts["role"] == "slave" and int(facts["master_port"]) == master.port:
                return server
    raise OSError("the master has no replica at present")


# -- a synchronous standby ------------------------------------------------------------------------


async def kill_primary(arena: Arena, _: random.Random) -> None:
    topology = _standby(arena)
    topology.primary.kill()
    arena.later(topology.rejoin)
    await topology.promote()


async def freeze_primary(arena: Arena, dice: random.Random) -> None:
    """Its connections stay open and nothing answers; it never comes back."""
    topology = _standby(arena)
    topology.primary.freeze()
    arena.later(topology.rejoin)
    await asyncio.sleep(dice.choice((0.0, 1.0)))  # until it is noticed
    await topology.promote()


async def freeze_standby(arena: Arena, dice: random.Random) -> None:
    await _freeze(_standby(arena).standby, dice.choice((0.5, 3.0, CUT_OFF_S)))


async def leave_out_standby(arena: Arena, _: random.Random) -> None:
    """It is dead, and the operator lets commits go on without it."""
    topology = _standby(arena)
    standby = topology.standby
    standby.kill()
    await topology.leave_out_standby()
    arena.later(partial(asyncio.to_thread, standby.start))


async def lose_both(arena: Arena, _: random.Random) -> None:
    """The primary dies while commits are visible on it that the standby never got."""
    topology = _standby(arena)
    await _cut_off(topology)
    await _take_over(arena, topology)


async def lose_both_and_redis(arena: Arena, _: random.Random) -> None:
    """The same with Redis on the machine of the primary: nowhere else are these commits."""
    topology = _standby(arena)
    await _cut_off(topology)
    redis = topology.servers[0]
    redis.kill()
    await asyncio.to_thread(redis.start)
    await _take_over(arena, topology)


async def _cut_off(topology: StandbyTopology) -> None:
    topology.standby.kill()
    await asyncio.sleep(CUT_OFF_S)  # commits are cut off meanwhile
    topology.primary.kill()


async def _take_over(arena: Arena, topology: StandbyTopology) -> None:
    arena.later(topology.rejoin)
    await asyncio.to_thread(topology.standby.start)
    await topology.promote()


def _standby(arena: Arena) -> StandbyTopology:
    assert isinstance(arena.topology, StandbyTopology)
    return arena.topology


_EVERYWHERE: dict[str, Fault] = {
    "kill a node": kill_node,
    "restart a node": restart_node,
    "freeze a node": freeze_node,
    "kill a worker": kill_worker,
    "wipe Redis": wipe_redis,
    "cut all lines to Redis": cut_redis_lines,
    "cut all lines to PostgreSQL": cut_postgres_lines,
}
_ONE_REDIS: dict[str, Fault] = {"kill Redis": kill_redis, "freeze Redis": freeze_redis}
_ONE_POSTGRES: dict[str, Fault] = {
    "kill PostgreSQL": kill_postgres,
    "freeze PostgreSQL": freeze_postgres,
}
_MANY_REDIS: dict[str, Fault] = {
    "kill the master": kill_master,
    "freeze the master until it is replaced": freeze_master,
    "stall the master": stall_master,
    "hand the master over": hand_over,
    "kill a replica": kill_replica,
}
FAULTS: dict[str, dict[str, Fault]] = {
    "single": _EVERYWHERE
    | _ONE_REDIS
    | _ONE_POSTGRES
    | {"cut the power of both servers": power_cut},
    "sentinel": _EVERYWHERE | _ONE_POSTGRES | _MANY_REDIS | {"kill a Sentinel": kill_sentinel},
    "cluster": _EVERYWHERE | _ONE_POSTGRES | _MANY_REDIS,
    "standby": _EVERYWHERE
    | _ONE_REDIS
    | {
        "kill the primary": kill_primary,
        "freeze the primary": freeze_primary,
        "freeze the standby": freeze_standby,
        "leave out the standby": leave_out_standby,
        "lose the standby, then the primary": lose_both,
        "lose the standby, then the primary with Redis": lose_both_and_redis,
    },
}
"""By topology and name."""
