"""The calls of an auction over HTTP: the same bids, the same receipts, each reader's transcript."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from auctions.live.hub import Hub
from tests.auctions.live.arena import Arena, Frame, peer
from tests.people import NewPerson

NewArena = Callable[..., Awaitable[Arena]]


async def bid(place: Arena, number: int, cid: str, price: str) -> httpx.Response:
    body = {"cid": cid, "price": price}
    return await place.suppliers[number].client.post(f"{place.path}/bids", json=body)


async def until_open(place: Arena) -> None:
    async with peer(place.live_url, place.key) as one:
        await one.open()


async def test_a_bid_over_http_is_the_same_bid_as_over_the_socket(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        answer = await bid(place, 0, "both", "400000.00")
        ack = await one.bid("both", "400000.00")
    assert answer.status_code == 201, answer.text
    assert answer.json() == ack["receipt"]


async def test_a_refused_bid_is_a_problem_with_its_receipt(arena: NewArena) -> None:
    place = await arena(1)
    await until_open(place)
    answer = await bid(place, 0, "high", "600000.00")
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert (problem["code"], problem["status"]) == ("above_ceiling", 409)
    assert problem["receipt"]["outcome"] == "refused"


async def test_a_cid_no_database_can_keep_is_refused_and_stops_nobody(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        answer = await bid(place, 0, "a\0b", "400000.00")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cid")
        surrogate = {"cid": "s", "price": "1.00", "bidder": "x\0", "surrogate": "By letter."}
        answer = await place.buyer.client.post(f"{place.path}/bids", json=surrogate)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "bidder")
        assert (await one.bid("next", "400000.00"))["outcome"] == "accepted"


async def test_receipts_are_signed_with_the_published_keys(
    arena: NewArena, client: httpx.AsyncClient
) -> None:
    place = await arena(1)
    await until_open(place)
    receipt = (await bid(place, 0, "signed", "400000.00")).json()
    published = (await client.get("/.well-known/marketplace-keys.json")).json()
    assert published["algorithm"] == "Ed25519"
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(published["keys"][receipt["key_id"]]))
    signature = base64.b64decode(receipt.pop("signature"))
    key.verify(signature, msgspec.json.encode(receipt, order="sorted"))


async def test_everybody_reads_what_it_may(arena: NewArena, new_supplier: NewPerson) -> None:
    place = await arena(2, visibility="rank")
    await until_open(place)
    await bid(place, 0, "a", "400000.00")
    await bid(place, 1, "b", "390000.00")
    whole = (await place.buyer.client.get(place.path)).json()
    mine = (await place.suppliers[0].client.get(place.path)).json()
    foreign = await (await new_supplier()).client.get(place.path)
    assert [row["price"] for row in whole["standing"]] == ["390000.00", "400000.00"]
    seq = whole["standing"][0].pop("seq")
    assert 0 < seq <= whole["seq"]
    assert whole["standing"][0] == {
        "rank": 1,
        "alias": place.aliases[1],
        "organisation": place.suppliers[1].name,
        "organisation_id": str(place.suppliers[1].organisation_id),
        "price": "390000.00",
        "coefficient": "1",
        "evaluated": "390000.00",
        "abnormally_low": [],
    }
    assert (mine["standing"], mine["you"]["rank"]) == ([], 2)
    assert foreign.status_code == 404


async def test_the_buyer_sees_at_once_that_an_earlier_bid_is_abnormally_low(
    arena: NewArena,
) -> None:
    place = await arena(3, visibility="all", typo_guard_percent=None)
    await until_open(place)
    await bid(place, 0, "low", "200000.00")
    async with peer(place.live_url, place.key) as buyer:
        await buyer.view_is(lambda view: len(view.get("standing", [])) == 1)
        assert buyer.view["standing"][0]["abnormally_low"] == []
        await bid(place, 1, "usual", "400000.00")
        await buyer.view_is(lambda view: len(view.get("standing", [])) == 2)
        both = ["below_mean_of_initial", "below_next_final"]
        assert [row["abnormally_low"] for row in buyer.view["standing"]] == [both, []]
    mine = (await place.suppliers[0].client.get(place.path)).json()
    assert "abnormally_low" not in str(mine["standing"])
    assert {row["organisation_id"] for row in mine["standing"]} == {None}


async def test_only_the_buyer_gives_the_buyers_commands(arena: NewArena) -> None:
    place = await arena(1)
    await until_open(place)
    supplier = place.suppliers[0].client
    body = {"reason": "Because", "seconds": 60}
    assert (await supplier.post(f"{place.path}/extend", json=body)).status_code == 404
    before = (await place.buyer.client.get(place.path)).json()
    once = await place.buyer.client.post(f"{place.path}/extend", json=body | {"cid": "one"})
    again = await place.buyer.client.post(f"{place.path}/extend", json=body | {"cid": "one"})
    after = (await place.buyer.client.get(place.path)).json()
    assert once.status_code == 200, once.text
    assert once.json() == again.json()
    assert after["close_at"] > before["close_at"]


async def test_a_withdrawn_bid_ranks_the_others_anew(arena: NewArena) -> None:
    place = await arena(2, visibility="rank")
    await until_open(place)
    await bid(place, 0, "a", "400000.00")
    best = (await bid(place, 1, "b", "390000.00")).json()
    body = {"bid_seq": best["seq"], "reason": "A slip"}
    answer = await place.buyer.client.post(f"{place.path}/withdraw_bid", json=body)
    assert answer.status_code == 200, answer.text
    assert (await place.suppliers[0].client.get(place.path)).json()["you"]["rank"] == 1


async def test_a_surrogate_bid_names_its_request(arena: NewArena) -> None:
    place = await arena(1)
    await until_open(place)
    body = {"cid": "s", "price": "400000.00", "bidder": place.aliases[0]}
    buyer = place.buyer.client
    assert (await buyer.post(f"{place.path}/bids", json=body)).status_code == 403
    body["surrogate"] = "Fax of 3 May"
    answer = await buyer.post(f"{place.path}/bids", json=body)
    assert answer.status_code == 201, answer.text
    assert (await place.suppliers[0].client.get(place.path)).json()["you"]["best"] == "400000.00"


async def test_a_hint_over_http(arena: NewArena) -> None:
    place = await arena(2)
    await until_open(place)
    await bid(place, 0, "a", "400000.00")
    await bid(place, 1, "b", "410000.00")
    hint = await place.suppliers[1].client.get(f"{place.path}/hint?rank=1")
    assert hint.json() == {"rank": 1, "price": "399999.99"}


async def test_a_bidder_finds_its_own_receipts_and_only_those(arena: NewArena) -> None:
    place = await arena(2)
    await until_open(place)
    mine = await bid(place, 0, "mine", "400000.00")
    await bid(place, 1, "theirs", "390000.00")
    high = await bid(place, 0, "high", "600000.00")
    client = place.suppliers[0].client
    first = (await client.get(f"{place.path}/receipts?limit=1")).json()
    assert [(one["price"], one["code"]) for one in first["items"]] == [
        ("600000.00", high.json()["code"])
    ]
    assert first["items"][0]["receipt"] == high.json()["receipt"]
    rest = (await client.get(f"{place.path}/receipts?cursor={first['next_cursor']}")).json()
    assert [one["receipt"] for one in rest["items"]] == [mine.json()]
    assert rest["items"][0]["kind"] == "bid"
    assert rest["next_cursor"] is None
    wrong = await client.get(f"{place.path}/receipts?cursor=first")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "cursor")


async def test_who_does_not_bid_has_no_receipts(arena: NewArena, new_supplier: NewPerson) -> None:
    place = await arena(1)
    await until_open(place)
    await bid(place, 0, "mine", "400000.00")
    buyers = await place.buyer.client.get(f"{place.path}/receipts")
    assert (buyers.status_code, buyers.json()["code"]) == (403, "not_admitted")
    stranger = await new_supplier()
    assert (await stranger.client.get(f"{place.path}/receipts")).status_code == 404


async def test_a_bidders_transcript_hides_the_others(arena: NewArena, hub: Hub) -> None:
    place = await arena(2, visibility="rank_and_lead", duration_s=3)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        await bid(place, 0, "mine", "400000.00")
        await bid(place, 1, "theirs", "390000.00")
        running = await lines(place.buyer.client, place)
        await one.view_is(lambda view: view["state"] == "closed")
    mine = await lines(place.suppliers[0].client, place)
    full = await lines(place.buyer.client, place)
    assert running[0]["audience"] == "buyer"
    assert full[0]["audience"] == "full"
    assert mine[0]["audience"] == place.aliases[0]
    seen = [line["body"] for line in mine if line["type"] == "command" and "body" in line]
    assert [body["cid"] for body in seen if body["kind"] == "bid"] == ["mine"]
    assert {body.get("bidder") for body in seen} == {None, place.aliases[0]}
    assert chains(mine) == chains(full)
    assert "390000" not in msgspec.json.encode(mine).decode()
    assert all("body" in line for line in full if line["type"] == "command")
    assert (full[-2]["type"], full[-1]["type"]) == ("head", "end")


def chains(transcript: list[Frame]) -> list[str]:
    return [line["chain"] for line in transcript if line["type"] == "command"]


async def lines(client: httpx.AsyncClient, place: Arena) -> list[Frame]:
    answer = await client.get(f"{place.path}/transcript")
    assert answer.status_code == 200, answer.text
    return [msgspec.json.decode(line) for line in answer.content.splitlines()]
