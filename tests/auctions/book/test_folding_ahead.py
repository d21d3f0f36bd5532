"""The next commands are folded while the last ones are on their way to PostgreSQL."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from auctions.book.book import Book
from marketplace.kernel.embedded import Servers
from tests.auctions.book.holding import Drawing, held
from tests.auctions.book.nodes import Node
from tests.auctions.book.test_book import same_everywhere

pytestmark = pytest.mark.xdist_group("book")


async def drawn(node: Node, auction_id: UUID) -> tuple[Book, Drawing]:
    book, drawing = await node.books.open(auction_id), Drawing()
    book.preparers.append(drawing)
    book.listeners.append(drawing.published)
    return book, drawing


def seqs(drawing: Drawing, kind: str) -> list[int]:
    return [seq for noted, seq in drawing.notes if noted == kind]


async def test_folded_ahead_but_shown_only_when_durable(own_servers: Servers, node: Node) -> None:
    auction_id = await node.new_auction("a")
    book, drawing = await drawn(node, auction_id)
    async with held(own_servers.database_url, auction_id):
        first = asyncio.create_task(node.bid(auction_id, "a", "first", 9_000))
        await drawing.has_folded("first")
        second = asyncio.create_task(node.bid(auction_id, "a", "second", 8_000))
        await drawing.has_folded("second")
        assert not first.done()
        before = book.published_seq
        assert not [seq for seq in seqs(drawing, "published") if seq > before]
        assert book.fold.seq >= before + 2
    durables = [await first, await second]
    assert all(durable.outcome.accepted for durable in durables)
    assert before < durables[0].seq < durables[1].seq
    await same_everywhere(auction_id, node)
    folded, published = seqs(drawing, "folded"), seqs(drawing, "published")
    assert published == list(range(published[0], published[-1] + 1))
    assert folded[: len(published)] == published
    for seq in published:
        assert drawing.notes.index(("folded", seq)) < drawing.notes.index(("published", seq))
    assert ("lost", 0) not in drawing.notes


async def test_who_waits_for_the_state_sees_what_is_durable_and_holds_nobody_up(
    own_servers: Servers, node: Node
) -> None:
    auction_id = await node.new_auction("a")
    book, drawing = await drawn(node, auction_id)

    async def read() -> tuple[int, int]:
        async with book.settled() as fold:
            return fold.seq, book.published_seq

    async with held(own_servers.database_url, auction_id):
        bids = [asyncio.create_task(node.bid(auction_id, "a", "c0", 9_000))]
        await drawing.has_folded("c0")
        reader = asyncio.create_task(read())
        bids += [
            asyncio.create_task(node.bid(auction_id, "a", f"c{n}", 9_000 - n)) for n in range(1, 50)
        ]
        done, _ = await asyncio.wait([reader, *bids], timeout=0.2)
        assert not done
    folded, published = await reader
    assert folded == published
    assert all(durable.outcome.accepted for durable in await asyncio.gather(*bids))
    await same_everywhere(auction_id, node)


async def test_a_lost_commit_is_told_and_decided_again(own_servers: Servers, node: Node) -> None:
    auction_id = await node.new_auction("a")
    _, drawing = await drawn(node, auction_id)
    async with held(own_servers.database_url, auction_id) as lock:
        bids = [asyncio.create_task(node.bid(auction_id, "a", "first", 9_000))]
        await drawing.has_folded("first")
        bids.append(asyncio.create_task(node.bid(auction_id, "a", "second", 8_000)))
        await drawing.has_folded("second")
        await lock.lose()
    durables = await asyncio.gather(*bids)
    assert [durable.outcome.accepted for durable in durables] == [True, True]
    await same_everywhere(auction_id, node)
    published = seqs(drawing, "published")
    assert published == list(range(published[0], published[-1] + 1))
    assert ("lost", 0) in drawing.notes
    # What was lost was drawn once more before it was published.
    after = drawing.notes[drawing.notes.index(("lost", 0)) :]
    for durable in durables:
        assert ("folded", durable.seq) in after
        assert after.index(("folded", durable.seq)) < after.index(("published", durable.seq))


async def test_a_snapshot_is_kept_only_of_what_is_durable(
    own_servers: Servers, node: Node, other: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for often in ("SNAPSHOT_EVERY", "SNAPSHOT_EVERY_MAX"):
        monkeypatch.setattr(f"auctions.book.ledger.{often}", 1)
    auction_id = await node.new_auction("a")
    book, drawing = await drawn(node, auction_id)
    async with held(own_servers.database_url, auction_id) as lock:
        bid = asyncio.create_task(node.bid(auction_id, "a", "c", 9_000))
        await drawing.has_folded("c")
        kept = await (await node.database.pool()).fetchval(
            "SELECT max(seq) FROM auction_snapshots WHERE auction_id = $1", auction_id
        )
        assert (kept or 0) <= book.published_seq
        await lock.lose()
    assert (await bid).outcome.accepted
    await same_everywhere(auction_id, node, other)
