"""The practice room on real servers: private, limited, played by bots, cleaned up."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from auctions.live.client import AuctionClient
from auctions.practice import jobs, rules, service
from auctions.practice.models import PracticeAuction
from auctions.practice.samples import SAMPLES
from auctions.practice.strategy import Character, Offer, next_move
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from tests.answers import ok, refused
from tests.auctions.live.arena import peer
from tests.auctions.tenders.tendering import draft, lot, published
from tests.people import NewPerson, Person
from web.app import Application

URL = "/api/v1/practice_auctions"
QUICK = {
    "format": "english", "duration_s": 4, "visibility": "rank_and_lead",
    "step": {"against": "own", "kind": "amount", "value": "500.00"},
}  # fmt: skip
PATIENCE_S = 40


@pytest.fixture
def desk(app: Application, live_server: str, database: Database) -> jobs.Desk:
    """The running application's own books, as a worker beside it would have."""
    return jobs.Desk(database, app.litestar.state.living.books, Clock())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "START_US", 1_000_000)


async def begin(person: Person, **body: Any) -> dict[str, Any]:
    given = body or {"rules": QUICK, "ceiling": "100000.00"}
    made: dict[str, Any] = ok(await person.client.post(URL, json=given), 201)
    return made


async def row_of(database: Database, auction_id: str) -> PracticeAuction | None:
    async with database.transaction(SYSTEM) as session:
        return await session.get(PracticeAuction, UUID(auction_id))


async def play_through(
    url: str, key: str, made: dict[str, Any], desk: jobs.Desk, *, bid: bool = True
) -> dict[str, Any]:
    """Until it is closed; the bots look at every frame, the learner bids until one bid is accepted:
    a bot may have been faster than the hint its price was made from.
    """
    practice = await row_of(desk.database, made["auction_id"])
    assert practice is not None
    await jobs.look(desk, practice)
    learner = Character(opening_minor=9_900_000, floor_minor=1, eagerness_percent=100)
    async with (
        asyncio.timeout(PATIENCE_S),
        AuctionClient(url, key, made["auction_id"]) as client,
    ):
        while client.view["state"] != "closed":
            await jobs.look(desk, practice)
            if bid and client.view["you"].get("best") is None:
                move = next_move(client.view, learner, Random(1))
                if isinstance(move, Offer):
                    answer = await client.bid(move.price)
                    assert answer.accepted or answer.code == "step_too_small", answer
            if client.view["state"] != "closed":
                await client.changed()
        await jobs.look(desk, practice)
        return client.view


async def test_a_supplier_practises_against_bots(
    live_server: str, new_supplier: NewPerson, desk: jobs.Desk
) -> None:
    supplier = await new_supplier()
    made = await begin(supplier)
    assert (made["role"], made["url"]) == ("bidder", f"/auctions/{made['auction_id']}")
    view = await play_through(live_server, await supplier.api_key(), made, desk)
    assert view["you"]["alias"] == made["alias"]
    assert view["you"]["best"] is not None
    shown = ok(await supplier.client.get(f"/api/v1/auctions/{made['auction_id']}"))
    assert (shown["practice"], shown["tender_id"], shown["state"]) == (True, None, "closed")
    ended = await row_of(desk.database, made["auction_id"])
    assert ended is not None
    assert ended.ended_at is not None
    page = await supplier.client.get(made["url"])
    assert "nothing counts" in page.text


async def test_a_buyer_looks_on_and_gives_the_buyers_commands(
    live_server: str, new_buyer: NewPerson, desk: jobs.Desk
) -> None:
    buyer = await new_buyer()
    tender = await draft(buyer, lots=[lot(rules=QUICK | {"starts_at": "2030-01-01T00:00:00Z"})])
    made = await begin(buyer, lot_id=tender["lots"][0]["id"])
    assert (made["role"], made["alias"]) == ("buyer", None)
    view = await play_through(live_server, await buyer.api_key(), made, desk, bid=False)
    assert len(view["standing"]) >= 2
    transcript = await buyer.client.get(f"/api/v1/auctions/{made['auction_id']}/transcript")
    assert transcript.status_code == 200
    late = await buyer.client.post(
        f"/api/v1/auctions/{made['auction_id']}/pause", json={"reason": "Too late"}
    )
    refused(late, 409, "late")


async def test_nobody_else_finds_it(
    live_server: str, new_buyer: NewPerson, new_supplier: NewPerson, desk: jobs.Desk
) -> None:
    buyer, owner, stranger = await new_buyer(), await new_supplier(), await new_supplier()
    tender = await published(buyer, owner, lots=[lot()])
    made = await begin(owner, lot_id=tender["lots"][0]["id"])
    for person in (buyer, stranger):
        for path in ("", "/transcript", "/hint?rank=1"):
            answer = await person.client.get(f"/api/v1/auctions/{made['auction_id']}{path}")
            refused(answer, 404, "not_found")
        page = await person.client.get(made["url"])
        assert page.status_code == 404
        url = f"{live_server.replace('http', 'ws', 1)}/api/v1/auctions/{made['auction_id']}/live"
        async with peer(url, await person.api_key()) as socket:
            assert await socket.closed() == 4404
        bid = {"cid": "c", "price": "1.00"}
        path = f"/api/v1/auctions/{made['auction_id']}/bids"
        refused(await person.client.post(path, json=bid), 404, "not_found")
    refused(
        await stranger.client.post(URL, json={"lot_id": tender["lots"][0]["id"]}), 404, "not_found"
    )


async def test_a_real_auction_and_its_tender_learn_nothing(
    new_buyer: NewPerson, new_supplier: NewPerson, desk: jobs.Desk
) -> None:
    buyer, owner = await new_buyer(), await new_supplier()
    tender = await published(buyer, owner, lots=[lot()])
    real = tender["lots"][0]["auction_id"]
    before = ok(await buyer.client.get(f"/api/v1/tenders/{tender['id']}"))
    auction_before = ok(await buyer.client.get(f"/api/v1/auctions/{real}"))
    made = await begin(owner, lot_id=tender["lots"][0]["id"])
    practice = await row_of(desk.database, made["auction_id"])
    assert practice is not None
    await jobs.look(desk, practice)
    assert ok(await buyer.client.get(f"/api/v1/tenders/{tender['id']}")) == before
    auction_after = ok(await buyer.client.get(f"/api/v1/auctions/{real}"))
    for view in (auction_before, auction_after):
        del view["now"]
    assert auction_after == auction_before
    async with desk.database.transaction(SYSTEM) as session:
        for table, column in (("auctions", "id"), ("auction_participants", "auction_id")):
            found = await session.execute(
                text(f"SELECT count(*) FROM {table} WHERE {column} = :id"),
                {"id": UUID(made["auction_id"])},
            )
            assert found.scalar_one() == 0


async def test_so_many_at_once_and_no_more(new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    for _ in range(service.RUNNING_MAX):
        await begin(supplier)
    answer = await supplier.client.post(URL, json={"rules": SAMPLES["english"]})
    refused(answer, 409, "practice_limit")


async def test_so_many_an_hour_and_no_more(
    new_supplier: NewPerson, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "HOURLY_MAX", 1)
    supplier = await new_supplier()
    await begin(supplier)
    answer = await supplier.client.post(URL, json={"rules": SAMPLES["english"]})
    refused(answer, 429, "too_fast")
    assert 3_500 < int(answer.headers["Retry-After"]) <= 3_601


async def test_a_full_room_says_so(
    new_supplier: NewPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EVERYBODY_MAX", 0)
    supplier = await new_supplier()
    answer = await supplier.client.post(URL, json={"rules": SAMPLES["english"]})
    refused(answer, 503, "practice_full")


async def test_what_cannot_be_practised_is_named(new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    refused(await supplier.client.post(URL, json={}), 422, "one_of")
    wrong = {"rules": {"format": "dutch", "start": "10.00"}}
    problem = refused(await supplier.client.post(URL, json=wrong), 422, "invalid_rules")
    assert {error["field"] for error in problem["errors"]} >= {"increment", "cap"}


async def test_bots_are_taken_by_one_worker_at_a_time_and_again_a_second_later(
    new_supplier: NewPerson, desk: jobs.Desk
) -> None:
    made = await begin(await new_supplier())
    assert await jobs.play(desk) >= 1
    practice = await row_of(desk.database, made["auction_id"])
    assert practice is not None
    assert practice.due_at > practice.created_at
    book = await desk.books.open(practice.id)
    async with book.settled() as fold:
        assert set(fold.state.bidders) == {made["alias"], *practice.bots}


async def test_a_worker_with_little_room_leaves_practice_to_others(
    new_supplier: NewPerson, desk: jobs.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await begin(await new_supplier())
    await desk.books.open(UUID(made["auction_id"]))
    with monkeypatch.context() as full:
        full.setattr(desk.books, "limit", desk.books.in_use)
        assert await jobs.play(desk) == 0
    assert await jobs.play(desk) >= 1


async def test_a_forgotten_one_is_cancelled_and_a_day_later_removed(
    new_supplier: NewPerson, desk: jobs.Desk
) -> None:
    made = await begin(await new_supplier())
    auction_id = UUID(made["auction_id"])
    practice = await row_of(desk.database, made["auction_id"])
    assert practice is not None
    await jobs.look(desk, practice)
    practice.created_at -= jobs.LIFE_MAX + timedelta(seconds=1)
    await jobs.look(desk, practice)
    await jobs.look(desk, practice)
    ended = await row_of(desk.database, made["auction_id"])
    assert ended is not None
    assert ended.ended_at is not None
    async with desk.database.transaction(SYSTEM) as session:
        await session.execute(
            text("UPDATE practice_auctions SET ended_at = :then WHERE id = :id"),
            {"then": desk.clock.now() - jobs.KEPT, "id": auction_id},
        )
    assert await jobs.forget(desk) >= 1
    assert await row_of(desk.database, made["auction_id"]) is None
    async with desk.database.transaction(SYSTEM) as session:
        left = await session.execute(
            text("SELECT count(*) FROM auction_commands WHERE auction_id = :id"), {"id": auction_id}
        )
        assert left.scalar_one() == 0


async def test_a_lots_page_tells_its_rules_in_the_words_of_the_guide_and_offers_practice(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    tender = await published(buyer, supplier, lots=[lot()])
    page = await supplier.client.get(f"/tenders/{tender['id']}")
    assert page.status_code == 200
    assert "Each bid must be at least 50.00 EUR below your own last bid." in page.text
    assert "After 500000.00 EUR at most 499950.00 EUR is accepted." in page.text
    assert "Practice this auction against bots" in page.text
    room = await supplier.client.get("/practice")
    assert room.text.count('name="format"') == len(SAMPLES)
