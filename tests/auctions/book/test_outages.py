"""Redis wiped, rolled back or frozen; PostgreSQL frozen or killed; a heart that stops."""

from __future__ import annotations

import asyncio
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from auctions.book.heart import Heart
from auctions.book.log import Entry
from auctions.book.receipts import SecretError, load_signer, public_keys, signed_bytes
from auctions.book.waiting import RetryError, Waiting
from auctions.rules.core.commands import Tick
from auctions.rules.core.outcomes import Code, Resumed
from marketplace.kernel.clock import Clock, rfc3339
from marketplace.kernel.embedded import Servers
from tests.auctions.book.nodes import Node
from tests.auctions.book.test_book import same_everywhere

pytestmark = pytest.mark.xdist_group("book")


async def test_redis_wiped_in_the_middle_loses_and_doubles_nothing(node: Node, other: Node) -> None:
    auction_id = await node.new_auction("a", "b")
    await other.books.open(auction_id)
    rounds = []
    for start in (0, 200, 400):
        rounds += [
            asyncio.create_task(who.bid(auction_id, name, f"{name}{n}", 100_000 - n))
            for n in range(start, start + 200)
            for who, name in ((node, "a"), (other, "b"))
        ]
        await asyncio.wait(rounds[-400:], return_when=asyncio.FIRST_COMPLETED)
        await node.redis.flushdb()
    durables = await asyncio.gather(*rounds)
    seqs = [durable.seq for durable in durables]
    assert len(set(seqs)) == 1_200
    assert (await node.books.open(auction_id)).epoch >= 2
    await same_everywhere(auction_id, node, other)


async def test_a_place_given_again_in_a_new_epoch_leaves_nobody_waiting(node: Node) -> None:
    auction_id = await node.new_auction("a")
    book = await node.books.open(auction_id)
    loop, place = asyncio.get_running_loop(), book.published_seq + 100
    waiting = [Waiting(b"{}", loop.create_future(), loop.time() + 60) for _ in range(2)]
    async with book.settled():
        for epoch, own in enumerate(waiting, 1):
            entry = Entry(epoch, place, 2**50, "e" * 40, f"{epoch}" * 40, b"{}")
            book.admitted([entry], [own])
        with pytest.raises(RetryError):
            await waiting[0].future
        assert not waiting[1].future.done()
    # Neither continues what PostgreSQL has: the second is told so as well.
    with pytest.raises(RetryError):
        await waiting[1].future
    await node.bid(auction_id, "a", "next", 9_000)


async def test_redis_rolled_back_to_an_old_copy_forks_and_is_replaced(node: Node) -> None:
    auction_id = await node.new_auction("a")
    key = f"{{a:{auction_id}}}:head"
    old = await node.redis.hgetall(key)
    kept = [await node.bid(auction_id, "a", f"c{n}", 10_000 - n) for n in range(20)]
    await node.redis.hset(key, mapping=old)
    later = await node.bid(auction_id, "a", "later", 9_000)
    assert later.seq > kept[-1].seq
    await same_everywhere(auction_id, node)


async def test_a_changed_entry_in_redis_never_becomes_durable(node: Node) -> None:
    auction_id = await node.new_auction("a")
    before = (await node.bid(auction_id, "a", "c", 9_000)).seq
    key = f"{{a:{auction_id}}}"
    seq = before + 1
    # An intruder writes an entry with a tag that does not follow.
    body = b'{"bidder":"a","cid":"evil","kind":"bid","price":"1.00"}'
    await node.redis.xadd(f"{key}:log", {"t": 2**50, "g": "f" * 40, "b": body}, id=f"{seq}-0")
    await node.redis.hset(f"{key}:head", mapping={"seq": seq, "tag": "f" * 40})
    after = await node.bid(auction_id, "a", "mine", 8_000)
    assert after.outcome.accepted
    async with (await node.books.open(auction_id)).settled() as fold:
        assert fold.state.bidders["a"].current.price == 8_000  # type: ignore[union-attr]
    await same_everywhere(auction_id, node)


async def test_nothing_is_answered_while_postgresql_is_frozen(
    own_servers: Servers, node: Node
) -> None:
    auction_id = await node.new_auction("a")
    own_servers.postgres.freeze()
    try:
        bid = asyncio.create_task(node.bid(auction_id, "a", "c", 9_000))
        done, _ = await asyncio.wait([bid], timeout=0.5)
        assert not done
    finally:
        own_servers.postgres.thaw()
    assert (await bid).outcome.accepted
    await same_everywhere(auction_id, node)


async def test_killed_servers_come_back_and_the_auction_goes_on(
    own_servers: Servers, node: Node
) -> None:
    auction_id = await node.new_auction("a")
    await node.bid(auction_id, "a", "c0", 10_000)
    for number, server in enumerate((own_servers.postgres, own_servers.redis), start=1):
        server.kill()
        bid = asyncio.create_task(node.bid(auction_id, "a", f"c{number}", 10_000 - number))
        await asyncio.to_thread(server.start)
        assert (await bid).outcome.accepted
    await same_everywhere(auction_id, node)


async def test_a_frozen_redis_delays_but_loses_nothing(own_servers: Servers, node: Node) -> None:
    auction_id = await node.new_auction("a")
    own_servers.redis.freeze()
    try:
        bid = asyncio.create_task(node.bid(auction_id, "a", "c", 9_000))
        done, _ = await asyncio.wait([bid], timeout=0.3)
        assert not done
    finally:
        own_servers.redis.thaw()
    assert (await bid).outcome.accepted
    await same_everywhere(auction_id, node)


async def test_waiting_commands_are_bounded_and_all_decided(own_servers: Servers) -> None:
    async with Node(own_servers, pending_max=16) as node:
        auction_id = await node.new_auction("a")
        key = f"{{a:{auction_id}}}:head"
        own_servers.postgres.freeze()
        try:
            bids = [
                asyncio.create_task(node.bid(auction_id, "a", f"c{n}", 10_000 - n))
                for n in range(100)
            ]
            await asyncio.wait(bids, timeout=0.3)
            seq, durable = (int(v or 0) for v in await node.redis.hmget(key, ["seq", "durable"]))
            assert 0 < seq - durable <= 16
        finally:
            own_servers.postgres.thaw()
        assert all(durable.outcome.accepted for durable in await asyncio.gather(*bids))
        await same_everywhere(auction_id, node)


async def test_an_auction_closes_without_any_timer(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auctions.book.heart.is_due", lambda *_: False)
    auction_id = await node.new_auction("a", duration_s=1)
    await node.bid(auction_id, "a", "c", 9_000)
    async with (await node.books.open(auction_id)).settled() as fold:
        close_at = fold.state.close_at
    code = None
    async with asyncio.timeout(5):
        number = 0
        while code is None:
            number += 1
            late = await node.bid(auction_id, "a", f"late{number}", 9_000 - number)
            code = late.outcome.code
    assert code is Code.LATE
    assert late.ts >= close_at


async def test_a_silent_heart_interrupts_the_auction_and_the_next_beat_resumes_it(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auctions.book.heart.is_due", lambda *_: False)
    auction_id = await node.new_auction("a", duration_s=30)
    await node.bid(auction_id, "a", "c", 9_000)
    book = await node.books.open(auction_id)
    async with book.settled() as fold:
        blind_from = fold.state.last_tick_us + fold.state.terms.near_blind_us
    refused, number = None, 0
    async with asyncio.timeout(20):
        while refused is None:
            number += 1
            durable = await node.bid(auction_id, "a", f"n{number}", 9_000 - number)
            refused = durable.outcome.code
    assert refused is Code.PAUSED
    assert durable.ts > blind_from
    tick = await node.books.submit(auction_id, Tick())
    resumed = [event for event in tick.outcome.events if isinstance(event, Resumed)]
    assert resumed[0].outage
    assert resumed[0].close_at >= tick.ts + 120_000_000
    assert (await node.bid(auction_id, "a", "after", 8_000)).outcome.accepted or number > 900


async def test_the_heart_closes_the_auction_at_its_time(node: Node) -> None:
    starts_at = rfc3339(Clock().now_us())
    auction_id = await node.new_auction("a", starts_at=starts_at, duration_s=1)
    book = await node.books.open(auction_id)
    closed = asyncio.Event()

    def listen(_: object) -> None:
        if book.fold.state.status == "closed":
            closed.set()

    book.listeners.append(listen)
    async with asyncio.timeout(10):
        await closed.wait()
    assert isinstance(node.books.heart, Heart)


async def test_receipts_verify_with_the_public_key_alone(node: Node) -> None:
    auction_id = await node.new_auction("a")
    pool = await node.database.pool()
    signer = await load_signer(pool, "secret")
    durable = await node.bid(auction_id, "a", "c", 9_000)
    receipt = signer.receipt(auction_id, durable)
    key = (await public_keys(pool))[receipt.key_id]
    Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(
        b64decode(receipt.signature), signed_bytes(receipt)
    )
    assert receipt.outcome == "accepted"
    assert (await load_signer(pool, "secret")).key_id == signer.key_id
    with pytest.raises(SecretError):
        await load_signer(pool, "another")
