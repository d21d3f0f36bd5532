"""Running auctions get heartbeats from some worker, however few each of them may follow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from auctions.book import books as registry
from auctions.book.fold import Durable
from auctions.tenders.following import Following
from marketplace.kernel.clock import Clock
from marketplace.kernel.embedded import Servers
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.ids import new_id
from tests.auctions.book.nodes import Node

pytestmark = pytest.mark.xdist_group("book")

LOOK_EVERY_S = 0.2
HEARTBEATS = 2
PATIENCE_S = 90


@pytest.fixture
async def admin(own_servers: Servers) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The auctions that are made here are the only ones that run, and end with the test."""
    connection = await asyncpg.connect(own_servers.database_url)
    # Only the tables that say which auctions run are of interest, not the tenders they belong to.
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.execute("DELETE FROM auctions")
    await connection.close()


async def running_auctions(
    servers: Servers, admin: asyncpg.Connection[asyncpg.Record], count: int
) -> list[UUID]:
    async with Node(servers) as maker:
        made = [await maker.new_auction("a") for _ in range(count)]
    for auction_id in made:
        await admin.execute(
            "INSERT INTO auctions (id, lot_id, tender_id, buyer_id, starts_at, created_at, state) "
            "VALUES ($1, $2, $2, $2, now(), now(), 'scheduled')",
            auction_id,
            new_id(),
        )
    return made


@contextlib.asynccontextmanager
async def worker(servers: Servers, limit: int) -> AsyncIterator[Node]:
    """Books without listeners that look what runs, as a worker's do."""
    async with Node(servers, listens=False, limit=limit) as node:
        following = Following(node.database, node.books, Clock())

        async def look() -> None:
            while True:
                await following.look()
                assert len(node.books.followed) <= limit
                await asyncio.sleep(LOOK_EVERY_S)  # the beat of the job

        looking = asyncio.create_task(look())
        yield node
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def heartbeats(
    admin: asyncpg.Connection[asyncpg.Record], auction_ids: Sequence[UUID]
) -> dict[UUID, int]:
    rows = await admin.fetch(
        "SELECT auction_id, seq FROM auction_head WHERE auction_id = ANY($1)", auction_ids
    )
    return {row["auction_id"]: row["seq"] for row in rows}


async def all_beat(
    admin: asyncpg.Connection[asyncpg.Record], auction_ids: Sequence[UUID], count: int = HEARTBEATS
) -> None:
    """Until each of them got so many more heartbeats; nothing else is said in them."""
    before = await heartbeats(admin, auction_ids)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now = await heartbeats(admin, auction_ids)
            if all(now[one] - before[one] >= count for one in auction_ids):
                return
            await asyncio.sleep(LOOK_EVERY_S)  # polling what other processes commit


async def until(is_so: Callable[[], bool]) -> None:
    """What loops of the nodes bring about by and by."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  # nothing tells when a loop has come round
            await asyncio.sleep(0.02)


async def test_full_workers_divide_the_auctions_and_the_rest_take_turns(
    own_servers: Servers, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    made = await running_auctions(own_servers, admin, 10)
    with capture_logs() as logs:
        async with worker(own_servers, 4), worker(own_servers, 4):
            await all_beat(admin, made)
    lines = [line["event"] for line in logs]
    assert lines.count("auctions_exceed_room") == 2


async def test_workers_with_room_follow_all_so_that_a_dead_one_is_not_missed(
    own_servers: Servers, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    made = await running_auctions(own_servers, admin, 4)
    async with worker(own_servers, 20) as one, worker(own_servers, 20) as two:
        await until(
            lambda: all(len(node.books.followed) == len(made) for node in (one, two)),
        )


async def test_what_a_dead_worker_followed_is_taken_over_by_full_ones(
    own_servers: Servers, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    made = await running_auctions(own_servers, admin, 8)
    async with worker(own_servers, 4):
        async with worker(own_servers, 4):
            await all_beat(admin, made)
        await all_beat(admin, made)


async def test_an_auction_that_nobody_uses_makes_room_for_another(
    own_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listen(_: Sequence[Durable]) -> None:
        """Somebody watches."""

    async with Node(own_servers) as maker:
        watched, unwatched, third = [await maker.new_auction("a") for _ in range(3)]
    async with Node(own_servers, limit=2) as node:
        (await node.books.open(watched)).listeners.append(listen)
        left = await node.books.open(unwatched)
        with pytest.raises(Unavailable, match="maximum"):
            await node.books.open(third)
        monkeypatch.setattr(registry, "IDLE_FULL_S", -1.0)
        # Its first heartbeat is on the way.
        await until(lambda: left.is_idle)
        await node.books.open(third)
        assert {book.auction_id for book in node.books.followed} == {watched, third}


async def test_a_bid_that_meets_the_closing_of_its_book_is_answered(
    own_servers: Servers,
) -> None:
    async with Node(own_servers) as node:
        auction_id = await node.new_auction("a")
        async with asyncio.timeout(PATIENCE_S):
            for number in range(20):
                bidding = asyncio.create_task(
                    node.bid(auction_id, "a", f"c{number}", 9_000 - number)
                )
                # From before the bid is sent to after its place is known.
                for _ in range(number):
                    await asyncio.sleep(0)
                await node.books.close(auction_id)
                assert (await bidding).outcome.accepted


async def test_a_node_says_once_that_it_fills_up_and_once_that_it_has_room(
    own_servers: Servers,
) -> None:
    def listen(_: Sequence[Durable]) -> None:
        """Somebody watches."""

    async with Node(own_servers) as maker:
        made = [await maker.new_auction("a") for _ in range(4)]
    with capture_logs() as logs:
        async with Node(own_servers, limit=5) as node:
            for auction_id in made:
                (await node.books.open(auction_id)).listeners.append(listen)
            await until(lambda: "auctions_nearly_full" in [line["event"] for line in logs])
            await node.books.close(made[0])
            await until(lambda: "auctions_room_again" in [line["event"] for line in logs])
    events = [line["event"] for line in logs if line["event"].startswith("auctions_")]
    assert events == ["auctions_nearly_full", "auctions_room_again"]
