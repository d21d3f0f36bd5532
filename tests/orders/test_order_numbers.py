"""Quantities of orders and deliveries are decimals of the wire; nothing else is taken."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.answers import ok, refused
from tests.orders.ordering import (
    URL,
    basket,
    confirm,
    deliver,
    line,
    ordered,
)
from tests.people import NewPerson

ODD = [
    "1e3",
    "1E+1",
    "1_000",
    "1,5",
    "1 000",
    "٣",
    "\uff11\uff12",
    " 5 ",
    "+5",
    "0",
    "-1",
    "NaN",
    "Infinity",
]


@pytest.mark.parametrize("text", ODD)
async def test_no_other_way_to_write_a_quantity_is_taken(
    new_buyer: NewPerson, new_supplier: NewPerson, text: str
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    for name in ("quantity", "price_unit"):
        wrong = basket(supplier, lines=[line(**{name: text})])
        problem = refused(await buyer.client.post(URL, json=wrong), 422, "invalid_order")
        [error] = problem["errors"]
        assert (error["field"], error["code"]) == (f"lines[0].{name}", "malformed")
        assert error["hint"]
    made = await ordered(buyer, supplier)
    await confirm(supplier, made)
    answer = await deliver(supplier, made, text if text != "0" else "0.0")
    problem = refused(answer, 422, "invalid_delivery")
    assert problem["errors"][0]["field"] == "lines[0].quantity"
    seen = ok(await buyer.client.get(f"{URL}/{made['id']}"))
    assert [each["delivered"] for each in seen["lines"]] == ["0", "0"]
    assert ok(await deliver(supplier, made, "12"), 201)["state"] == "partly_delivered"
    query = urlencode({"item": "A", "supplier": str(supplier.organisation_id), "quantity": text})
    asked = await buyer.client.get(f"/api/v1/prices/resolve?{query}")
    assert refused(asked, 422, "malformed")["errors"][0]["field"] == "quantity"


async def test_a_unit_is_a_code_or_a_word_for_one(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    lines = [line(unit=unit) for unit in ("Stk", "C62", "kg", "шт")]
    made = await ordered(buyer, supplier, lines=lines)
    assert [each["unit"] for each in made["lines"]] == ["H87", "C62", "KGM", "H87"]
    wrong = basket(supplier, lines=[line(), line(unit="furlongs")])
    problem = refused(await buyer.client.post(URL, json=wrong), 422, "invalid_order")
    [error] = problem["errors"]
    assert (error["field"], error["code"]) == ("lines[1].unit", "unknown_unit")
