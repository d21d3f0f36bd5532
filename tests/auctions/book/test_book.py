"""The bid book on real servers: order, durability, repetition, several nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec
import pytest

from auctions.book import book as book_module
from auctions.book import ledger as ledger_module
from auctions.book import log as log_module
from auctions.book.books import Books
from auctions.book.fold import Durable, Fold
from auctions.book.journal import Journal
from auctions.book.ledger import Ledger
from auctions.book.log import Entry
from auctions.rules.core.commands import Admit, Bid, Message, Tick, encode
from auctions.rules.core.outcomes import Code
from auctions.rules.core.state import dump
from marketplace.kernel.embedded import Servers
from marketplace.kernel.errors import NotFound
from marketplace.kernel.ids import new_id
from tests.auctions.book.nodes import Node
from tests.auctions.book.transcripts import START_US, Press, some_bodies

pytestmark = pytest.mark.xdist_group("book")


async def replayed(node: Node, auction_id: UUID, last: int | None = None) -> Fold:
    """The state from the first command on, without snapshots, up to `last` or the head; `replay`
    checks the chain at each row.
    """
    journal = Journal(await node.database.pool())
    head = await journal.head(auction_id)
    assert head is not None
    fold = Fold(head, None)
    async for row in journal.commands(auction_id, 0, head.seq if last is None else last):
        fold.replay(row)
    assert last is not None or fold.chain == head.chain
    return fold


async def same_everywhere(auction_id: UUID, *nodes: Node) -> None:
    """Each node stands where the journal replayed up to there stands, and has all of it; hearts go
    on beating meanwhile.
    """
    end = (await replayed(nodes[0], auction_id)).seq
    for node in nodes:
        book = await node.books.open(auction_id)
        await reaches(book, end)
        async with book.settled() as own:
            fold = await replayed(node, auction_id, own.seq)
            assert (own.seq, own.chain) == (fold.seq, fold.chain)
            assert dump(own.state) == dump(fold.state)


async def reaches(book: book_module.Book, seq: int) -> None:
    """Wait until `seq` is published there."""
    arrived = asyncio.Event()

    def listen(_: Sequence[Durable]) -> None:
        if book.published_seq >= seq:
            arrived.set()

    book.listeners.append(listen)
    listen([])
    async with asyncio.timeout(10):
        await arrived.wait()
    book.listeners.remove(listen)


async def test_commands_come_back_durable_and_in_order(node: Node) -> None:
    auction_id = await node.new_auction("a", "b")
    bids = [node.bid(auction_id, "ab"[n % 2], f"c{n}", 10_000 - n) for n in range(100)]
    durables = await asyncio.gather(*bids)
    assert all(durable.outcome.accepted for durable in durables)
    assert len({durable.seq for durable in durables}) == 100
    stamps = [durable.ts for durable in sorted(durables, key=lambda durable: durable.seq)]
    assert stamps == sorted(set(stamps))
    await same_everywhere(auction_id, node)


async def test_an_unknown_auction_is_not_found(node: Node) -> None:
    with pytest.raises(NotFound):
        await node.books.submit(new_id(), Admit(cid="x", bidder="a"))


async def test_the_same_cid_gets_the_first_answer_also_from_another_node(
    node: Node, other: Node
) -> None:
    auction_id = await node.new_auction("a")
    first = await node.bid(auction_id, "a", "c", 9_000)
    again = await other.bid(auction_id, "a", "c", 9_000)
    assert (again.seq, again.ts, again.chain) == (first.seq, first.ts, first.chain)
    reused = await other.bid(auction_id, "a", "c", 8_000)
    assert reused.outcome.code is Code.CID_REUSED


async def test_both_nodes_bid_at_once_and_agree(node: Node, other: Node) -> None:
    auction_id = await node.new_auction("a", "b")
    durables = await asyncio.gather(
        *(node.bid(auction_id, "a", f"a{n}", 10_000 - n) for n in range(300)),
        *(other.bid(auction_id, "b", f"b{n}", 10_000 - n) for n in range(300)),
    )
    assert all(durable.outcome.accepted for durable in durables)
    # A heartbeat may stand between them.
    assert len({durable.seq for durable in durables}) == 600
    await same_everywhere(auction_id, node, other)


async def test_a_node_that_only_watches_hears_of_each_command_once(node: Node, other: Node) -> None:
    auction_id = await node.new_auction("a")
    watched = await other.books.open(auction_id)
    heard: list[int] = []
    watched.listeners.append(lambda durables: heard.extend(durable.seq for durable in durables))
    first = watched.published_seq + 1
    for number in range(50):
        await node.bid(auction_id, "a", f"c{number}", 10_000 - number)
    await reaches(watched, first + 49)
    assert heard[:50] == list(range(first, first + 50))
    assert watched.recorded_here == 0


async def test_a_node_that_does_not_listen_follows_in_large_pieces(
    node: Node, own_servers: Servers
) -> None:
    auction_id = await node.new_auction("a")
    async with Node(own_servers, listens=False) as worker:
        book = await worker.books.open(auction_id)
        pieces: list[int] = []
        book.listeners.append(lambda durables: pieces.append(len(durables)))
        last = [await node.bid(auction_id, "a", f"c{n}", 10_000 - n) for n in range(60)][-1]
        await reaches(book, last.seq)
        # One that listens hears of each bid alone.
        assert len(pieces) < 60
        own = await worker.bid(auction_id, "a", "own", 9_000)
        assert own.outcome.accepted
        await same_everywhere(auction_id, node, worker)


async def test_commands_of_a_dead_node_are_decided_by_another(node: Node, other: Node) -> None:
    auction_id = await node.new_auction("a")
    book = await other.books.open(auction_id)
    last = book.published_seq
    raw = msgspec.json.encode(Bid(cid="orphan", bidder="a", price="50.00"), order="sorted")
    # What a node does that dies between its reply from Redis and the commit.
    log = log_module.Log(node.redis)
    await log.tell({auction_id: [raw]})
    await log.close()
    await reaches(book, last + 1)
    assert (await book.durable_at(last + 1)).outcome.accepted


async def test_a_cancelled_caller_leaves_a_clean_book(node: Node) -> None:
    auction_id = await node.new_auction("a")
    tasks = [
        asyncio.create_task(node.bid(auction_id, "a", f"c{n}", 10_000 - n)) for n in range(200)
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    kept = await node.bid(auction_id, "a", "c1", 9_999)
    assert kept.outcome.accepted
    await same_everywhere(auction_id, node)


async def test_a_node_that_starts_late_loads_the_snapshot(
    node: Node, other: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for often in ("SNAPSHOT_EVERY", "SNAPSHOT_EVERY_MAX"):
        monkeypatch.setattr(ledger_module, often, 200)
    auction_id = await node.new_auction("a")
    for start in range(0, 600, 100):
        await asyncio.gather(
            *(node.bid(auction_id, "a", f"c{n}", 99_000 - n) for n in range(start, start + 100))
        )
    journal = Journal(await node.database.pool())
    async with asyncio.timeout(10):
        while (snapshot := await journal.snapshot(auction_id, 2**62)) is None:
            await node.bid(auction_id, "a", "again", 98_000)
    assert snapshot.seq >= 200
    await same_everywhere(auction_id, node, other)
    # As it was kept before snapshots were packed.
    await (await node.database.pool()).execute(
        "UPDATE auction_snapshots SET state = $2 WHERE auction_id = $1", auction_id, snapshot.state
    )
    assert await journal.snapshot(auction_id, snapshot.seq) == snapshot
    # One of another version of the program, which cannot be read any more.
    await (await node.database.pool()).execute(
        "UPDATE auction_snapshots SET state = $2 WHERE auction_id = $1",
        auction_id,
        msgspec.msgpack.encode({"former": 1}),
    )
    await other.books.close(auction_id)
    await same_everywhere(auction_id, node, other)


async def test_a_snapshot_is_taken_when_it_has_become_quiet(node: Node) -> None:
    auction_id = await node.new_auction("a")
    for start in range(0, 2_000, 500):
        await asyncio.gather(
            *(node.bid(auction_id, "a", f"c{n}", 99_000 - n) for n in range(start, start + 500))
        )
    journal = Journal(await node.database.pool())
    busy = (await node.books.open(auction_id)).published_seq
    async with asyncio.timeout(20):
        while (snapshot := await journal.snapshot(auction_id, 2**62)) is None:
            await node.books.submit(auction_id, Tick())
    assert snapshot.seq > busy


async def test_a_cid_older_than_the_rules_remember_is_found_in_the_journal(
    own_servers: object, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction_id = await node.new_auction("a")
    first = await node.bid(auction_id, "a", "first", 10_000_000)
    for start in range(0, 17_000, 500):
        await asyncio.gather(
            *(node.bid(auction_id, "a", f"c{n}", 9_999_999 - n) for n in range(start, start + 500))
        )
    again = await node.bid(auction_id, "a", "first", 10_000_000)
    assert (again.seq, again.chain) == (first.seq, first.chain)


async def test_a_lagging_node_reads_what_redis_has_trimmed_from_postgresql(
    node: Node, other: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "KEEP_MAX", 1)
    auction_id = await node.new_auction("a")
    lagging = await other.books.open(auction_id)
    async with lagging.settled():
        # Held still while the log moves on and is trimmed.
        for start in range(0, 600, 200):
            await asyncio.gather(
                *(node.bid(auction_id, "a", f"c{n}", 99_000 - n) for n in range(start, start + 200))
            )
    await same_everywhere(auction_id, node, other)


async def test_what_one_node_has_answered_every_node_shows(
    own_servers: Servers, node: Node
) -> None:
    auction_id = await node.new_auction("a")
    # It hears of others only when it polls, as a node whose Redis connection is lost.
    async with Node(own_servers, listens=False) as deaf:
        await deaf.books.open(auction_id)
        for cents in range(9_000, 8_950, -1):
            done = await node.bid(auction_id, "a", f"c{cents}", cents)
            async with deaf.books.newest(auction_id) as book:
                assert book.fold.seq >= done.seq
                assert book.fold.state.bidders["a"].bids[-1].price == cents


async def test_idle_books_can_be_closed_and_opened_again(node: Node) -> None:
    auction_id = await node.new_auction("a")
    first = await node.bid(auction_id, "a", "c", 5_000)
    await node.books.close(auction_id)
    assert isinstance(node.books, Books)
    again = await node.bid(auction_id, "a", "c", 5_000)
    assert again.seq == first.seq


async def test_a_lost_connection_is_not_lent_to_the_next_commit(
    own_servers: Servers, node: Node
) -> None:
    journal = Journal(await node.database.pool(steady=True))
    async with journal._lease() as first:
        assert await first.execute("SELECT 'first'") == "SELECT 1"
    [lent] = journal._leases
    gone = asyncio.Event()
    lent.add_termination_listener(lambda _: gone.set())
    admin = await asyncpg.connect(own_servers.database_url)
    assert await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", lent.get_server_pid())
    await admin.close()
    async with asyncio.timeout(5):
        await gone.wait()
    async with journal._lease() as second:
        assert await second.execute("SELECT 'second'") == "SELECT 1"
    assert journal._leases != [lent]


def test_what_is_remembered_of_published_commands_has_no_gaps() -> None:
    press = Press()
    fold, ledger = Fold(press.head, None), Ledger()
    entries = [
        Entry(1, seq, START_US + at_us, "", str(seq), encode(body))
        for seq, (at_us, body) in enumerate(some_bodies(), start=1)
    ]
    ledger.begin(fold)
    ledger.decide(entries[:3], is_kept=False)
    ledger.publish(3, "3")
    assert [ledger.recent(seq) is not None for seq in range(5)] == [False, True, True, True, False]
    beyond = Fold(press.head, None)
    beyond.decide(entries[:6])
    # As from a snapshot that another node took meanwhile.
    ledger.begin(beyond)
    ledger.decide(entries[6:8], is_kept=False)
    ledger.publish(8, "8")
    known = {seq: durable.seq for seq in range(10) if (durable := ledger.recent(seq))}
    assert known == {7: 7, 8: 8}


@pytest.mark.parametrize(
    "cid", ["a\nb", "a,b", '"a"', "\\n", "{a}", "a\tb", "é\u2028\U0001f600", " "]
)
async def test_any_cid_and_text_is_kept_as_it_came(node: Node, other: Node, cid: str) -> None:
    auction_id = await node.new_auction("a")
    await node.books.submit(auction_id, Message(cid=cid, text=f"Hello\n{cid}"))
    done = await node.bid(auction_id, "a", cid, 5_000)
    assert done.outcome.accepted
    row = await Journal(await node.database.pool()).by_cid(auction_id, "a", cid)
    assert row is not None
    assert (row["seq"], row["body"]) == (done.seq, done.command.raw)
    await same_everywhere(auction_id, node, other)
