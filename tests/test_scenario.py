"""One story through the public API: from a tender to a changed rating, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from auctions.book.books import Books
from marketplace.kernel.db import Database
from tests.answers import ok
from tests.auctions.tenders.tendering import URL
from tests.auctions.tenders.test_awards import answer, auctioned, propose, sheet
from tests.orders.ordering import (
    act,
    claimed,
    confirm,
    decide,
    deliver,
)
from tests.people import NewPerson, Person
from web.app import Application

# One order is evidence enough for this buyer.
POLICY = {
    "weights": {
        "orders": 1_000,
        "volume": 1_000,
        "claims": 5_000,
        "price": 2_000,
        "tenure": 500,
        "trust": 500,
    },
    "parameters": {"orders_min": 0.5},
}


async def rating(buyer: Person, supplier: Person) -> dict[str, Any]:
    found: dict[str, Any] = ok(
        await buyer.client.get(f"/api/v1/ratings/{supplier.organisation_id}")
    )
    return found


async def test_from_tender_to_a_changed_rating_and_back(
    new_buyer: NewPerson, new_supplier: NewPerson, app: Application, database: Database
) -> None:
    buyer, winner, other = await new_buyer(), await new_supplier(), await new_supplier()
    ok(await buyer.client.post("/api/v1/rating_policies", json=POLICY), 201)
    assert (await rating(buyer, winner))["state"] == "not rated yet"

    # Invited, sealed offers, opened, qualified; the offers are the first bids of the auction.
    books: Books = app.litestar.state.living.books
    offers = {"250000.00": other, "240000.00": winner}
    done, book, changes = await auctioned(database, books, buyer, offers)
    await changes.until(lambda: book.fold.state.status == "open")
    bid = {"cid": "the last word", "price": "200000.00"}
    path = f"/api/v1/auctions/{done['lots'][0]['auction_id']}"
    receipt = ok(await winner.client.post(f"{path}/bids", json=bid), 201)
    assert receipt["outcome"] == "accepted"
    await changes.until(lambda: book.fold.state.status == "closed")
    book.listeners.remove(changes.heard)

    lot_id = done["lots"][0]["id"]
    shown = await sheet(buyer, lot_id)
    assert [row["organisation"]["name"] for row in shown["rows"]] == [winner.name, other.name]
    award = ok(await propose(buyer, lot_id, (winner, "100")), 201)["items"][0]
    ok(await answer(winner, award, "accept"))
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "awarded"
    assert (await rating(buyer, winner))["state"] == "not rated yet"

    [row] = ok(await winner.client.get("/api/v1/orders"))["items"]
    order = ok(await buyer.client.get(f"/api/v1/orders/{row['id']}"))
    assert (order["origin"], order["origin_id"]) == ("award", award["id"])
    assert order["total"] == {"amount": "200000.00", "currency": "EUR"}
    assert order["lines"][0]["reference"]["amount"] == "250000.00"
    await confirm(winner, order)
    ok(await deliver(winner, order, "400"), 201)
    ok(await act(buyer, order, "accept"))
    survey = f"/api/v1/orders/{row['id']}/survey"
    assert ok(await buyer.client.put(survey, json={"stars": 5}))["stars"] == 5

    before = await rating(buyer, winner)
    assert before["state"] == "rated"
    price = next(part for part in before["explanation"] if part["name"] == "price")
    assert Decimal(price["value"]) > Decimal("0.5")
    claim = await claimed(buyer, order, severity_bp=10_000)
    ok(await decide(winner, claim, "uphold"))
    lower = await rating(buyer, winner)
    assert Decimal(lower["score"]) < Decimal(before["score"])
    ok(await decide(buyer, claim, "withdraw"))
    assert (await rating(buyer, winner))["score"] == before["score"]
    package = ok(await buyer.client.get(f"/api/v1/ocds/releases/{done['id']}"))
    assert package["releases"][0]["awards"][0]["suppliers"][0]["name"] == winner.name
