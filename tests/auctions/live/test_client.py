"""The client for integrators: it heals by itself, and a bid counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from auctions.live.client import AuctionClient, FrameRefused, Refused
from auctions.live.hub import Hub
from auctions.live.rest_client import ApiProblem, RestClient
from auctions.live.view import fold
from tests.auctions.live.arena import Arena, peer, without_place

NewArena = Callable[..., Awaitable[Arena]]


async def test_it_bids_and_keeps_the_view(arena: NewArena) -> None:
    place = await arena(1)
    async with AuctionClient(place.url, place.keys[0], place.auction_id) as client:
        await client.until("open")
        ack = await client.bid("400000.00")
        small = await client.bid("399999.99")
        assert (ack.accepted, ack.rank, ack.receipt["outcome"]) == (True, 1, "accepted")
        assert (small.accepted, small.code) == (False, "step_too_small")
        assert await client.hint(1) == "399950.00"
        await client.when(lambda view: view["you"].get("best") == "400000.00")
        async with peer(place.live_url, place.keys[0]) as fresh:
            await fresh.hear()
        assert without_place(client.view) == without_place(fresh.view)


async def test_a_bid_survives_cuts_and_counts_once(arena: NewArena, hub: Hub) -> None:
    place = await arena(1, typo_guard_percent=None)

    async def cut() -> None:
        for _ in range(5):
            seen = client.connections_count
            while client.connections_count == seen:
                for member in hub.members():
                    if member.alias == place.aliases[0]:
                        member.leave(1012, "cut")
                await client.changed()

    async with AuctionClient(place.url, place.keys[0], place.auction_id) as client:
        await client.until("open")
        prices = [f"{400000 - 100 * number}.00" for number in range(30)]
        cutting = asyncio.create_task(cut())
        acks = [await client.bid(price, cid=f"c{price}") for price in prices]
        await cutting
        assert client.connections_count > 5
        again = await client.bid(prices[-1], cid=f"c{prices[-1]}")
    assert all(ack.accepted for ack in acks)
    assert again.receipt == acks[-1].receipt
    whole = await RestClient(place.url, place.key).get(place.path)
    assert [row["price"] for row in whole["standing"]] == [prices[-1]]


async def test_events_arrive_in_order(arena: NewArena) -> None:
    place = await arena(1)
    async with AuctionClient(place.url, place.key, place.auction_id) as client:
        await client.until("open")
        reading = asyncio.ensure_future(anext(texts(client)))
        await RestClient(place.url, place.key).post(f"{place.path}/message", {"text": "Hello"})
        async with asyncio.timeout(10):
            assert await reading == "Hello"


async def texts(client: AuctionClient):
    async for frame in client.events():
        if frame.get("kind") == "message":
            yield frame["text"]


async def test_it_knows_the_servers_clock(arena: NewArena, hub: Hub) -> None:
    place = await arena(1)
    async with AuctionClient(place.url, place.keys[0], place.auction_id) as client:
        while not client.clock.known:
            await client.changed()
        off_us = abs(client.clock.now_us() - hub.clock.now_us())
        assert off_us <= client.clock.uncertainty_s * 1e6 + 2_000


async def test_final_refusals_are_raised(arena: NewArena) -> None:
    place = await arena(1)
    with pytest.raises(Refused) as refused:
        async with AuctionClient(place.url, "no.key", place.auction_id):
            pass
    assert refused.value.close_code == 4401
    async with AuctionClient(place.url, place.key, place.auction_id) as buyer:
        with pytest.raises(FrameRefused) as frame:
            await buyer.bid("1.00")
    assert frame.value.code == "not_allowed"


async def test_plain_calls_raise_problems(arena: NewArena) -> None:
    place = await arena(1)
    with pytest.raises(ApiProblem) as problem:
        await RestClient(place.url).get(place.path)
    assert (problem.value.status, problem.value.code) == (401, "not_authenticated")


def test_what_a_frame_carries_replaces_that_part() -> None:
    view = fold({}, {"type": "snapshot", "seq": 1, "state": "open", "standing": [], "you": {}})
    view = fold(view, {"type": "event", "seq": 2, "kind": "new one", "standing": [{"rank": 1}]})
    view = fold(view, {"type": "event", "seq": 3, "kind": "withdrawn", "reason": "A slip"})
    view = fold(view, {"type": "state", "state": "paused", "close_at": "T", "reason": "Fire"})
    assert view == {
        "seq": 3,
        "state": "paused",
        "standing": [{"rank": 1}],
        "you": {},
        "close_at": "T",
        "reason": "Fire",
    }
