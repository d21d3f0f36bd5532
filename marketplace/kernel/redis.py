"""Redis clients that never retry by themselves, for a single server, Sentinel or Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import hiredis
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

CALL_TIMEOUT_S = 2.0
CONNECTIONS_MAX = 64

AnyRedis = Redis | RedisCluster


def connect(url: str) -> AnyRedis:
    """A client for `redis://`, `rediss://`, `unix://`, `redis+cluster://host:port` or
    `redis+sentinel://host:port,host:port/service`. Nothing is contacted yet.

    redis-py retries a call up to ten times by default, which runs a script twice; here a call
    fails once and the
    caller, whose commands are idempotent by `cid`, decides.
    """
    retry = Retry(NoBackoff(), 0)
    parts = urlsplit(url)
    if parts.scheme == "redis+cluster":
        return RedisCluster(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 6379,
            password=parts.password,
            retry=retry,
            socket_timeout=CALL_TIMEOUT_S,
            socket_connect_timeout=CALL_TIMEOUT_S,
        )
    if parts.scheme == "redis+sentinel":
        return _by_sentinel(url, retry)
    # Blocking: one call too many at once waits its turn instead of failing.
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        url,
        timeout=CALL_TIMEOUT_S,
        retry=retry,
        socket_timeout=CALL_TIMEOUT_S,
        socket_connect_timeout=CALL_TIMEOUT_S,
        max_connections=CONNECTIONS_MAX,
    )
    return Redis.from_pool(pool)


class Line:
    """One connection for one caller that asks in turn. It connects as the pool's do, also anew
    after an error.

    A pipeline of the pool's sends from a task of its own, looks twice whether the connection lives
    and arms a timer for each of that: on a loop that is busy each step waits for its turn.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._connection: AbstractConnection | None = None

    async def ask(self, commands: Sequence[tuple[str | bytes | int, ...]]) -> list[object]:
        """The replies in order, errors of single commands among them. Raises RedisError, OSError or
        TimeoutError: then it is unknown what of it was done.
        """
        async with asyncio.timeout(CALL_TIMEOUT_S):
            connection = await self._ready()
            packed = b"".join([hiredis.pack_command(command) for command in commands])  # type: ignore[arg-type]
            await connection.send_packed_command(packed, check_health=False)
            return [await self._reply(connection) for _ in commands]

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)

    async def _ready(self) -> AbstractConnection:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            # The time for the whole call is enough.
            connection.socket_timeout = None
        elif connection.is_connected and await connection.can_read():
            # Closed by the server, or a reply of a call that was given up.
            await connection.disconnect(nowait=True)
        return connection

    async def _reply(self, connection: AbstractConnection) -> object:
        # Whatever else happens here, a cancellation too, redis-py ends the connection.
        try:
            return await connection.read_response()
        except ResponseError as error:
            return error


def _by_sentinel(url: str, retry: Retry) -> Redis:
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    sentinels = [
        (host.partition(":")[0], int(host.partition(":")[2] or 26379)) for host in hosts.split(",")
    ]
    password = credentials.partition(":")[2] or None
    database = int(parse_qs(parts.query).get("db", ["0"])[0])
    sentinel = Sentinel(sentinels, socket_timeout=CALL_TIMEOUT_S)  # type: ignore[no-untyped-call]
    master: Redis = sentinel.master_for(
        parts.path.strip("/") or "mymaster",
        password=password,
        db=database,
        retry=retry,
        socket_timeout=CALL_TIMEOUT_S,
    )
    return master
