"""Hello, bids and what everybody hears of them, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.auctions.live.arena import Arena, peer, without_place

NewArena = Callable[..., Awaitable[Arena]]


async def test_hello_is_answered_by_a_snapshot(arena: NewArena) -> None:
    place = await arena(2)
    async with peer(place.live_url, place.keys[0]) as one:
        snapshot = await one.hear()
    assert one.socket.subprotocol == "marketplace.v1"
    assert snapshot["type"] == "snapshot"
    assert snapshot["you"]["alias"] == place.aliases[0]
    assert snapshot["you"]["admitted"] is True
    assert snapshot["terms"]["currency"] == "EUR"
    assert {"epoch", "seq", "now", "state", "close_at", "standing", "next"} <= set(snapshot)


async def test_a_bid_is_acked_with_rank_next_and_a_receipt(arena: NewArena) -> None:
    place = await arena(2)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        ack = await one.bid("first", "400000.00")
    assert ack["type"] == "ack"
    assert ack["outcome"] == "accepted"
    assert ack["rank"] == 1
    assert ack["evaluated"] == "400000.00"
    assert ack["next"] == {"max_price": "399950.00"}
    assert ack["receipt"]["cid"] == "first"
    assert ack["receipt"]["auction"] == place.auction_id


async def test_the_same_cid_gets_the_same_ack(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        first = await one.bid("same", "400000.00")
        again = await one.bid("same", "400000.00")
        other = await one.bid("same", "390000.00")
    assert again == first
    assert other["code"] == "cid_reused"


async def test_a_refusal_says_what_would_be_accepted(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        await one.bid("a", "400000.00")
        small = await one.bid("b", "399999.00")
        malformed = await one.bid("c", "39.999,00")
    assert (small["outcome"], small["code"]) == ("refused", "step_too_small")
    assert small["next"] == {"max_price": "399950.00"}
    assert malformed["code"] == "malformed"
    assert malformed["receipt"]["outcome"] == "refused"


async def test_a_doubtful_price_needs_its_token(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        doubt = await one.bid("a", "40000.00")
        meant = await one.bid("b", "40000.00", confirm=doubt["token"])
    assert doubt["code"] == "confirm_required"
    assert meant["outcome"] == "accepted"


async def test_rivals_and_the_buyer_hear_of_a_bid(arena: NewArena) -> None:
    place = await arena(2)
    async with (
        peer(place.live_url, place.keys[0]) as one,
        peer(place.live_url, place.keys[1]) as two,
        peer(place.live_url, place.key) as buyer,
    ):
        await one.open()
        await two.open()
        await buyer.open()
        await one.bid("a", "400000.00")
        await two.bid("b", "390000.00")
        await one.view_is(lambda view: view["you"].get("rank") == 2)
        await one.view_is(lambda view: view["standing"])
        await buyer.view_is(lambda view: len(view["standing"]) == 2)
    assert one.view["standing"] == [{"rank": 1, "price": "390000.00", "evaluated": "390000.00"}]
    rows = buyer.view["standing"]
    assert [row["alias"] for row in rows] == [place.aliases[1], place.aliases[0]]
    assert [row["organisation"] for row in rows] == [p.name for p in reversed(place.suppliers)]


async def test_ping_tells_the_servers_clock(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.say("ping", t=12.5)
        pong = await one.type("pong")
    assert pong["t"] == 12.5
    assert pong["now"].endswith("Z")


async def test_hints_name_the_exact_price(arena: NewArena) -> None:
    place = await arena(2)
    async with (
        peer(place.live_url, place.keys[0]) as one,
        peer(place.live_url, place.keys[1]) as two,
    ):
        await one.open()
        await two.open()
        await one.bid("a", "400000.00")
        await two.bid("b", "410000.00")
        await two.say("hint", id="h", rank=1)
        hint = await two.type("hint")
        assert hint == {"type": "hint", "id": "h", "price": "399999.99"}
        assert (await two.bid("c", hint["price"]))["rank"] == 1


async def test_bad_frames_are_answered_and_the_socket_lives_on(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.hear()
        await one.socket.send("{")
        assert (await one.type("error"))["code"] == "bad_frame"
        await one.say("bid", cid="x", price=12)
        error = await one.type("error")
        assert (error["code"], error["cid"]) == ("bad_frame", "x")
        await one.say("bid", cid="y", price="1", prize="2")
        assert (await one.type("error"))["cid"] == "y"
        await one.socket.send(b"\x00")
        assert (await one.type("error"))["code"] == "bad_frame"
        await one.say("hello")
        assert (await one.type("error"))["code"] == "hello_twice"
        await one.say("ping", t=1)
        await one.type("pong")


async def test_the_buyer_watches_and_does_not_bid(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.key) as buyer:
        await buyer.open()
        assert (await buyer.bid("a", "400000.00"))["code"] == "not_allowed"


async def test_pause_and_resume_are_told_as_states(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        answer = await place.buyer.client.post(f"{place.path}/pause", json={"reason": "Fire"})
        assert answer.status_code == 200, answer.text
        await one.view_is(lambda view: view["state"] == "paused")
        assert one.view["reason"] == "Fire"
        assert (await one.bid("a", "400000.00"))["code"] == "paused"
        await place.buyer.client.post(f"{place.path}/resume", json={"reason": "Out"})
        await one.view_is(lambda view: view["state"] == "open")
        assert one.view["reason"] is None
        assert (await one.bid("b", "400000.00"))["outcome"] == "accepted"


async def test_heads_of_the_chain_go_to_everybody(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one, peer(place.live_url, place.key) as two:
        await one.open()
        ack = await one.bid("a", "400000.00")
        mine, theirs = await asyncio.gather(
            one.until(lambda f: f.get("kind") == "head" and f["seq"] >= ack["seq"]),
            two.until(lambda f: f.get("kind") == "head" and f["seq"] >= ack["seq"]),
        )
    assert mine == theirs
    assert mine["head"]["auction"] == place.auction_id
    assert mine["head"]["signature"]


async def test_closing_needs_no_timer_and_reaches_everybody(arena: NewArena) -> None:
    place = await arena(1, duration_s=2)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        await one.bid("a", "400000.00")
        closed = await one.kind("closed")
        await one.view_is(lambda view: view["state"] == "closed")
        late = await one.bid("b", "390000.00")
    assert late["code"] == "late"
    assert closed["close_at"] in late["detail"]


async def test_a_newcomer_sees_what_the_others_see(arena: NewArena) -> None:
    place = await arena(2, visibility="all")
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        await one.bid("a", "400000.00")
        async with peer(place.live_url, place.keys[1]) as two:
            await two.hear()
            await two.bid("b", "390000.00")
        await one.view_is(lambda view: view["you"].get("rank") == 2)
        async with peer(place.live_url, place.keys[0]) as fresh:
            await fresh.hear()
    assert without_place(one.view) == without_place(fresh.view)
