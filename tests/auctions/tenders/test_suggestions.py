"""Whom to invite and why."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

from auctions.tenders.suggesting import Band, SupplierFact, band, same_kind, suggestions
from marketplace.kernel.db import Database
from tests.answers import ok
from tests.auctions.tenders.tendering import URL, draft, lot
from tests.auctions.tenders.test_awards import answer, offered, propose
from tests.people import NewPerson, Person, unique
from tests.pricing.conftest import Shop
from tests.pricing.test_catalogue import add_item

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


def test_the_weightiest_reason_stands_first_and_nobody_comes_without_one() -> None:
    facts = [
        SupplierFact(ONE, "took_part", Fraction(1), "took part"),
        SupplierFact(ONE, "offers_item", Fraction(1, 2), "offers half"),
        SupplierFact(TWO, "awarded_before", Fraction(5), "won often"),
        SupplierFact(THREE, "declined", Fraction(1), "said no"),
    ]
    rows = suggestions(facts, skip=[])
    assert [(row.organisation_id, row.points) for row in rows] == [(ONE, 30), (TWO, 30)]
    assert [reason.kind for reason in rows[0].reasons] == ["offers_item", "took_part"]
    assert [row.organisation_id for row in suggestions(facts, skip=[ONE])] == [TWO]


def test_a_band_is_the_middle_half_of_the_prices() -> None:
    assert band([]) is None
    assert band([7]) == Band(7, 7, 7, 1)
    assert band([5, 1, 100, 3, 4]) == Band(3, 4, 5, 5)


def test_items_are_alike_by_class_or_by_words() -> None:
    assert same_kind("42122000-0", "Pump", "42122130-0", "Other")
    assert not same_kind("42122000-0", "Pump", "39000000-2", "Pump")
    assert same_kind(None, "water pump", None, "Pump")
    assert not same_kind(None, "water pump", None, "chair")


async def test_who_won_before_is_suggested_with_the_reason_and_a_price_band(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, winner, loser = await new_buyer(), await new_supplier(), await new_supplier()
    done = await offered(database, buyer, {"200000.00": winner, "250000.00": loser})
    award = ok(await propose(buyer, done["lots"][0]["id"], (winner, "100")), 201)["items"][0]
    ok(await answer(winner, award, "accept"))
    items = [{"name": "Pump", "quantity": "100", "unit": "C62"}]
    chairs = [{"name": "Chair", "quantity": "100", "unit": "C62"}]
    made = await draft(buyer, lots=[lot(items=items), lot("Chairs", items=chairs)])
    told = ok(await buyer.client.get(f"{URL}/{made['id']}/suggestions"))
    assert [row["organisation"]["name"] for row in told["suppliers"]] == [winner.name, loser.name]
    assert [reason["code"] for reason in told["suppliers"][0]["reasons"]] == [
        "awarded_before",
        "took_part",
    ]
    bands = {row["lot_id"]: row for row in told["bands"]}
    assert bands[made["lots"][0]["id"]]["median"] == {"amount": "50000.00", "currency": "EUR"}
    assert bands[made["lots"][1]["id"]]["median"] is None
    assert (await winner.client.get(f"{URL}/{done['id']}/suggestions")).status_code == 404


async def test_who_lists_the_items_is_suggested_and_the_lists_make_the_band(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    known = [await add_item(buyer, unit="C62") for _ in range(2)]
    shops = []
    for prices in (["10.00", "4.00"], ["12.00", "5.00"], ["1.00"]):
        shop = await shop_of(await new_supplier(), database)
        rows = [
            f"{item['sku']},C62,EUR,{price}\n" for item, price in zip(known, prices, strict=False)
        ]
        done = await shop.upload("sku,unit,currency,price\n" + "".join(rows), mode="replace")
        assert done["rows"]["applied"] + done["rows"]["held"] == len(rows), done
        shops.append(shop)
    items = [
        {"name": "Part", "quantity": quantity, "unit": "C62", "item_id": item["id"]}
        for item, quantity in zip(known, ("100", "10"), strict=True)
    ]
    made = await draft(buyer, lots=[lot(items=items)])
    told = ok(await buyer.client.get(f"{URL}/{made['id']}/suggestions"))
    reasons = {row["organisation"]["id"]: row["reasons"][0] for row in told["suppliers"]}
    for shop in shops[:2]:
        assert reasons[shop.supplier_id] == {
            "code": "offers_item",
            "text": "Lists 2 of 2 items with prices.",
        }
    assert told["bands"][0]["from_price_lists"] == 2
    assert told["bands"][0]["low"]["amount"] == "1040.00"


async def shop_of(person: Person, database: Database) -> Shop:
    answer = await person.client.post("/api/v1/price_lists", json={"name": unique("Prices")})
    return Shop(person, database, ok(answer, 201)["id"])
