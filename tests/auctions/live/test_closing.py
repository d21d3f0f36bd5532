"""Close codes, one by one, and who is put out when."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from auctions.live import hub as hubs
from auctions.live import socket as sockets
from auctions.live.hub import Hub
from marketplace.kernel.settings import Settings
from marketplace.kernel.throttle import Rate
from tests.auctions.live.arena import Arena, peer
from tests.conftest import serve
from tests.people import NewPerson
from web.app import create_app

NewArena = Callable[..., Awaitable[Arena]]
REVOKED_WITHIN_S = 2.0


@contextlib.contextmanager
def limits(hub: Hub, **changed: Any) -> Iterator[None]:
    former = hub.limits
    hub.limits = msgspec.structs.replace(former, **changed)
    yield
    hub.limits = former


async def test_4401_without_a_login(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url) as nobody:
        assert await nobody.closed() == 4401
    async with peer(place.live_url, "no.such-key") as wrong:
        assert await wrong.closed() == 4401
    async with peer(place.live_url, Cookie=place.suppliers[0].cookie_header()) as no_origin:
        assert await no_origin.closed() == 4401


async def test_4401_for_a_cookie_with_a_foreign_origin(arena: NewArena) -> None:
    place = await arena(1)
    cookie = place.suppliers[0].cookie_header()
    async with peer(place.live_url, Cookie=cookie, Origin="https://evil.example") as foreign:
        assert await foreign.closed() == 4401
    async with peer(place.live_url, Cookie=cookie, Origin=place.url) as own:
        assert (await own.hear())["type"] == "snapshot"


async def test_4403_for_who_has_not_accepted_the_terms(
    arena: NewArena, new_supplier: NewPerson
) -> None:
    place = await arena(1)
    late = await new_supplier()
    answer = await place.buyer.client.post(
        f"/api/v1/tenders/{place.tender_id}/invitations",
        json={"organisations": [str(late.organisation_id)]},
    )
    assert answer.status_code == 201, answer.text
    async with peer(place.live_url, await late.api_key()) as invited:
        assert await invited.closed() == 4403


async def test_4403_for_a_key_without_the_scope(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, await place.suppliers[0].api_key("orders:read")) as narrow:
        assert await narrow.closed() == 4403
    async with peer(place.live_url, await place.suppliers[0].api_key("auctions:read")) as reader:
        await reader.open()
        assert (await reader.bid("a", "400000.00"))["code"] == "not_allowed"


async def test_4404_for_a_foreign_or_missing_auction(
    arena: NewArena, new_supplier: NewPerson
) -> None:
    place = await arena(1)
    stranger = await new_supplier()
    async with peer(place.live_url, await stranger.api_key()) as foreign:
        assert await foreign.closed() == 4404
    missing = place.live_url.replace(place.auction_id, str(uuid4()))
    async with peer(missing, place.keys[0]) as nowhere:
        assert await nowhere.closed() == 4404


async def test_4408_without_a_hello(arena: NewArena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HELLO_TIMEOUT_S", 0.2)
    place = await arena(1)
    async with peer(place.live_url, place.keys[0], hello={}) as silent:
        assert await silent.closed() == 4408
    async with peer(place.live_url, place.keys[0], hello={}) as chatty:
        await chatty.say("ping", t=1)
        assert await chatty.closed() == 4408
    assert [frame["code"] for frame in chatty.frames] == ["hello_first"]


async def test_4413_for_a_frame_over_4_kib(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.hear()
        frame = '{"type":"ping","t":1}'
        await one.socket.send(frame + " " * (4_096 - len(frame)))
        await one.type("pong")
        await one.socket.send(frame + " " * (4_097 - len(frame)))
        assert await one.closed() == 4413


async def test_4429_for_too_many_frames(arena: NewArena, hub: Hub) -> None:
    place = await arena(1)
    with limits(hub, frames=Rate(per_s=1, burst=20)):
        async with peer(place.live_url, place.keys[0]) as one:
            for _ in range(30):
                await one.say("ping", t=1)
            assert await one.closed() == 4429


async def test_4429_for_too_many_sockets_of_a_user(arena: NewArena, hub: Hub) -> None:
    place = await arena(1)
    with limits(hub, sockets_a_user=1):
        async with peer(place.live_url, place.keys[0]) as one:
            await one.hear()
            async with peer(place.live_url, place.keys[0]) as another:
                assert await another.closed() == 4429


async def test_1013_when_the_node_is_full(arena: NewArena, hub: Hub) -> None:
    place = await arena(1)
    with limits(hub, sockets=0):
        async with peer(place.live_url, place.keys[0]) as one:
            assert await one.closed() == 1013


async def test_1012_when_the_node_drains(arena: NewArena, settings: Settings) -> None:
    place = await arena(2)
    node = create_app(settings)
    async with (
        serve(node) as url,
        peer(place.at(url), place.keys[0]) as one,
        peer(place.at(url), place.keys[1]) as two,
    ):
        await one.hear()
        await two.hear()
        drained = node.litestar.state.living.live.drain(0.2)
        assert (await asyncio.gather(one.closed(), two.closed(), drained))[:2] == [1012, 1012]
        async with peer(place.at(url), place.keys[0]) as late:
            assert await late.closed() == 1012


async def test_logout_closes_its_sockets_only(arena: NewArena) -> None:
    place = await arena(1)
    person = place.suppliers[0]
    cookie = {"Cookie": person.cookie_header(), "Origin": place.url}
    async with (
        peer(place.live_url, **cookie) as browser,
        peer(place.live_url, place.keys[0]) as program,
    ):
        await browser.hear()
        await program.hear()
        async with asyncio.timeout(REVOKED_WITHIN_S):
            await person.client.delete("/api/v1/sessions/current")
            assert await browser.closed() == 4401
        await program.say("ping", t=1)
        await program.type("pong")


async def test_logout_is_noticed_without_the_message(
    arena: NewArena, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await arena(1)
    person = place.suppliers[0]
    cookie = {"Cookie": person.cookie_header(), "Origin": place.url}
    async with peer(place.live_url, **cookie) as browser:
        await browser.hear()
        monkeypatch.setattr(hubs.Watchman, "revoke", lambda *_: None)
        async with asyncio.timeout(REVOKED_WITHIN_S):
            await person.client.delete("/api/v1/sessions/current")
            assert await browser.closed() == 4401


async def test_suspension_closes_within_two_seconds(
    arena: NewArena, new_operator: NewPerson
) -> None:
    place = await arena(1)
    operator = await new_operator()
    async with peer(place.live_url, place.keys[0]) as one:
        await one.hear()
        async with asyncio.timeout(REVOKED_WITHIN_S):
            path = f"/api/v1/organisations/{place.suppliers[0].organisation_id}/suspend"
            answer = await operator.client.post(path, json={"reason": "Late deliveries"})
            assert answer.status_code == 200, answer.text
            assert await one.closed() == 4403
    async with peer(place.live_url, place.keys[0]) as again:
        assert await again.closed() in {4401, 4403}


async def test_exclusion_closes_within_two_seconds(arena: NewArena) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.hear()
        async with asyncio.timeout(REVOKED_WITHIN_S):
            body = {"bidder": place.aliases[0], "reason": "Collusion"}
            answer = await place.buyer.client.post(f"{place.path}/exclude", json=body)
            assert answer.status_code == 200, answer.text
            assert await one.closed() == 4403
    async with peer(place.live_url, place.keys[0]) as again:
        assert await again.closed() == 4403


async def test_names_are_shown_after_the_close_where_only_ranks_were_before(
    arena: NewArena,
) -> None:
    place = await arena(2, visibility="rank", names_after_close=True, duration_s=3)
    async with (
        peer(place.live_url, place.keys[0]) as one,
        peer(place.live_url, place.keys[1]) as two,
    ):
        await one.open()
        await two.open()
        await one.bid("a", "400000.00")
        await two.bid("b", "390000.00")
        assert one.view["standing"] == []
        await one.view_is(lambda view: view["state"] == "closed" and view["standing"])
    ranking = [
        {
            "rank": rank,
            "alias": place.aliases[number],
            "organisation": place.suppliers[number].name,
            "organisation_id": str(place.suppliers[number].organisation_id),
        }
        for rank, number in ((1, 1), (2, 0))
    ]
    assert one.view["standing"] == ranking
    shown = (await place.suppliers[0].client.get(place.path)).json()
    assert shown["standing"] == ranking
