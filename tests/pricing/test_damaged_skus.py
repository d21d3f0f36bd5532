"""A damaged article number is refused wherever one is entered, as in a price file."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.people import Person, unique
from tests.pricing.conftest import API, Shop

DAMAGED = [
    ("4.00638E+12", "damaged_sku"),
    ("#N/A", "damaged_sku"),
    ("PUMP\u200b-1", "invisible_character"),
    ("PUMP\u00a01", "invisible_character"),
    ("Mu\u0308hle", "not_normalised"),
    ("=A1", "formula"),
    ("A\tB", "control_character"),
    (" A", "surrounding_blanks"),
]


def code_of(answer: httpx.Response, field: str) -> str:
    assert answer.status_code == 422, answer.text
    [error] = [each for each in answer.json()["errors"] if each["field"] == field]
    assert error["hint"]
    return str(error["code"])


@pytest.mark.parametrize(("sku", "code"), DAMAGED)
async def test_a_damaged_sku_is_refused_wherever_it_is_entered(
    shop: Shop, new_buyer: Any, sku: str, code: str
) -> None:
    buyer: Person = await new_buyer()
    fields = {"name": "Pump", "unit": "C62"}
    made = await buyer.client.post(f"{API}/items", json=fields | {"sku": sku})
    assert code_of(made, "sku") == code
    item = (await buyer.client.post(f"{API}/items", json=fields)).json()
    changed = await buyer.client.patch(f"{API}/items/{item['id']}", json={"sku": sku})
    assert code_of(changed, "sku") == code
    decided = {"sku": sku, "item_id": item["id"]}
    mapped = await shop.client.post(f"{API}/sku_mappings", json=decided)
    assert code_of(mapped, "sku") == code
    line = fields | {"sku": sku, "quantity": "1", "price": {"amount": "1", "currency": "EUR"}}
    order = {"title": "Basket", "currency": "EUR", "supplier_id": shop.supplier_id}
    ordered = await buyer.client.post(f"{API}/orders", json=order | {"lines": [line]})
    assert code_of(ordered, "lines[0].sku") == code


async def test_a_sound_sku_is_taken(new_buyer: Any) -> None:
    buyer: Person = await new_buyer()
    for sku in ("2520E4", "Ä-1/2 №7", "+5V (TO-220)", "00012345678901234567"):
        fields = {"name": "Pump", "unit": "C62", "sku": f"{sku} {unique('s')}"}
        made = await buyer.client.post(f"{API}/items", json=fields)
        assert made.status_code == 201, made.text
