"""A client of a URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from marketplace.kernel.redis import url as urls
from marketplace.kernel.redis.cluster import Cluster, ClusterLines
from marketplace.kernel.redis.line import CALL_TIMEOUT_S, Command, Line
from marketplace.kernel.redis.sentinel import ASK_TIMEOUT_S, MasterPool, Sentinels
from marketplace.kernel.redis.url import Credentials, RedisUrl

CONNECTIONS_MAX = 64

AnyRedis = Redis | Cluster


class Batches(Protocol):
    """Commands of one caller that asks in turn, each time in one round trip."""

    async def ask(self, commands: Sequence[Command]) -> list[object]:
        """The replies in order, errors of single commands among them. Raises RedisError, OSError or
        TimeoutError: then it is unknown what of it was done.
        """

    async def close(self) -> None: ...


def connect(text: str) -> AnyRedis:
    """A client for a URL as in `url.py`. Nothing is contacted yet. Raises RedisUrlError."""
    url = urls.parse(text)
    options = _options(url.servers, CALL_TIMEOUT_S)
    if url.kind == "cluster":
        is_tls = url.tls is not None
        return Cluster(url.hosts, options | {"ssl": is_tls} | (url.tls or {}), CONNECTIONS_MAX)
    if url.kind == "sentinel":
        return _behind_sentinel(url, options)
    # Blocking: one call too many at once waits its turn instead of failing.
    pool: BlockingConnectionPool = BlockingConnectionPool(
        max_connections=CONNECTIONS_MAX,
        timeout=CALL_TIMEOUT_S,
        db=url.database,
        **_place(url),
        **options,
    )
    return Redis.from_pool(pool)


def batches(redis: AnyRedis) -> Batches:
    """A `Line` to the server, or one to each master of a cluster."""
    if isinstance(redis, Cluster):
        return ClusterLines(redis)
    return Line(redis.connection_pool.make_connection)


def _options(login: Credentials, timeout_s: float) -> dict[str, Any]:
    return {
        "username": login.username,
        "password": login.password,
        "retry": _retry(),
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
    }


def _retry() -> Retry:
    """None at all: redis-py would run a script up to ten times. After these errors it closes the
    connection; a server that became read-only may not be the one the URL means any more.
    """
    errors = (RedisConnectionError, RedisTimeoutError, ReadOnlyError)
    return Retry(NoBackoff(), 0, supported_errors=errors)


def _place(url: RedisUrl) -> dict[str, Any]:
    if url.path:
        return {"connection_class": UnixDomainSocketConnection, "path": url.path}
    host = {"host": url.hosts[0].name, "port": url.hosts[0].port}
    if url.tls is None:
        return {"connection_class": Connection} | host
    return {"connection_class": SSLConnection} | host | url.tls


def _behind_sentinel(url: RedisUrl, options: dict[str, Any]) -> Redis:
    tls = {"ssl": True, **url.tls} if url.tls is not None else {}
    sentinels = Sentinels(  # type: ignore[no-untyped-call]
        [(host.name, host.port) for host in url.hosts],
        sentinel_kwargs=_options(url.sentinels, ASK_TIMEOUT_S) | tls,
    )
    pool = MasterPool(  # type: ignore[no-untyped-call]
        url.master,
        sentinels,
        max_connections=CONNECTIONS_MAX,
        timeout=CALL_TIMEOUT_S,
        db=url.database,
        **options,
        **tls,
    )
    return Redis.from_pool(pool)
