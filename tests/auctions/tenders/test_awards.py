"""From the last bid to a signed award."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from auctions.book.book import Book
from auctions.book.books import Books
from auctions.tenders import queries, service
from auctions.tenders.jobs import note_ended_auctions
from auctions.tenders.sending import Desk
from marketplace.kernel import workflow
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import (
    URL,
    act,
    english,
    in_seconds,
    join,
    lot,
    overdue,
    published,
)
from tests.people import Connect, NewPerson, Person, peer
from web.app import Application

WAIT_S = 20


class Changes:
    """Waits for something that the log brings about."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def heard(self, _: object) -> None:
        self._changed.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not happened():
                self._changed.clear()
                await self._changed.wait()


async def qualified(
    database: Database, buyer: Person, prices: dict[str, Person], **changes: Any
) -> dict[str, Any]:
    """An opened tender with sealed offers at `prices`, all accepted."""
    suppliers = list(prices.values())
    done = await published(buyer, *suppliers, offers={"due_at": in_seconds(600)}, **changes)
    for amount, supplier in prices.items():
        await join(supplier, done["id"])
        body = {"price": {"amount": amount, "currency": "EUR"}}
        for row in done["lots"]:
            path = f"/api/v1/lots/{row['id']}/offers"
            ok(await supplier.client.post(path, json=body), 201)
    await overdue(database, done["id"])
    ok(await act(buyer, done["id"], "open"))
    for row in ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"]:
        ok(await buyer.client.post(f"/api/v1/offers/{row['id']}/accept"))
    return done


async def offered(
    database: Database, buyer: Person, prices: dict[str, Person], **changes: Any
) -> dict[str, Any]:
    """A tender in awarding on qualified offers alone, without an auction."""
    done = await qualified(database, buyer, prices, **changes)
    awarding: dict[str, Any] = ok(await act(buyer, done["id"], "skip_auction"))
    return awarding


async def auctioned(
    database: Database, books: Books, buyer: Person, prices: dict[str, Person]
) -> tuple[dict[str, Any], Book, Changes]:
    """A tender whose one auction starts at the qualified offers and is over in a few seconds."""
    lots = [lot(rules=english(duration_s=2))]
    done = await qualified(database, buyer, prices, lots=lots)
    started = ok(await act(buyer, done["id"], "start", starts_at=in_seconds(3)))
    book, changes = await books.open(UUID(started["lots"][0]["auction_id"])), Changes()
    book.listeners.append(changes.heard)
    return started, book, changes


async def propose(buyer: Person, lot_id: str, *shares: tuple[Person, str], **more: Any) -> Any:
    awards = [{"organisation_id": str(s.organisation_id), "percent": p} for s, p in shares]
    path = f"/api/v1/lots/{lot_id}/awards"
    return await buyer.client.post(path, json={"awards": awards} | more)


async def answer(person: Person, award: dict[str, Any], event: str, **body: Any) -> Any:
    return await person.client.post(f"/api/v1/awards/{award['id']}/{event}", json=body or None)


async def sheet(buyer: Person, lot_id: str, **weights: int) -> Any:
    return ok(await buyer.client.get(f"/api/v1/lots/{lot_id}/award_sheet", params=weights))


async def test_the_winner_is_told_by_mail_when_an_answer_is_wanted(
    new_buyer: NewPerson, new_supplier: NewPerson, operator: Person, database: Database
) -> None:
    buyer, winner = await new_buyer(), await new_supplier()
    done = await offered(database, buyer, {"200000.00": winner})
    ok(await propose(buyer, done["lots"][0]["id"], (winner, "100")), 201)
    mails = ok(await operator.client.get("/api/v1/mails", params={"limit": 200}))["items"]
    [mail] = [mail for mail in mails if mail["address"] == winner.email and "award" in mail["kind"]]
    assert mail["kind"] == "award.offered"
    assert mail["subject"] == f"You are awarded: {done['lots'][0]['title']}"


async def test_the_sheet_ranks_and_other_weights_change_nothing_saved(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, cheap, dear = await new_buyer(), await new_supplier(), await new_supplier()
    done = await offered(database, buyer, {"250000.00": dear, "200000.00": cheap})
    lot_id = done["lots"][0]["id"]
    shown = await sheet(buyer, lot_id)
    assert [(row["rank"], row["organisation"]["name"]) for row in shown["rows"]] == [
        (1, cheap.name),
        (2, dear.name),
    ]
    assert [row["saving_percent"] for row in shown["rows"]] == ["60.0", "50.0"]
    assert [row["what_if_score"] for row in shown["rows"]] == ["100.0", "80.0"]
    other = await sheet(buyer, lot_id, weight_price=5_000, weight_rating=5_000)
    assert [row["what_if_score"] for row in other["rows"]] == ["75.0", "65.0"]
    assert await sheet(buyer, lot_id) == shown
    path = f"/api/v1/lots/{lot_id}/award_sheet"
    bad = await buyer.client.get(path, params={"weight_price": 1, "weight_rating": 1})
    refused(bad, 422, "bad_weights")
    for nobody in (cheap, await new_buyer()):
        assert (await nobody.client.get(path)).status_code == 404


async def test_the_sheet_flags_abnormally_low_offers_and_bids(
    new_buyer: NewPerson, new_supplier: NewPerson, app: Application, database: Database
) -> None:
    books: Books = app.litestar.state.living.books
    both = ["below_mean_of_initial", "below_next_final"]
    buyer, people = await new_buyer(), [await new_supplier() for _ in range(3)]
    prices = dict(zip(("120000.00", "200000.00", "250000.00"), people, strict=True))
    offers = await offered(database, buyer, prices)
    shown = await sheet(buyer, offers["lots"][0]["id"])
    assert [row["abnormally_low"] for row in shown["rows"]] == [both, [], []]
    started, book, changes = await auctioned(database, books, buyer, prices)
    await changes.until(lambda: book.fold.state.status == "closed")
    lot_id = started["lots"][0]["id"]
    shown = await sheet(buyer, lot_id)
    assert [row["abnormally_low"] for row in shown["rows"]] == [both, [], []]
    ok(await propose(buyer, lot_id, (people[0], "100")), 201)
    frozen = await sheet(buyer, lot_id)
    assert [row["abnormally_low"] for row in frozen["rows"]] == [both, [], []]


async def test_rank_1_is_offered_at_once_and_its_acceptance_ends_the_tender(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, cheap, dear = await new_buyer(), await new_supplier(), await new_supplier()
    done = await offered(database, buyer, {"250000.00": dear, "200000.00": cheap})
    lot_id = done["lots"][0]["id"]
    award = ok(await propose(buyer, lot_id, (cheap, "100")), 201)["items"][0]
    assert (award["state"], award["rank"], award["value"]["amount"]) == ("offered", 1, "200000.00")
    mine = ok(await cheap.client.get("/api/v1/awards"))["items"]
    assert [(row["id"], row["rank"], row["reason"]) for row in mine] == [(award["id"], None, None)]
    assert ok(await dear.client.get("/api/v1/awards"))["items"] == []
    assert (await dear.client.get(f"/api/v1/awards/{award['id']}")).status_code == 404
    assert (await answer(dear, award, "accept")).status_code == 404
    refused(await answer(buyer, award, "accept"), 404, "not_found")
    accepted = ok(await answer(cheap, award, "accept"))
    assert accepted["state"] == "accepted"
    refused(await answer(cheap, award, "decline", reason="x"), 409, "undefined_transition")
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "awarded"
    order = ok(await buyer.client.get(f"/api/v1/orders/{accepted['order_id']}"))
    assert (order["origin_id"], order["supplier"]["id"]) == (
        award["id"],
        str(cheap.organisation_id),
    )
    assert order["total"]["amount"] == "200000.00"
    [line] = order["lines"]
    assert (line["name"], line["quantity"]) == ("Pump", "400")
    assert line["reference"]["amount"] == "250000.00"


async def test_another_choice_needs_a_reason_and_an_approver_who_is_not_the_author(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, cheap, dear = await new_buyer(), await new_supplier(), await new_supplier()
    approver = await peer(connect_client, buyer, "approver")
    done = await offered(database, buyer, {"250000.00": dear, "200000.00": cheap})
    lot_id = done["lots"][0]["id"]
    refused(await propose(buyer, lot_id, (dear, "100")), 422, "reason_missing")
    made = ok(await propose(buyer, lot_id, (dear, "100"), reason="Quality"), 201)["items"]
    assert made[0]["state"] == "awaiting_approval"
    assert ok(await dear.client.get("/api/v1/awards"))["items"] == []
    refused(await answer(buyer, made[0], "approve"), 403, "own_work")
    assert ok(await answer(approver, made[0], "approve"))["state"] == "offered"
    assert [row["id"] for row in ok(await dear.client.get("/api/v1/awards"))["items"]] == [
        made[0]["id"]
    ]
    refused(await propose(buyer, lot_id, (cheap, "1"), reason="x"), 422, "over_100")


async def test_shares_are_exact_and_never_above_the_whole(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, one, two = await new_buyer(), await new_supplier(), await new_supplier()
    approver = await peer(connect_client, buyer, "approver")
    done = await offered(database, buyer, {"100000.01": one, "200000.02": two})
    lot_id = done["lots"][0]["id"]
    for bad in ("0", "-5", "100.1", "1e2000", "NaN", "33.33333"):
        refused(await propose(buyer, lot_id, (one, bad), reason="x"), 422, "out_of_range")
    stranger = await new_supplier()
    refused(await propose(buyer, lot_id, (stranger, "100")), 422, "no_bid")
    over = await propose(buyer, lot_id, (one, "60"), (two, "41"), reason="Two sources")
    refused(over, 422, "over_100")
    twice = await propose(buyer, lot_id, (one, "50"), (one, "50"), reason="x")
    refused(twice, 422, "already_awarded")
    made = ok(
        await propose(buyer, lot_id, (one, "66.5"), (two, "33.5"), reason="Two sources"), 201
    )["items"]
    assert [(row["share_percent"], row["value"]["amount"]) for row in made] == [
        ("66.5", "66500.01"),
        ("33.5", "67000.01"),
    ]
    for row in made:
        ok(await answer(approver, row, "approve"))
    ok(await answer(one, made[0], "accept"))
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "awarding"
    refused(await act(buyer, done["id"], "finish"), 409, "awards_open")
    ok(await answer(two, made[1], "accept"))
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "awarded"


async def test_a_declined_award_goes_to_the_next(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    first, second = await new_supplier(), await new_supplier()
    done = await offered(database, buyer, {"100.00": first, "200.00": second})
    lot_id = done["lots"][0]["id"]
    award = ok(await propose(buyer, lot_id, (first, "100")), 201)["items"][0]
    assert (await answer(first, award, "decline")).status_code == 422
    gone = ok(await answer(first, award, "decline", reason="No capacity"))
    assert gone["state"] == "declined"
    awards = (await sheet(buyer, lot_id))["awards"]
    assert [(row["state"], row["rank"], row["instead_of"]) for row in awards] == [
        ("declined", 1, None),
        ("offered", 2, award["id"]),
    ]
    ok(await answer(second, awards[1], "decline", reason="Too late"))
    awards = (await sheet(buyer, lot_id))["awards"]
    assert [row["state"] for row in awards] == ["declined", "declined"]
    refused(await act(buyer, done["id"], "finish"), 409, "nothing_awarded")
    ended = ok(await act(buyer, done["id"], "fail", reason="Nobody left"))
    assert ended["state"] == "unsuccessful"


async def test_who_was_passed_over_is_looked_at_again_before_the_next_is_asked(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer = await new_buyer()
    approver = await peer(connect_client, buyer, "approver")
    one, two, three = [await new_supplier() for _ in range(3)]
    done = await offered(database, buyer, {"100.00": one, "200.00": two, "300.00": three})
    lot_id = done["lots"][0]["id"]
    made = ok(await propose(buyer, lot_id, (two, "100"), reason="Quality"), 201)["items"][0]
    ok(await answer(approver, made, "approve"))
    ok(await answer(two, made, "decline", reason="No capacity"))
    awards = (await sheet(buyer, lot_id))["awards"]
    assert [(row["rank"], row["state"]) for row in awards] == [
        (2, "declined"),
        (3, "awaiting_approval"),
    ]
    ok(await answer(approver, awards[1], "refuse", reason="Ask rank 1"))
    again = ok(await propose(buyer, lot_id, (one, "100")), 201)["items"]
    assert [row["state"] for row in again] == ["declined", "refused", "offered"]


async def test_no_answer_in_time_counts_as_declined(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, first, second = await new_buyer(), await new_supplier(), await new_supplier()
    done = await offered(database, buyer, {"100.00": first, "200.00": second})
    lot_id = done["lots"][0]["id"]
    award = ok(await propose(buyer, lot_id, (first, "100")), 201)["items"][0]
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text("UPDATE workflow_deadlines SET due_at = :past WHERE subject_id = :id"),
            {"id": award["id"], "past": datetime(2020, 1, 1, tzinfo=UTC)},
        )
    handlers = {"tender": service.fire, "award": service.fire_award}
    assert await workflow.fire_due(database, Clock(), handlers) >= 1
    awards = (await sheet(buyer, lot_id))["awards"]
    assert [row["state"] for row in awards] == ["declined", "offered"]
    steps = await history_of(database, UUID(award["id"]))
    assert [(step.event, step.user_id is None) for step in steps] == [
        ("offer", False),
        ("expire", True),
    ]


async def history_of(database: Database, award_id: UUID) -> Any:
    async with database.transaction(SYSTEM) as session:
        return await workflow.history(session, "award", award_id)


async def test_the_sheet_of_an_auction_is_its_final_standing(
    new_buyer: NewPerson, new_supplier: NewPerson, app: Application, database: Database
) -> None:
    buyer, slow, fast = await new_buyer(), await new_supplier(), await new_supplier()
    books: Books = app.litestar.state.living.books
    prices = {"400000.00": slow, "360000.00": fast}
    done, book, changes = await auctioned(database, books, buyer, prices)
    lot_id = done["lots"][0]["id"]
    path = f"/api/v1/lots/{lot_id}/award_sheet"
    refused(await buyer.client.get(path), 409, "not_awarding")
    await changes.until(lambda: book.fold.state.status == "closed")
    book.listeners.remove(changes.heard)
    shown = await sheet(buyer, lot_id)
    assert [row["organisation"]["name"] for row in shown["rows"]] == [fast.name, slow.name]
    assert all(row["alias"] for row in shown["rows"])
    assert shown["tender_state"] == "awarding"
    async with database.transaction(SYSTEM) as session:
        ended = await queries.ended_auctions(session, 1000)
    assert done["id"] in {str(row[2]) for row in ended}, "looking at the sheet writes nothing"
    await note_ended_auctions(Desk(database, books, Clock()))
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "awarding"
