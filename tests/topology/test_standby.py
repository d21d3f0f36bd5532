"""A primary that freezes while another takes over: its connections stay open, nothing answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.outages import is_outage
from marketplace.migrations.run import migrate
from tests.auctions.book.nodes import Node
from tests.topology import StandbyTopology, standby, until
from tests.topology.bidding import bidding

pytestmark = pytest.mark.xdist_group("topology")

ANSWER_S = 1.0


@pytest.fixture
async def topology() -> AsyncIterator[StandbyTopology]:
    async with standby(postgres_options=("fsync=off",)) as topology:
        await migrate(topology.database_url)
        yield topology


async def test_bids_go_on_when_the_primary_freezes_and_the_standby_is_promoted(
    topology: StandbyTopology,
) -> None:
    async with Node(topology) as node, Node(topology) as other:
        auction_id = await node.new_auction("a")
        async with bidding(auction_id, node, other) as bids:
            topology.primary.freeze()
            await topology.promote()
            await bids.goes_on()


async def test_all_connections_go_to_the_promoted_one_and_none_waits_for_the_frozen_one(
    topology: StandbyTopology,
) -> None:
    database = Database(topology.database_url, pool_size=2)

    async def ask() -> bool:
        async with database.transaction(SYSTEM) as session:
            return bool(await session.scalar(text("SELECT NOT pg_is_in_recovery()")))

    try:
        pool, readers = await database.pool(steady=True), await database.readers()
        async with database.engine.connect(), pool.acquire(), readers.acquire():
            assert await ask()
        topology.primary.freeze()
        # Without any limit of its own.
        hanging = asyncio.create_task(ask())
        await topology.promote()

        async def answers() -> bool:
            return bool(await pool.fetchval("SELECT true", timeout=ANSWER_S))

        await until(answers, "the pool asks the promoted one")
        with pytest.raises(DBAPIError) as error:
            await hanging
        assert is_outage(error.value)
        assert await ask()
        assert await readers.fetchval("SELECT true", timeout=ANSWER_S)
    finally:
        await database.close()
