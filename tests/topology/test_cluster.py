"""Bidding on a Redis Cluster: masters die and slots move, and no acknowledged bid is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from redis.crc import key_slot

from auctions.book import wakes
from marketplace.kernel.redis import connect
from tests.auctions.book.nodes import Node
from tests.auctions.book.test_book import reaches
from tests.kernel.test_channels import is_heard, listening
from tests.topology import ClusterTopology, RedisProcess, cluster, until
from tests.topology.bidding import bidding, closes
from tests.topology.conftest import settings_of
from tests.topology.processes import HOST, SERVER_LINES, USER
from tests.web.test_readiness import failing, running

pytestmark = pytest.mark.xdist_group("topology-cluster")


@pytest.fixture(scope="module")
async def topology(database_url: str) -> AsyncIterator[ClusterTopology]:
    async with cluster(database_url=database_url) as topology:
        yield topology


@pytest.fixture
async def nodes(topology: ClusterTopology) -> AsyncIterator[tuple[Node, Node]]:
    async with Node(topology) as node, Node(topology) as other:
        yield node, other


def key_of(auction_id: UUID) -> str:
    return f"{{a:{auction_id}}}:head"


async def test_bids_go_on_after_the_death_of_a_master(
    topology: ClusterTopology, nodes: tuple[Node, Node]
) -> None:
    auction_id = await nodes[0].new_auction("a")
    async with Node(topology, listens=False) as worker:
        async with bidding(auction_id, *nodes) as bids:
            master = await topology.master_of(key_of(auction_id))
            master.kill()
            await topology.failed_over(key_of(auction_id), master)
            await bids.goes_on()
        # A worker that was idle meanwhile finds the new master too.
        unwatched = await nodes[0].new_auction("a", duration_s=2)
        await nodes[0].books.close(unwatched)
        await nodes[1].books.close(unwatched)
        await worker.books.open(unwatched)
        await closes(worker, unwatched)
    await asyncio.to_thread(master.start)
    await topology.healed()


async def test_a_frozen_master_holds_up_its_own_auctions_only(
    topology: ClusterTopology, nodes: tuple[Node, Node]
) -> None:
    node = nodes[0]
    auction_id = await node.new_auction("a")
    master = await topology.master_of(key_of(auction_id))
    elsewhere = await node.new_auction("a")
    while await topology.master_of(key_of(elsewhere)) is master:
        elsewhere = await node.new_auction("a")
    async with bidding(auction_id, *nodes) as bids, bidding(elsewhere, *nodes) as others:
        master.freeze()
        try:
            await others.goes_on()
            await topology.failed_over(key_of(auction_id), master)
            await bids.goes_on()
        finally:
            master.thaw()
        await topology.healed()
        await bids.goes_on()
        await others.goes_on()


async def test_other_nodes_hear_of_commits_by_message(
    topology: ClusterTopology, nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on each master: they are listened to at once, not in turn."""
    monkeypatch.setattr(wakes, "POLL_S", 3_600)
    masters: set[int] = set()
    while len(masters) < 3:
        auction_id = await nodes[0].new_auction("a")
        book = await nodes[1].books.open(auction_id)
        masters.add((await topology.master_of(key_of(auction_id))).port)
        for number in range(10):
            durable = await nodes[0].bid(auction_id, "a", f"c{number}", 9_000 - number)
            await reaches(book, durable.seq)


@pytest.mark.parametrize("sharded", [False, True])
async def test_channels_are_heard_on_a_cluster(topology: ClusterTopology, sharded: bool) -> None:
    here, there = connect(topology.redis_url), connect(topology.redis_url)
    async with listening(here, sharded=sharded) as heard:
        await is_heard(there, heard, sharded=sharded)
    await here.aclose()
    await there.aclose()


async def test_bids_go_on_while_their_slot_moves(
    topology: ClusterTopology, nodes: tuple[Node, Node]
) -> None:
    auction_id = await nodes[0].new_auction("a")
    async with bidding(auction_id, *nodes) as bids:
        await topology.move_slot(key_of(auction_id))
        await bids.goes_on()


async def test_readiness_names_a_slot_that_is_away_and_a_right_missing_on_one_master(
    topology: ClusterTopology, tmp_path: Path
) -> None:
    settings = settings_of(topology.database_url, topology.redis_url, tmp_path)
    async with running(settings) as client:

        async def fails_by(reason: str) -> None:
            expected = {"Redis": reason} if reason else {}

            async def is_said() -> bool:
                return await failing(client) == expected

            await until(is_said, reason or "the node is ready")

        await fails_by("")
        master = await topology.master_of("any")
        slot = key_slot(b"any")
        await master.ask("CLUSTER", "DELSLOTS", slot)
        try:
            await fails_by("some slots of the cluster have no master")
        finally:
            await master.ask("CLUSTER", "ADDSLOTS", slot)
        await fails_by("")
        await master.ask("ACL", "SETUSER", USER, "-xadd")
        try:
            await fails_by("its user may not run xadd")
        finally:
            await master.ask("ACL", "SETUSER", USER, "+xadd")
        await fails_by("")


async def test_readiness_names_a_server_that_is_no_cluster(
    topology: ClusterTopology, tmp_path: Path
) -> None:
    alone = RedisProcess("alone", tmp_path, SERVER_LINES)
    alone.start()
    try:
        url = topology.redis_url.rpartition("@")[0] + f"@{HOST}:{alone.port}"
        async with running(settings_of(topology.database_url, url, tmp_path)) as client:
            assert await failing(client) == {"Redis": "it is not a cluster"}
    finally:
        alone.stop()
