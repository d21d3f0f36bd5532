"""Redis clients that never retry by themselves, for a single server, Sentinel or Cluster."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

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
