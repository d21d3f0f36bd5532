"""Snapshot and events fit together, after a cut too; slow readers and crowds."""

from __future__ import annotations

import asyncio
import random
import socket as sockets
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from websockets.asyncio.client import connect

from auctions.live import member as members
from auctions.live.hub import Hub
from auctions.live.member import Member
from auctions.rules.core.commands import Message
from marketplace.kernel.settings import Settings
from tests.auctions.live.arena import PATIENCE_S, Arena, Peer, peer, without_place
from tests.conftest import serve
from web.app import create_app

NewArena = Callable[..., Awaitable[Arena]]
FREE = {"step": {"against": "own", "kind": "amount", "value": "0.01"}, "typo_guard_percent": None}


async def bid_at_random(place: Arena, peers: list[Peer], bids: int, seed: int) -> None:
    """Everybody bids, some bids are withdrawn, everything is acked."""
    chance = random.Random(seed)
    price = 40_000_000
    for number in range(bids):
        one = chance.choice(peers)
        price -= chance.randrange(1, 5_000)
        cents = price + chance.choice([0, 0, 7_000])
        ack = await one.bid(f"{seed}-{number}", f"{cents // 100}.{cents % 100:02}")
        if ack["outcome"] == "accepted" and chance.random() < 0.1:
            body = {"bid_seq": ack["seq"], "reason": "A slip"}
            await place.buyer.client.post(f"{place.path}/withdraw_bid", json=body)


async def fresh_view(place: Arena, key: str) -> dict[str, object]:
    async with peer(place.live_url, key) as fresh:
        await fresh.type("snapshot")
        return without_place(fresh.view)


async def settled(one: Peer, wanted: dict[str, object]) -> None:
    """Until the view equals a fresh snapshot; times out when it never does."""
    await one.view_is(lambda view: without_place(view) == wanted)


@pytest.mark.parametrize("visibility", ["blind", "rank", "rank_and_lead", "all"])
async def test_snapshot_and_events_equal_a_fresh_snapshot(arena: NewArena, visibility: str) -> None:
    place = await arena(3, visibility=visibility, tie_rank="best", **FREE)
    async with (
        peer(place.live_url, place.keys[0]) as one,
        peer(place.live_url, place.keys[1]) as two,
        peer(place.live_url, place.keys[2]) as three,
        peer(place.live_url, place.key) as buyer,
    ):
        everybody = [one, two, three, buyer]
        for each in everybody:
            await each.open()
        for seed in range(4):
            await bid_at_random(place, [one, two, three], 12, seed)
            for each, key in zip(everybody, [*place.keys, place.key], strict=True):
                await settled(each, await fresh_view(place, key))
    for each in everybody:
        seqs = [frame["seq"] for frame in each.frames if frame["type"] in {"snapshot", "event"}]
        assert seqs == sorted(seqs)


async def test_after_a_cut_the_view_equals_a_fresh_snapshot(arena: NewArena, hub: Hub) -> None:
    place = await arena(2, visibility="all", **FREE)
    async with peer(place.live_url, place.keys[1]) as rival:
        await rival.open()
        async with peer(place.live_url, place.keys[0]) as one:
            await one.open()
            await one.bid("before", "400000.00")
            await one.view_is(lambda view: view["you"].get("rank") == 1)
        resume = {"last_seq": one.view["seq"], "epoch": one.view["epoch"]}
        await bid_at_random(place, [rival], 20, 7)
        message = {"text": "Ten minutes left"}
        await place.buyer.client.post(f"{place.path}/message", json=message)
        async with peer(place.live_url, place.keys[0], hello=resume) as back:
            back.view = one.view
            await settled(back, await fresh_view(place, place.keys[0]))
    assert "snapshot" not in {frame["type"] for frame in back.frames}
    assert any(frame.get("text") == "Ten minutes left" for frame in back.frames)
    assert all(frame["seq"] > resume["last_seq"] for frame in back.frames if "seq" in frame)


async def test_resuming_in_another_epoch_or_too_far_back_gets_a_snapshot(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        first = await one.hear()
    for hello in ({"last_seq": first["seq"], "epoch": first["epoch"] + 1}, {"last_seq": 0}):
        async with peer(place.live_url, place.keys[0], hello=hello) as back:
            assert (await back.hear())["type"] == "snapshot"


async def test_another_node_continues_where_the_first_left(
    arena: NewArena, settings: Settings
) -> None:
    place = await arena(1, **FREE)
    async with serve(create_app(settings)) as url:
        async with peer(place.live_url, place.keys[0]) as one:
            await one.open()
            ack = await one.bid("here", "400000.00")
            await one.view_is(lambda view: view["you"].get("rank") == 1)
        resume = {"last_seq": one.view["seq"], "epoch": one.view["epoch"]}
        async with peer(place.at(url), place.keys[0], hello=resume) as there:
            there.view = one.view
            again = await there.bid("here", "400000.00")
            assert again["receipt"] == ack["receipt"]
            await settled(there, await fresh_view(place, place.keys[0]))


async def test_no_second_holds_more_than_twenty_events(arena: NewArena) -> None:
    place = await arena(1, **FREE)
    async with (
        peer(place.live_url, place.keys[0]) as one,
        peer(place.live_url, place.key) as buyer,
    ):
        await one.open()
        await buyer.open()
        start = len(buyer.frames)
        for wave in range(3):
            sent = [f"{wave}-{number}" for number in range(50)]
            for number, cid in enumerate(sent):
                await one.say("bid", cid=cid, price=f"{400000 - wave * 50 - number}.00")
            waiting = set(sent)
            while waiting:
                waiting.discard((await one.hear()).get("cid"))
        await buyer.view_is(
            lambda view: any(row["price"] == "399851.00" for row in view["standing"])
        )
    times = [
        at
        for frame, at in zip(buyer.frames[start:], buyer.heard_at[start:], strict=True)
        if frame["type"] == "event"
    ]
    for index, at in enumerate(times):
        assert sum(at <= other < at + 1 for other in times[index:]) <= 20


async def test_a_slow_reader_misses_events_and_gets_a_snapshot(
    arena: NewArena, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "QUEUE_BYTES_MAX", 20_000)
    place = await arena(1, **FREE)
    raw = narrow_socket(place.url)
    async with (
        peer(place.live_url, place.keys[0]) as one,
        connect(
            place.live_url,
            sock=raw,
            additional_headers={"Authorization": f"Bearer {place.key}"},
            compression=None,
            max_queue=1,
            proxy=None,
        ) as slow_socket,
    ):
        slow = Peer(slow_socket)
        await slow.say("hello")
        await slow.hear()
        await one.open()
        (member,) = [m for m in hub.members() if m.viewer.role == "buyer"]
        await flood(hub, place, member)
        assert member.behind_since is not None
        ack = await one.bid("last", "300000.00")
        assert ack["outcome"] == "accepted"
        await slow.type("snapshot")
        await slow.view_is(lambda view: view["standing"] != [])
    assert slow.view["standing"][0]["price"] == "300000.00"


async def test_a_reader_that_never_catches_up_is_closed(
    arena: NewArena, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "QUEUE_BYTES_MAX", 20_000)
    monkeypatch.setattr(members, "BEHIND_S_MAX", 0.3)
    place = await arena(1, **FREE)
    raw = narrow_socket(place.url)
    async with connect(
        place.live_url,
        sock=raw,
        additional_headers={"Authorization": f"Bearer {place.key}"},
        compression=None,
        max_queue=1,
        proxy=None,
    ) as socket:
        slow = Peer(socket)
        await slow.say("hello")
        await slow.hear()
        (member,) = [m for m in hub.members() if m.viewer.role == "buyer"]
        await flood(hub, place, member)
        async with asyncio.timeout(5):
            assert await asyncio.shield(member.leaving) == (1013, "too slow")


def narrow_socket(url: str) -> sockets.socket:
    """A connected socket that takes little before its reader reads."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    host, port = url.removeprefix("http://").split(":")
    raw.connect((host, int(port)))
    return raw


async def flood(hub: Hub, place: Arena, member: Member) -> None:
    """The buyer talks until its own reader is behind."""
    body = Message(text="x" * 500)
    async with asyncio.timeout(PATIENCE_S):
        while member.behind_since is None:
            auction_id = UUID(place.auction_id)
            await asyncio.gather(*(hub.books.submit(auction_id, body) for _ in range(200)))
