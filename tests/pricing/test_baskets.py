"""A basket takes its prices from the lists; another price makes it a request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import NewPerson, Person, unique
from tests.pricing.conftest import API, NewShop, Shop

HEADER = "sku,unit,currency,price,price_unit,min_quantity,moq,pack_size\n"
LIST = (
    "A,C62,EUR,0.0123,1,1,,\n"
    "A,C62,EUR,0.0101,1,1000,,\n"
    "B,C62,EUR,12.50,100,1,100,50\n"
    "D,DZN,EUR,24,1,1,,\n"
    "E,C62,EUR,1.000001,1,1,,\n"
)


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    shop = await new_shop()
    assert (await shop.upload(HEADER + LIST, mode="replace"))["state"] == "published"
    return shop


def line(sku: str, quantity: str, price: str | None = None, **more: Any) -> dict[str, Any]:
    made = {"name": sku, "sku": sku, "quantity": quantity, "unit": "C62"} | more
    return made if price is None else made | {"price": {"amount": price, "currency": "EUR"}}


async def order(buyer: Person, shop: Shop, *lines: dict[str, Any], **more: Any) -> Any:
    body = {"title": "Basket", "currency": "EUR", "supplier_id": shop.supplier_id}
    return await buyer.client.post(f"{API}/orders", json=body | {"lines": list(lines)} | more)


async def test_unit_prices_keep_their_precision_and_only_totals_are_rounded(
    shop: Shop, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    made = (await order(buyer, shop, line("A", "100"), line("A", "1000"), line("E", "3"))).json()
    prices = [(one["price"]["amount"], one["value"]["amount"]) for one in made["lines"]]
    assert prices == [("0.0123", "1.23"), ("0.0101", "10.10"), ("1.000001", "3.00")]
    assert made["total"]["amount"] == "14.33"
    assert made["origin"] == "basket"
    page = (await buyer.client.get(f"/orders/{made['id']}")).text
    assert "0.0123" in page
    assert "0.0101" in page


async def test_a_price_has_at_most_six_decimals(shop: Shop, new_buyer: NewPerson) -> None:
    answer = await order(await new_buyer(), shop, line("A", "1", "0.0000001"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "lines[0].price.amount"


async def test_the_list_says_price_and_price_unit(shop: Shop, new_buyer: NewPerson) -> None:
    [got] = (await order(await new_buyer(), shop, line("B", "150"))).json()["lines"]
    assert (got["price"]["amount"], got["price_unit"], got["value"]["amount"]) == (
        *("12.50", "100"),
        "18.75",
    )
    assert got["list_price"]["amount"] == "12.50"


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        (line("B", "150", "12.50", price_unit="100"), "basket"),
        (line("B", "150", "0.125"), "basket"),
        (line("B", "150", "0.12"), "request"),
        (line("B", "150", "0"), "request"),
        (line("B", "60", "0.125"), "request"),  # below the minimum order
        (line("B", "125", "0.125"), "request"),  # between packs
        (line("A", "1000", "0.0123"), "request"),  # the break's price is lower
        (line("unheard-of", "1", "5.00"), "request"),
        ({**line("A", "1", "5.00"), "sku": None}, "request"),
    ],
)
async def test_another_price_makes_it_a_request(
    shop: Shop, new_buyer: NewPerson, given: dict[str, Any], origin: str
) -> None:
    buyer = await new_buyer()
    made = (await order(buyer, shop, line("A", "1"), given)).json()
    assert (made["origin"], made["state"]) == (origin, "placed")
    seen = (await shop.client.get(f"{API}/orders/{made['id']}")).json()
    assert ("not those of your lists" in seen["next"]["text"]) == (origin == "request")
    confirmed = await shop.client.post(f"{API}/orders/{made['id']}/confirm")
    assert confirmed.json()["state"] == "confirmed"


@pytest.mark.parametrize(
    "given",
    [
        line("unheard-of", "1"),
        line("B", "60"),
        line("B", "125"),
        line("D", "10"),  # ten pieces are less than a dozen
        line("A", "1", unit="KGM"),
        {**line("A", "1"), "sku": None},
    ],
)
async def test_without_a_list_price_a_price_must_be_named(
    shop: Shop, new_buyer: NewPerson, given: dict[str, Any]
) -> None:
    answer = await order(await new_buyer(), shop, line("A", "1"), given)
    assert answer.status_code == 422, answer.text
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("lines[1].price", "no_list_price")
    ]


async def test_a_list_in_another_currency_is_no_list_price(
    shop: Shop, new_buyer: NewPerson
) -> None:
    answer = await order(await new_buyer(), shop, line("A", "1"), currency="CHF")
    assert answer.json()["errors"][0]["code"] == "no_list_price"


async def test_the_order_counts_in_its_own_unit(shop: Shop, new_buyer: NewPerson) -> None:
    [got] = (await order(await new_buyer(), shop, line("D", "18"))).json()["lines"]
    assert (got["price"]["amount"], got["price_unit"], got["value"]["amount"]) == (
        *("2.00", "1"),
        "36.00",
    )
    [got] = (await order(await new_buyer(), shop, line("D", "2", unit="DZN"))).json()["lines"]
    assert got["value"]["amount"] == "48.00"


async def test_the_own_list_of_the_buyer_counts(
    shop: Shop, new_shop: NewShop, new_buyer: NewPerson
) -> None:
    friend, stranger = await new_buyer(), await new_buyer()
    partner = str(friend.organisation_id)
    deal = await new_shop(shop.person, kind="agreement", partner_id=partner)
    await deal.upload(HEADER + "A,C62,EUR,0.01,1,1,,\n", mode="replace")
    for buyer, price in ((friend, "0.01"), (stranger, "0.0123")):
        made = (await order(buyer, shop, line("A", "1"))).json()
        assert (made["origin"], made["lines"][0]["price"]["amount"]) == ("basket", price)


async def test_an_item_is_found_by_its_id(new_shop: NewShop, new_buyer: NewPerson) -> None:
    buyer, shop = await new_buyer(), await new_shop()
    body = {"name": "Item", "unit": "C62", "sku": unique("sku")}
    item = (await buyer.client.post(f"{API}/items", json=body)).json()
    await shop.upload(HEADER + f"{item['sku']},C62,EUR,7,1,1,,\n", mode="replace")
    wanted = {"name": "Item", "item_id": item["id"], "quantity": "2", "unit": "C62"}
    made = (await order(buyer, shop, wanted)).json()
    assert (made["origin"], made["total"]["amount"]) == ("basket", "14.00")


async def test_a_suppliers_proposal_names_its_prices(shop: Shop, new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    body = {"title": "Offer", "currency": "EUR", "buyer_id": str(buyer.organisation_id)}
    lines = {"lines": [line("A", "1")]}
    answer = await shop.client.post(f"{API}/orders", json=body | lines)
    assert answer.json()["errors"][0]["code"] == "no_list_price"
    lines = {"lines": [line("A", "1", "0.02")]}
    made = await shop.client.post(f"{API}/orders", json=body | lines)
    assert (made.json()["origin"], made.json()["state"]) == ("request", "proposed")


async def test_three_of_one_line_do_not_complete_an_order_of_three_lines(
    shop: Shop, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    made = (await order(buyer, shop, *(line("A", "1") for _ in range(3)))).json()
    path = f"{API}/orders/{made['id']}"
    await shop.client.post(f"{path}/confirm")
    sent = await shop.client.post(
        f"{path}/deliveries", json={"lines": [{"position": 0, "quantity": "3"}]}
    )
    assert (sent.status_code, sent.json()["errors"][0]["code"]) == (422, "too_many")
    assert (await buyer.client.get(path)).json()["state"] == "confirmed"
    rest = [{"position": position, "quantity": "1"} for position in range(3)]
    sent = await shop.client.post(f"{path}/deliveries", json={"lines": rest})
    assert sent.json()["state"] == "delivered"
