"""Comparing offers: units, minimum orders, packs, currencies; nothing vanishes without a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from pricing.lists.rates import Rate, rate_between
from pricing.lists.rules import Line, Offered, least_order, order_conditions, resolve
from pricing.lists.units import Unit
from tests.people import NewPerson, Person, unique
from tests.pricing.conftest import API, NewShop, Shop

DAY = date(2026, 6, 1)
PIECES = {"C62": Unit("C62", "C62", Decimal(1)), "DZN": Unit("DZN", "C62", Decimal(12))}
HEADER = "sku,unit,currency,price,price_unit,min_quantity,moq,pack_size\n"


def rate(base: str, quote: str, number: str, day: int = 1) -> Rate:
    return Rate(base, quote, date(2026, 1, day), Decimal(number))


def line(**changes: Any) -> Line:
    values: dict[str, Any] = {"sku": "X", "unit": "C62", "currency": "EUR", "price": Decimal(1)}
    return Line(**values | changes)


def offered(*lines: Line) -> Offered:
    return Offered(id=UUID(int=1), name="L", kind="base", version=1, lines=lines)


# --- rates


def test_a_cross_rate_goes_over_the_base() -> None:
    rates = [rate("EUR", "USD", "1.538461"), rate("USD", "JPY", "159.2915")]
    found = rate_between(rates, "EUR", "JPY", DAY)
    assert found is not None
    assert found.rate == Decimal("1.538461") * Decimal("159.2915")
    back = rate_between(rates, "JPY", "EUR", DAY)
    assert back is not None
    assert abs(back.rate * found.rate - 1) < Decimal("1e-50")
    assert {(one.base, one.quote) for one in back.quoted} == {("EUR", "USD"), ("USD", "JPY")}
    assert rate_between(rates, "EUR", "CHF", DAY) is None


def test_a_direct_rate_goes_before_a_newer_chain() -> None:
    rates = [rate("EUR", "USD", "2"), rate("EUR", "GBP", "1", 5), rate("GBP", "USD", "9", 5)]
    found = rate_between(rates, "EUR", "USD", DAY)
    assert found is not None
    assert found.rate == 2


def test_of_two_chains_the_one_with_the_newer_oldest_rate_counts() -> None:
    rates = [
        *(rate("EUR", "AAA", "1", 1), rate("AAA", "USD", "3", 9)),
        *(rate("EUR", "BBB", "1", 4), rate("BBB", "USD", "5", 4)),
    ]
    found = rate_between(rates, "EUR", "USD", DAY)
    assert found is not None
    assert (found.rate, found.on_date) == (Decimal(5), date(2026, 1, 4))


def test_a_rate_of_tomorrow_is_in_no_chain() -> None:
    rates = [rate("EUR", "USD", "2"), Rate("USD", "JPY", date(2026, 7, 1), Decimal(100))]
    assert rate_between(rates, "EUR", "JPY", DAY) is None


# --- units, minimum order, packs


def answer(lines: list[Line], quantity: str, **asked: Any) -> Any:
    return resolve(
        [offered(*lines)],
        quantity=Decimal(quantity),
        currency=asked.pop("currency", "EUR"),
        on=DAY,
        units=PIECES,
        **asked,
    )


def test_ten_pieces_are_not_ten_dozens() -> None:
    ladder = [
        line(unit="DZN", price=Decimal(24), min_quantity=Decimal(1)),
        line(unit="DZN", price=Decimal(12), min_quantity=Decimal(10)),
    ]
    assert answer(ladder, "10", unit="C62").why[0].outcome == "below_minimum"
    assert answer(ladder, "12", unit="C62").price == Decimal(24)
    assert answer(ladder, "119", unit="C62").price == Decimal(24)
    assert answer(ladder, "120", unit="C62").price == Decimal(12)
    assert answer(ladder, "10", unit="DZN").price == Decimal(12)


def test_a_line_in_the_asked_unit_goes_before_a_cheaper_converted_one() -> None:
    lines = [line(unit="DZN", price=Decimal(6)), line(price=Decimal(1))]
    assert answer(lines, "12", unit="C62").line.unit == "C62"
    assert answer(lines, "12", unit="DZN").line.unit == "DZN"


def test_a_unit_that_does_not_convert_is_said() -> None:
    got = answer([line(unit="KGM")], "1", unit="C62")
    assert (got.price, got.why[0].outcome) == (None, "other_unit")


@pytest.mark.parametrize(
    ("moq", "pack", "asked", "said", "least"),
    [
        ("100", None, "5", ["below_minimum_order"], "100"),
        ("100", None, "100", [], None),
        (None, "12", "10", ["between_packs"], "12"),
        (None, "12", "24", [], None),
        (None, "0.5", "1.5", [], None),
        ("100", "12", "5", ["below_minimum_order", "between_packs"], "108"),
    ],
)
def test_what_cannot_be_ordered_is_said(
    moq: str | None, pack: str | None, asked: str, said: list[str], least: str | None
) -> None:
    one = line(
        moq=None if moq is None else Decimal(moq), pack_size=None if pack is None else Decimal(pack)
    )
    got = answer([one], asked)
    assert got.price == 1
    assert [s.outcome for s in got.why] == ["won", *said]
    quantity = Fraction(asked)
    assert [code for code, _ in order_conditions(one, quantity)] == said
    assert least_order(one, quantity) == (None if least is None else Decimal(least))


def test_the_cheapest_of_several_foreign_currencies_counts() -> None:
    rates = [rate("CHF", "EUR", "2"), rate("USD", "EUR", "1")]
    lines = [line(currency="CHF", price=Decimal(9)), line(currency="USD", price=Decimal(10))]
    assert answer(lines, "1", rates=rates).line.currency == "USD"


# --- over the API


async def listed(new_shop: NewShop, row: str) -> Shop:
    shop = await new_shop()
    done = await shop.upload(HEADER + row + "\n", mode="replace")
    assert done["state"] == "published", done
    return shop


async def add_item(buyer: Person, unit: str = "C62") -> dict[str, Any]:
    body = {"name": "Item", "unit": unit, "sku": unique("sku")}
    got = await buyer.client.post(f"{API}/items", json=body)
    assert got.status_code == 201, got.text
    return dict(got.json())


async def offers(buyer: Person, item: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    got = await buyer.client.get(f"{API}/items/{item['id']}/offers", params=query)
    assert got.status_code == 200, got.text
    return list(got.json()["items"])


async def put_rates(operator: Person, *rates: dict[str, str]) -> None:
    got = await operator.client.post(f"{API}/exchange_rates", json={"rates": list(rates)})
    assert got.status_code == 201, got.text


def quoted(base: str, quote: str, number: str, day: str) -> dict[str, str]:
    return {"base": base, "quote": quote, "rate": number, "on_date": day}


async def test_offers_in_three_currencies_compare_in_each_that_is_reached(
    new_shop: NewShop, new_buyer: NewPerson, operator: Person
) -> None:
    # A day of its own: other tests have rates too.
    day = "1999-03-01"
    await put_rates(
        operator, quoted("EUR", "USD", "1.538461", day), quoted("USD", "JPY", "159.2915", day)
    )
    buyer = await new_buyer()
    item = await add_item(buyer)
    shops = [
        await listed(new_shop, f"{item['sku']},C62,{price},1,,,")
        for price in ("EUR,80", "USD,100", "JPY,12000")
    ]
    cheapest_first = [shops[index].supplier_id for index in (2, 1, 0)]
    for currency in ("USD", "EUR", "JPY"):
        got = await offers(buyer, item, currency=currency, on=day)
        assert [one["supplier_id"] for one in got] == cheapest_first, currency
        assert {one["normal"]["currency"] for one in got} == {currency}
        assert {one["reason"] for one in got} == {None}
    got = await offers(buyer, item, currency="CHF", on=day)
    assert {one["supplier_id"] for one in got} == set(cheapest_first)
    assert {one["reason"] for one in got} == {"no_rate"}
    assert all(one["normal"] is None for one in got)
    assert {one["resolved"]["price"]["currency"] for one in got} == {"EUR", "USD", "JPY"}


async def test_an_offer_below_its_minimum_order_is_not_the_first(
    new_shop: NewShop, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    item = await add_item(buyer)
    bulk = await listed(new_shop, f"{item['sku']},C62,EUR,0.50,1,,100,")
    packs = await listed(new_shop, f"{item['sku']},C62,EUR,0.60,1,,,12")
    ladder = await listed(new_shop, f"{item['sku']},C62,EUR,0.40,1,50,,")
    single = await listed(new_shop, f"{item['sku']},C62,EUR,0.90,1,,,")
    other = await listed(new_shop, f"{item['sku']},KGM,EUR,0.10,1,,,")
    got = await offers(buyer, item, quantity="5", currency="EUR")
    assert got[0]["supplier_id"] == single.supplier_id
    assert {one["supplier_id"]: one["reason"] for one in got} == {
        single.supplier_id: None,
        bulk.supplier_id: "below_minimum_order",
        packs.supplier_id: "between_packs",
        ladder.supplier_id: "below_minimum",
        other.supplier_id: "other_unit",
    }
    assert all(one["detail"] for one in got[1:])
    resolved = (await bulk.resolve(item["sku"], buyer, quantity="5")).json()
    assert [step["outcome"] for step in resolved["why"]] == ["won", "below_minimum_order"]
    assert resolved["least_order"] == {"quantity": "100", "unit": "C62"}
    got = await offers(buyer, item, quantity="120", currency="EUR")
    assert [one["supplier_id"] for one in got if one["reason"] is None] == [
        one.supplier_id for one in (ladder, bulk, packs, single)
    ]


async def test_the_quantity_counts_in_the_asked_unit(
    new_shop: NewShop, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    item = await add_item(buyer)
    dozens = await listed(new_shop, f"{item['sku']},DZN,EUR,24,1,1,,")
    [offer] = await offers(buyer, item, quantity="10")
    assert (offer["reason"], offer["normal"]) == ("below_minimum", None)
    [offer] = await offers(buyer, item, quantity="10", unit="DZN")
    assert (offer["reason"], offer["normal"]["amount"]) == (None, "2.00")
    for query, amount, price in (
        ({"unit": "C62", "quantity": "18"}, "36.00", "2.00"),
        ({"unit": "dzn", "quantity": "2"}, "48.00", "24.00"),
        ({"unit": "Stk", "quantity": "18"}, "36.00", "2.00"),
    ):
        resolved = (await dozens.resolve(item["sku"], buyer, **query)).json()
        assert resolved["amount"]["amount"] == amount
        assert resolved["unit_price"]["amount"] == price
    by_item = (await dozens.resolve(item["id"], buyer, quantity="10")).json()
    assert by_item["price"] is None
    assert by_item["why"][0]["outcome"] == "below_minimum"
    wrong = await dozens.resolve(item["sku"], buyer, unit="bogus")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_unit")


async def test_a_corrected_rate_leaves_what_was_known(
    new_shop: NewShop, new_buyer: NewPerson, operator: Person
) -> None:
    day, buyer = "1998-02-01", await new_buyer()
    shop = await listed(new_shop, "A,C62,SEK,100,1,,,")
    before = datetime.now(UTC)

    async def price(known_at: datetime | None = None) -> str | None:
        query = {"currency": "NOK", "on": day}
        if known_at is not None:
            query["known_at"] = known_at.isoformat()
        got = (await shop.resolve("A", buyer, **query)).json()
        return got["price"] and got["price"]["amount"]

    assert await price() is None
    await put_rates(operator, quoted("SEK", "NOK", "2", day))
    wrong = datetime.now(UTC)
    assert await price() == "200.00"
    await put_rates(operator, quoted("SEK", "NOK", "3", day))
    assert await price() == "300.00"
    assert await price(wrong) == "200.00"
    assert await price(before) is None
    # The same rate told again is no news.
    await put_rates(operator, quoted("SEK", "NOK", "3", day))
    shown = await operator.client.get(
        f"{API}/exchange_rates", params={"currency": "NOK", "on": day}
    )
    [now] = shown.json()["items"]
    assert now["rate"] == "3"
    shown = await operator.client.get(
        f"{API}/exchange_rates",
        params={"currency": "NOK", "on": day, "known_at": wrong.isoformat()},
    )
    assert [one["rate"] for one in shown.json()["items"]] == ["2"]


async def test_blocked_suppliers_are_left_out_and_get_no_order(
    new_shop: NewShop, new_buyer: NewPerson
) -> None:
    buyer, other = await new_buyer(), await new_buyer()
    item = await add_item(buyer)
    shop = await listed(new_shop, f"{item['sku']},C62,EUR,10,1,,,")
    path = f"{API}/ratings/{shop.supplier_id}"
    blocked = await buyer.client.post(f"{path}/block", json={"reason": "Late again"})
    assert blocked.status_code == 200, blocked.text
    assert await offers(buyer, item) == []
    assert len(await offers(other, item)) == 1
    line = {
        "name": "Item",
        "quantity": "1",
        "unit": "C62",
        "price": {"amount": "10.00", "currency": "EUR"},
    }
    body = {"title": "Order", "currency": "EUR", "lines": [line]}
    ordering = body | {"supplier_id": shop.supplier_id}
    refused = await buyer.client.post(f"{API}/orders", json=ordering)
    assert (refused.status_code, refused.json()["code"]) == (409, "supplier_blocked")
    assert "Late again" in refused.json()["detail"]
    assert (await buyer.client.get(f"{API}/orders")).json()["items"] == []
    proposing = body | {"buyer_id": str(buyer.organisation_id)}
    refused = await shop.client.post(f"{API}/orders", json=proposing)
    assert (refused.status_code, refused.json()["code"]) == (409, "supplier_blocked")
    assert (await other.client.post(f"{API}/orders", json=ordering)).status_code == 201
    await buyer.client.post(f"{path}/unblock", json={"reason": "Better now"})
    made = await buyer.client.post(f"{API}/orders", json=ordering)
    assert made.status_code == 201, made.text


async def test_a_proposal_from_before_the_block_cannot_be_placed(
    new_shop: NewShop, new_buyer: NewPerson
) -> None:
    buyer, shop = await new_buyer(), await new_shop()
    line = {
        "name": "Item",
        "quantity": "1",
        "unit": "C62",
        "price": {"amount": "10.00", "currency": "EUR"},
    }
    body = {"title": "Order", "currency": "EUR", "lines": [line]}
    proposal = body | {"buyer_id": str(buyer.organisation_id)}
    made = (await shop.client.post(f"{API}/orders", json=proposal)).json()
    path = f"{API}/ratings/{shop.supplier_id}/block"
    assert (await buyer.client.post(path, json={"reason": "Late again"})).status_code == 200
    placed = await buyer.client.post(f"{API}/orders/{made['id']}/moves/place")
    assert (placed.status_code, placed.json()["code"]) == (409, "supplier_blocked")
