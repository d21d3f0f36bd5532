"""Batches of many auctions are committed together; each stands and falls by its own fence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import count
from uuid import UUID

import asyncpg
import pytest

from auctions.book.committer import FLIGHTS_MAX, Batch
from auctions.book.fold import Durable
from auctions.book.journal import _RECORD_MANY, Journal, Pool, Record
from marketplace.kernel.embedded import Servers
from tests.auctions.book.holding import held
from tests.auctions.book.nodes import Node
from tests.auctions.book.test_book import same_everywhere

pytestmark = pytest.mark.xdist_group("book")

HEADS = 100_000


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many auctions each shared transaction carried."""
    counts: list[int] = []
    keep_many = Journal.keep_many

    async def counted(self: Journal, batches: Sequence[Batch]) -> set[int]:
        counts.append(len(batches))
        return await keep_many(self, batches)

    monkeypatch.setattr(Journal, "keep_many", counted)
    return counts


async def next_batch(journal: Journal, auction_id: UUID, **changes: object) -> Batch:
    """One command that continues the head of this auction; nothing of it is folded."""
    head = await journal.head(auction_id)
    assert head is not None
    bidder = str(changes.pop("bidder", "a"))
    tag = str(changes.pop("after_tag", head.tag))
    record = Record(head.seq + 1, head.ts + 1, bidder, "forged", b"{}", b"{}", b"c" * 32, "t" * 40)
    return Batch(auction_id, head.epoch, head.seq, tag, [record], head.status, head.close_at)


def send(journal: Journal, batches: Sequence[Batch]) -> list[asyncio.Future[bool]]:
    return [journal.record(batch, lambda: None) for batch in batches]


async def test_all_that_is_ready_is_committed_at_once(node: Node, carried: list[int]) -> None:
    auctions = [await node.new_auction("a", "b") for _ in range(12)]
    for turn in range(5):
        bids = [
            node.bid(auction, who, f"{who}{turn}", 9_000 - 10 * turn - (who == "b"))
            for auction in auctions
            for who in "ab"
        ]
        assert all(durable.outcome.accepted for durable in await asyncio.gather(*bids))
    assert max(carried) >= 10
    for auction in auctions:
        await same_everywhere(auction, node)


async def test_more_held_heads_than_flights_hold_up_no_other_auction(
    own_servers: Servers, node: Node, carried: list[int]
) -> None:
    auctions = [await node.new_auction("a") for _ in range(FLIGHTS_MAX + 5)]
    locked, free = auctions[: FLIGHTS_MAX + 1], auctions[FLIGHTS_MAX + 1 :]
    async with AsyncExitStack() as stack:
        for auction in locked:
            await stack.enter_async_context(held(own_servers.database_url, auction))
        stuck = [asyncio.create_task(node.bid(a, "a", "first", 9_000)) for a in locked]
        for turn in range(5):
            await asyncio.gather(*(node.bid(a, "a", f"{turn}", 9_000 - turn) for a in free))
        # The others did not wait for the locks: those are held to this line.
        assert not any(task.done() for task in stuck)
    assert all(durable.outcome.accepted for durable in await asyncio.gather(*stuck))
    assert carried
    for auction in auctions:
        await same_everywhere(auction, node)


async def test_a_head_that_is_elsewhere_fails_alone(node: Node) -> None:
    auctions = [await node.new_auction("a") for _ in range(3)]
    journal = Journal(await node.database.pool(steady=True))
    batches = [await next_batch(journal, auction) for auction in auctions]
    batches[1] = await next_batch(journal, auctions[1], after_tag="other")
    assert await asyncio.gather(*send(journal, batches)) == [True, False, True]
    await journal.stop()


async def test_rows_that_are_refused_fail_alone(node: Node) -> None:
    auctions = [await node.new_auction("a") for _ in range(3)]
    journal = Journal(await node.database.pool(steady=True))
    batches = [await next_batch(journal, auction) for auction in auctions]
    batches[1] = await next_batch(journal, auctions[1], bidder="a\0")
    first, second, third = await asyncio.gather(*send(journal, batches), return_exceptions=True)
    assert (first, third) == (True, True)
    assert isinstance(second, asyncpg.PostgresError)
    await journal.stop()


async def test_a_lost_connection_fails_all_of_its_flight(
    own_servers: Servers, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    auctions = [await node.new_auction("a") for _ in range(4)]
    keep_many, losses = Journal.keep_many, count()

    async def lost_once(self: Journal, batches: Sequence[Batch]) -> set[int]:
        kept = await keep_many(self, batches)
        if next(losses) == 0:
            # Kept, but nobody heard of it.
            raise asyncpg.ConnectionDoesNotExistError("lost")
        return kept

    monkeypatch.setattr(Journal, "keep_many", lost_once)
    bids = await asyncio.gather(*(node.bid(a, "a", "once", 9_000) for a in auctions))
    assert next(losses) > 0
    for auction, durable in zip(auctions, bids, strict=True):
        assert durable.outcome.accepted
        again = await node.bid(auction, "a", "once", 9_000)
        assert again.seq == durable.seq
        await same_everywhere(auction, node)


async def test_a_listener_that_raises_silences_no_other_auction(
    node: Node, carried: list[int]
) -> None:
    auctions = [await node.new_auction("a") for _ in range(6)]
    heard: list[UUID] = []

    def hears(auction_id: UUID) -> Callable[[Sequence[Durable]], None]:
        return lambda _: heard.append(auction_id)

    def fails(_: Sequence[Durable]) -> None:
        raise RuntimeError("a listener with a fault")

    for auction in auctions:
        book = await node.books.open(auction)
        book.listeners.append(fails if auction == auctions[0] else hears(auction))
    bids = await asyncio.gather(*(node.bid(a, "a", "first", 9_000) for a in auctions))
    assert all(durable.outcome.accepted for durable in bids)
    assert set(heard) == set(auctions[1:])
    assert carried
    # Its own auction goes on too.
    (await node.books.open(auctions[0])).listeners.clear()
    assert (await node.bid(auctions[0], "a", "second", 8_000)).outcome.accepted
    await same_everywhere(auctions[0], node)


async def test_a_reader_sees_a_settled_state_between_bids(node: Node) -> None:
    auctions = [await node.new_auction("a") for _ in range(4)]
    books = [await node.books.open(auction) for auction in auctions]

    async def reads(number: int) -> None:
        for turn in range(20):
            durable = await node.bid(auctions[number], "a", f"{turn}", 9_000 - turn)
            async with books[number].settled(at_least=durable.seq) as fold:
                assert fold.seq >= durable.seq
                assert not books[number].ledger.pending

    await asyncio.gather(*(reads(number) for number in range(4)))


async def test_two_nodes_in_the_same_auctions_lose_nothing(node: Node, other: Node) -> None:
    auctions = [await node.new_auction("a", "b") for _ in range(8)]
    cents = count(900_000, -1)

    async def bids(of: Node, auction: UUID, who: str) -> None:
        for turn in range(15):
            durable = await of.bid(auction, who, f"{who}{turn}", next(cents))
            assert durable.outcome.accepted

    await asyncio.gather(
        *(bids(of, a, who) for a in auctions for of, who in ((node, "a"), (other, "b")))
    )
    for auction in auctions:
        await same_everywhere(auction, node, other)


class Undone(Exception):
    """Ends a transaction whose rows nobody else shall see."""

    def __init__(self, plan: list[str]) -> None:
        self.plan = plan


async def plan_of_many(pool: Pool) -> None:
    """How PostgreSQL would run the statement beside HEADS heads; raises Undone with the plan."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO auction_head (auction_id, tag, chain, terms, salt_key, status)"
            " SELECT gen_random_uuid(), '', '', '', '', 'scheduled' FROM generate_series(1, $1)",
            HEADS,
        )
        await connection.execute("ANALYZE auction_head")
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE many AS {_RECORD_MANY}")
        rows = await connection.fetch(f"EXPLAIN EXECUTE many ({', '.join(['NULL'] * 18)})")
        await connection.execute("DEALLOCATE many")
        raise Undone([row[0] for row in rows])


async def test_heads_are_found_by_their_key_among_a_hundred_thousand(node: Node) -> None:
    pool = await node.database.pool()
    with pytest.raises(Undone) as undone:
        await plan_of_many(pool)
    plan = "\n".join(undone.value.plan)
    assert "Index Scan" in plan
    assert "Seq Scan on auction_head" not in plan, plan
