"""Nothing is acked before PostgreSQL has it: freeze the server, and the ack waits."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from auctions.live.hub import Hub
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import NewUser
from marketplace.accounts.service import make_operator
from marketplace.kernel import embedded
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.embedded import Servers
from marketplace.kernel.settings import Settings
from marketplace.migrations.run import migrate
from tests.auctions.book.holding import Drawing, held
from tests.auctions.live.arena import Arena, new_arena, peer
from tests.conftest import serve
from tests.people import PASSWORD, Person, log_in, register, unique
from web.app import create_app


class World:
    """A marketplace on servers of its own, which may be frozen."""

    def __init__(self, servers: Servers, url: str, live: Hub) -> None:
        self.servers, self.url, self.live = servers, url, live
        self.clients: list[httpx.AsyncClient] = []
        self.operator: Person

    def connect(self) -> httpx.AsyncClient:
        self.clients.append(httpx.AsyncClient(base_url=self.url, timeout=20))
        return self.clients[-1]

    async def buyer(self) -> Person:
        return await register(self.connect, unique("Buyer"), ["buys"])

    async def supplier(self) -> Person:
        person = await register(self.connect, unique("Supplier"), ["supplies"])
        path = f"/api/v1/organisations/{person.organisation_id}/approve"
        assert (await self.operator.client.post(path)).status_code == 200
        return person


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="marketplace-live-") as folder:
        servers = await asyncio.to_thread(embedded.start, Path(folder))
        try:
            await migrate(servers.database_url)
            settings = Settings(
                database_url=servers.database_url,
                redis_url=servers.redis_url,
                secret="another secret of the tests",
                data_dir=Path(folder),
            )
            app = create_app(settings)
            async with serve(app) as url:
                world = World(servers, url, app.litestar.state.living.live)
                world.operator = await operator_of(world, settings)
                yield world
                for client in world.clients:
                    await client.aclose()
        finally:
            servers.stop()


async def operator_of(world: World, settings: Settings) -> Person:
    database = Database(settings.database_url)
    user = NewUser(name="Operator", email="operator@example.com", password=PASSWORD)
    async with database.transaction(SYSTEM) as session:
        made = await make_operator(session, Clock(), Passwords(), "The Operator", user)
    await database.close()
    person = Person(
        client=world.connect(),
        organisation_id=made.organisation.id,
        user_id=made.user.id,
        email=user.email,
        name="The Operator",
    )
    await log_in(person)
    return person


async def arena_of(world: World) -> Arena:
    return await new_arena(world.url, world.buyer, world.supplier, 1)


async def test_no_ack_while_postgresql_is_frozen(world: World) -> None:
    place = await arena_of(world)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
        world.servers.postgres.freeze()
        try:
            await one.say("bid", cid="frozen", price="400000.00")
            state = await one.view_is(lambda view: view["state"] == "paused")
            assert state["reason"] == "interrupted"
        finally:
            world.servers.postgres.thaw()
        assert not [frame for frame in one.frames if frame["type"] == "ack"]
        answer = await one.until(lambda frame: frame.get("cid") == "frozen")
        if answer["type"] == "error":
            assert answer["code"] == "retry"
            answer = await one.bid("frozen", "400000.00")
        assert answer["receipt"]["cid"] == "frozen"
        await one.view_is(lambda view: view["state"] == "open")
    journal = Database(world.servers.database_url)
    rows = await (await journal.pool()).fetch(
        "SELECT seq FROM auction_commands WHERE cid = 'frozen' ORDER BY seq"
    )
    await journal.close()
    assert answer["seq"] == rows[0]["seq"]


async def test_what_was_folded_but_not_committed_is_seen_by_nobody(world: World) -> None:
    place = await new_arena(world.url, world.buyer, world.supplier, 2)
    auction_id = UUID(place.auction_id)
    book = await world.live.books.open(auction_id)
    drawing = Drawing()
    async with (
        peer(place.live_url, place.keys[0]) as one,
        peer(place.live_url, place.keys[1]) as rival,
        peer(place.live_url, place.key) as buyer,
    ):
        for each in (one, rival, buyer):
            await each.open()
        book.preparers.append(drawing)
        async with held(world.servers.database_url, auction_id) as lock:
            await one.say("bid", cid="held", price="400000.00")
            await drawing.has_folded("held")
            folded = book.fold.seq
            for each in (one, rival, buyer):
                # Whatever was written before the pong would have come before it.
                await each.say("ping", t=1)
                await each.type("pong")
                assert each.view["seq"] < folded
                assert "held" not in str(each.frames)
            await lock.lose()
        answer = await one.until(lambda frame: frame.get("cid") == "held")
        if answer["type"] == "error":
            answer = await one.bid("held", "400000.00")
        assert answer["outcome"] == "accepted"
        for each, key in ((one, place.keys[0]), (rival, place.keys[1]), (buyer, place.key)):
            await each.view_is(lambda view: view["seq"] >= answer["seq"])
            async with peer(place.live_url, key) as fresh:
                await fresh.type("snapshot")
                assert fresh.view["standing"] == each.view["standing"]
