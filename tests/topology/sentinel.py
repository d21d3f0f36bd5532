"""A master with two replicas, watched by three Sentinels."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import quote

from redis.exceptions import RedisError

from marketplace.kernel.embedded.server import Server
from tests.topology import base
from tests.topology.processes import (
    ADMIN_PASSWORD,
    HOST,
    PASSWORD,
    SERVER_LINES,
    USER,
    RedisProcess,
    start_all,
    stop_all,
    until,
)

MASTER = "auctions"
SENTINEL_USER, SENTINEL_PASSWORD = "asks", "of:the/sentinels"
_DOWN_AFTER_MS = 1_000
_FAILOVER_TIMEOUT_MS = 3_000
_QUORUM = 2

_WATCHES = (
    f"requirepass {ADMIN_PASSWORD}",
    f"sentinel sentinel-pass {ADMIN_PASSWORD}",
    f'user {SENTINEL_USER} on ">{SENTINEL_PASSWORD}" +@connection +sentinel|masters',
)


class SentinelTopology:
    """`servers[0]` is the first master; later ask for `master()`."""

    def __init__(self, database_url: str, postgres: Sequence[Server], place: Path) -> None:
        self.database_url, self.postgres = database_url, postgres
        first = RedisProcess("server-0", place, SERVER_LINES)
        follows = (*SERVER_LINES, f"replicaof {HOST} {first.port}")
        self.servers = [first, *(RedisProcess(f"server-{n}", place, follows) for n in (1, 2))]
        watches = (
            f"sentinel monitor {MASTER} {HOST} {first.port} {_QUORUM}",
            f"sentinel auth-pass {MASTER} {ADMIN_PASSWORD}",
            f"sentinel down-after-milliseconds {MASTER} {_DOWN_AFTER_MS}",
            f"sentinel failover-timeout {MASTER} {_FAILOVER_TIMEOUT_MS}",
            f"sentinel parallel-syncs {MASTER} 2",
            *_WATCHES,
        )
        self.sentinels = [
            RedisProcess(f"sentinel-{n}", place, watches, is_sentinel=True) for n in range(3)
        ]
        self.redis_url = self.url_for(MASTER)

    def url_for(self, name: str) -> str:
        """The URL of the master called `name`."""
        hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)
        asks = f"sentinel_username={SENTINEL_USER}&sentinel_password={_quoted(SENTINEL_PASSWORD)}"
        return f"redis+sentinel://{USER}:{_quoted(PASSWORD)}@{hosts}/{name}?{asks}"

    async def master(self) -> RedisProcess:
        """Whom most Sentinels name. Raises RedisError while they do not agree."""
        answers = await asyncio.gather(
            *(s.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER) for s in self.sentinels),
            return_exceptions=True,
        )
        named = Counter(int(answer[1]) for answer in answers if isinstance(answer, list))
        for port, count in named.most_common(1):
            if count >= _QUORUM:
                return next(server for server in self.servers if server.port == port)
        raise RedisError("the Sentinels do not agree")

    async def failed_over(self, old: RedisProcess) -> RedisProcess:
        """Wait until another server than `old` is master; answers it."""

        async def is_over() -> bool:
            master = await self.master()
            return master is not old and (await master.info("replication"))["role"] == "master"

        await until(is_over, "another master is elected")
        return await self.master()

    async def healed(self) -> None:
        """Wait until all replicas of the master are in step and all Sentinels see everything."""
        await until(self._is_healed, "replicas and Sentinels are complete")

    async def replicates(self) -> bool:
        """Whether one server is master, and the others are its replicas and in step."""
        masters = 0
        for server in self.servers:
            facts = await server.info("replication")
            if facts["role"] == "master":
                masters += 1
                if facts["connected_slaves"] != "2":
                    return False
            elif facts["master_link_status"] != "up":
                return False
        return masters == 1

    async def _is_healed(self) -> bool:
        if not await self.replicates():
            return False
        master = await self.master()
        return all([await self._sees_all(sentinel, master) for sentinel in self.sentinels])

    async def _sees_all(self, sentinel: RedisProcess, master: RedisProcess) -> bool:
        facts = await sentinel.ask("SENTINEL", "MASTER", MASTER)
        if isinstance(facts, list):
            facts = dict(zip(facts[::2], facts[1::2], strict=True))
        seen = {_text(name): _text(value) for name, value in facts.items()}
        return (
            seen["port"] == str(master.port)
            and seen["flags"] == "master"
            and seen["num-slaves"] == "2"
            and seen["num-other-sentinels"] == "2"
        )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _quoted(text: str) -> str:
    return quote(text, safe="")


@contextlib.asynccontextmanager
async def sentinel(
    *, database_url: str | None = None, postgres_options: Sequence[str] = ()
) -> AsyncIterator[SentinelTopology]:
    """See the package."""
    with base.folder() as place:
        async with base.database(place, database_url, postgres_options) as (url, postgres):
            topology = SentinelTopology(url, postgres, place)
            try:
                await start_all(topology.servers)
                # A Sentinel asks a master who follows it at its start, then every 10 s.
                await until(topology.replicates, "the replicas are in step")
                await start_all(topology.sentinels)
                await topology.healed()
                yield topology
            finally:
                await stop_all([*topology.sentinels, *topology.servers])
