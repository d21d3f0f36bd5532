"""Bidding behind Sentinel: a failover is followed, and no acknowledged bid is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.auctions.book.nodes import Node
from tests.topology import SentinelTopology, sentinel, until
from tests.topology.bidding import bidding, closes
from tests.topology.conftest import settings_of
from tests.topology.processes import USER, start_all
from tests.web.test_readiness import failing, running

pytestmark = pytest.mark.xdist_group("topology-sentinel")

REFUSED = "it refuses the user or the password"


@pytest.fixture(scope="module")
async def topology(database_url: str) -> AsyncIterator[SentinelTopology]:
    async with sentinel(database_url=database_url) as topology:
        yield topology


@pytest.fixture
async def nodes(topology: SentinelTopology) -> AsyncIterator[tuple[Node, Node]]:
    async with Node(topology) as node, Node(topology) as other:
        yield node, other


async def test_bids_go_on_after_the_death_of_the_master(
    topology: SentinelTopology, nodes: tuple[Node, Node]
) -> None:
    auction_id = await nodes[0].new_auction("a")
    async with Node(topology, listens=False) as worker:
        async with bidding(auction_id, *nodes) as bids:
            master = await topology.master()
            master.kill()
            await topology.failed_over(master)
            await bids.goes_on()
        # A worker that was idle meanwhile finds the new master too.
        unwatched = await nodes[0].new_auction("a", duration_s=2)
        await nodes[0].books.close(unwatched)
        await nodes[1].books.close(unwatched)
        await worker.books.open(unwatched)
        await closes(worker, unwatched)
    await asyncio.to_thread(master.start)


async def test_bids_go_on_when_the_master_is_frozen_and_comes_back(
    topology: SentinelTopology, nodes: tuple[Node, Node]
) -> None:
    auction_id = await nodes[0].new_auction("a")
    async with bidding(auction_id, *nodes) as bids:
        master = await topology.master()
        master.freeze()
        try:
            await topology.failed_over(master)
            await bids.goes_on()
        finally:
            master.thaw()
        # It still believes to be the master, for as long as no Sentinel has told it otherwise.
        await bids.goes_on()


async def test_a_frozen_sentinel_is_passed_over(topology: SentinelTopology) -> None:
    topology.sentinels[0].freeze()
    try:
        async with Node(topology) as node:
            auction_id = await node.new_auction("a")
            assert (await node.bid(auction_id, "a", "c", 9_000)).outcome.accepted
    finally:
        topology.sentinels[0].thaw()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("/auctions?", "/others?", "Sentinel knows no master of that name"),
        ("sentinel_username=asks", "sentinel_username=nobody", REFUSED),
        (f"//{USER}:", "//nobody:", REFUSED),
    ],
)
async def test_readiness_names_what_is_wrong_with_the_url(
    topology: SentinelTopology, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    url = topology.redis_url.replace(old, new)
    async with running(settings_of(topology.database_url, url, tmp_path)) as client:
        assert await failing(client) == {"Redis": reason}


async def test_a_node_behind_sentinel_is_ready_while_there_is_a_master(
    topology: SentinelTopology, tmp_path: Path
) -> None:
    settings = settings_of(topology.database_url, topology.redis_url, tmp_path)
    async with running(settings) as client:

        async def is_ready() -> bool:
            return await failing(client) == {}

        async def is_without_master() -> bool:
            return await failing(client) == {"Redis": "its master is away"}

        await until(is_ready, "the node is ready")
        # Nobody is left who could be elected.
        for server in topology.servers:
            server.kill()
        await until(is_without_master, "Sentinel has noticed")
        await start_all(topology.servers)
        await until(is_ready, "there is a master again")
