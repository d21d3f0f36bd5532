"""PostgreSQL with a synchronous standby, and one Redis."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import quote

import asyncpg

from marketplace.kernel.embedded.server import Server
from marketplace.kernel.embedded.servers import postgres_tools
from tests.topology import base
from tests.topology.processes import (
    HOST,
    PASSWORD,
    SERVER_LINES,
    USER,
    RedisProcess,
    start_all,
    stop_all,
    until,
)

# What a promoted standby needs to feed the next one; enough WAL for as long as that may take.
_OPTIONS = ("wal_level=replica", "hot_standby=on", "wal_keep_size=256MB")
_CONNECT_TIMEOUT_S = 2.0


class StandbyTopology:
    """`primary` and `standby` change places in `promote` and `rejoin`.

    A commit waits for the standby: freeze or kill `standby` and nothing becomes durable, until
    `leave_out_standby` (an operator gives it up) or it is back.
    """

    def __init__(self, place: Path, options: Sequence[str]) -> None:
        self._place = place
        self._options = (*_OPTIONS, *options)
        self._names = {"primary": "a", "standby": "b"}
        redis = RedisProcess("redis", place, SERVER_LINES)
        self.servers: Sequence[Server] = [redis]
        self.redis_url = f"redis://{USER}:{quote(PASSWORD, safe='')}@{HOST}:{redis.port}/0"
        self.primary = base.postgres(place, "a", self._options)
        self._standby: Server | None = None
        self.database_url = base.url_of(place / "a-s", place / "b-s")

    @property
    def postgres(self) -> Sequence[Server]:
        return [self.primary, *([self._standby] if self._standby is not None else [])]

    @property
    def standby(self) -> Server:
        assert self._standby is not None, "it has begun"
        return self._standby

    async def connect(self, role: str = "primary") -> asyncpg.Connection[asyncpg.Record]:
        """To exactly one of the two, whether it takes writes or not."""
        sockets = str(self._place / f"{self._names[role]}-s")
        return await asyncpg.connect(
            host=sockets, user="postgres", database="postgres", timeout=_CONNECT_TIMEOUT_S
        )

    async def begin(self) -> None:
        """Start both and wait until commits are synchronous."""
        await start_all([self.primary])
        await self._attach()

    async def promote(self) -> None:
        """The standby becomes primary, and commits alone until `rejoin`. The old primary must be
        killed or frozen before, or there are two.
        """
        self._names = {"primary": self._names["standby"], "standby": self._names["primary"]}
        self.primary, self._standby = self.standby, self.primary
        await until(self._is_promoted, "the standby takes writes")

    async def rejoin(self) -> None:
        """The old primary, its data thrown away, becomes the synchronous standby of the new one."""
        await asyncio.to_thread(self.standby.kill)
        await self._attach()

    async def leave_out_standby(self) -> None:
        """Commits do not wait for it any more."""
        await self._set_standbys("")

    async def healed(self) -> None:
        """Wait until commits are synchronous again."""
        await until(self._sets_standby, "the primary waits for a standby")
        await until(self._is_synchronous, "the standby confirms commits")

    async def _attach(self) -> None:
        name = self._names["standby"]
        await asyncio.to_thread(self._copy, self._names["primary"], name)
        shutil.rmtree(self._place / f"{name}-s", ignore_errors=True)
        self._standby = base.postgres(self._place, name, self._options)
        await start_all([self.standby])
        await self.healed()

    def _copy(self, source: str, target: str) -> None:
        bin_dir, uid = postgres_tools()
        data = self._place / target
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        if uid is not None:
            shutil.chown(data, uid, uid)
        origin = f"host={self._place}/{source}-s user=postgres application_name={target}"
        command = [str(bin_dir / "pg_basebackup"), "-d", origin, "-D", str(data)]
        command += ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        done = subprocess.run(
            command, capture_output=True, text=True, user=uid, group=uid, cwd="/", check=False
        )
        assert done.returncode == 0, done.stderr

    async def _set_standbys(self, names: str) -> None:
        connection = await self.connect()
        try:
            await connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()

    async def _is_promoted(self) -> bool:
        """Or it is asked to be: what it still replays may cancel any statement meanwhile."""
        connection = await self.connect()
        try:
            if not await connection.fetchval("SELECT pg_is_in_recovery()"):
                return True
            await connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await connection.execute("SELECT pg_reload_conf()")
            await connection.execute("SELECT pg_promote(wait => false)")
            return False
        finally:
            await connection.close()

    async def _sets_standby(self) -> bool:
        await self._set_standbys("*")
        return True

    async def _is_synchronous(self) -> bool:
        connection = await self.connect()
        try:
            state = await connection.fetchval(
                "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
            )
        finally:
            await connection.close()
        return bool(state == "sync")


@contextlib.asynccontextmanager
async def standby(*, postgres_options: Sequence[str] = ()) -> AsyncIterator[StandbyTopology]:
    """See the package."""
    with base.folder() as place:
        topology = StandbyTopology(place, postgres_options)
        try:
            await start_all(topology.servers)
            await topology.begin()
            yield topology
        finally:
            await stop_all([*topology.servers, *topology.postgres])
