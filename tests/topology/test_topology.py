"""The topologies fail over as the tests and the fault harness need it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.topology import single, standby, until

pytestmark = pytest.mark.xdist_group("topology")


async def test_a_single_topology_answers() -> None:
    async with single(postgres_options=("fsync=off",)) as topology:
        connection = await asyncpg.connect(topology.database_url)
        await connection.close()
        topology.servers[0].kill()
        await asyncio.to_thread(topology.servers[0].start)
        await topology.healed()


async def test_a_standby_has_what_the_primary_confirmed_and_they_change_places() -> None:
    async with standby(postgres_options=("fsync=off",)) as topology:
        connection = await asyncpg.connect(topology.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
        topology.primary.kill()
        await topology.promote()
        await topology.rejoin()
        # The URL names both, whichever of them takes writes.
        connection = await asyncpg.connect(topology.database_url)
        assert await connection.fetchval("SELECT number FROM kept") == 1
        topology.standby.freeze()
        with pytest.raises(TimeoutError):
            await connection.execute("INSERT INTO kept VALUES (2)", timeout=1.0)
        topology.standby.thaw()
        await topology.healed()

        async def is_there() -> bool:
            behind = await topology.connect("standby")
            try:
                return bool(await behind.fetchval("SELECT count(*) = 2 FROM kept"))
            finally:
                await behind.close()

        await until(is_there, "the standby has the second row")
