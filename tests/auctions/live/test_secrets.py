"""Nothing hidden shines through: two auctions that differ only in hidden values look the same."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from tests.auctions.live.arena import Arena, Peer, peer

NewArena = Callable[..., Awaitable[Arena]]

_TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_PROOFS = frozenset(["head", "receipt"])


def faceless(value: Any, names: dict[str, str]) -> Any:
    """Without ids, times and proofs; the two auctions' aliases replaced by their numbers."""
    if isinstance(value, dict):
        return {key: faceless(one, names) for key, one in value.items() if key not in _PROOFS}
    if isinstance(value, list):
        return [faceless(one, names) for one in value]
    if isinstance(value, str):
        return names.get(value, _TIMES.sub("T", value))
    return value


def heard(one: Peer, place: Arena) -> list[bytes]:
    """Every frame but the proofs, in order, without what differs by nature."""
    names = {alias: f"bidder {n}" for n, alias in enumerate(place.aliases)}
    names |= {place.auction_id: "auction"}
    kept = [frame for frame in one.frames if frame.get("kind") != "head"]
    for frame in kept:
        for field in ("seq", "epoch"):
            frame.pop(field, None)
    return [msgspec.json.encode(faceless(frame, names), order="sorted") for frame in kept]


async def run(place: Arena, rivals: list[str], limit: str) -> list[bytes]:
    """The first bidder's frames while two others bid hidden prices and hold hidden limits."""
    async with peer(place.live_url, place.key) as buyer:
        await buyer.open()
    async with (
        peer(place.live_url, place.keys[0]) as one,
        peer(place.live_url, place.keys[1]) as two,
        peer(place.live_url, place.keys[2]) as three,
    ):
        for each in (one, two, three):
            await each.open()
        await one.bid("own", "400000.00")
        await one.view_is(lambda view: view["you"].get("best") == "400000.00")
        for number, price in enumerate(rivals):
            await (two, three)[number % 2].bid(f"r{number}", price)
        await two.say("auto", cid="auto", limit=limit)
        await two.until(lambda frame: frame.get("cid") == "auto")
        answer = await place.buyer.client.post(f"{place.path}/message", json={"text": "Last call"})
        assert answer.status_code == 200, answer.text
        await one.kind("message")
        await one.bid("again", "399000.00")
        await one.view_is(lambda view: view["you"].get("best") == "399000.00")
    return heard(one, place)


@pytest.mark.parametrize("visibility", ["blind", "rank"])
async def test_hidden_prices_and_limits_change_no_byte(arena: NewArena, visibility: str) -> None:
    rules = {"visibility": visibility, "typo_guard_percent": None}
    one = await run(await arena(3, **rules), ["450000.00", "460000.00", "440000.00"], "430000.00")
    other = await run(await arena(3, **rules), ["410000.00", "420000.00", "405000.00"], "402000.00")
    assert one == other
