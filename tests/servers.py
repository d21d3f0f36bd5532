"""Real servers for the tests: started once by the process that runs pytest, shared by its workers.

Each worker has its own database, copied from one migrated template, and its own Redis index.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from pathlib import Path

import asyncpg
import msgspec

from marketplace.kernel import embedded
from marketplace.migrations.run import migrate

TEMPLATE = "marketplace_template"
DATABASES = 32
"""Redis indexes: the lower half for the workers, the upper half for what they start besides."""

_own = itertools.count(1)
# A test's database may forget everything when the machine fails; only the fault tests may not.
_POSTGRES_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Place(msgspec.Struct, frozen=True):
    """Where one pytest worker finds its servers."""

    database_url: str
    redis_url: str


class TestServers:
    """Both servers in a folder of their own, with the migrated template."""

    __test__ = False

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="marketplace-tests-")
        self.servers = embedded.start(
            Path(self._folder.name), postgres_options=_POSTGRES_OPTIONS, databases=DATABASES
        )
        try:
            asyncio.run(self._prepare())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.servers.stop()
        self._folder.cleanup()

    def place(self, worker: str, index: int) -> Place:
        """A fresh database and an index for `worker`."""
        name = f"test_{worker}"
        asyncio.run(self._copy(name))
        return Place(
            _named(self.servers.database_url, name), f"{self.servers.redis_url}?db={index}"
        )

    async def _prepare(self) -> None:
        await _execute(self.servers.database_url, f"CREATE DATABASE {TEMPLATE}")
        await migrate(_named(self.servers.database_url, TEMPLATE))

    async def _copy(self, name: str) -> None:
        await _execute(
            self.servers.database_url,
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
            f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}",
        )


async def own_place(worker: Place) -> Place:
    """A fresh database and a Redis index besides those of `worker`, on the same servers."""
    head, _, _options = worker.database_url.partition("?")
    name = f"{head.rpartition('/')[2]}_own_{next(_own)}"
    await _execute(worker.database_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    base, _, index = worker.redis_url.rpartition("=")
    other = int(index) + DATABASES // 2
    assert other < DATABASES, "too many workers for the Redis indexes"
    return Place(_named(worker.database_url, name), f"{base}={other}")


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _named(url: str, database: str) -> str:
    head, _, options = url.partition("?")
    return f"{head.rpartition('/')[0]}/{database}?{options}"
