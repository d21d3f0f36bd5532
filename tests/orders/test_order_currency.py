"""A currency that does not exist is refused wherever one is entered."""

from __future__ import annotations

from tests.answers import refused
from tests.orders.ordering import URL, basket, line
from tests.people import NewPerson, Person

API = "/api/v1"


async def test_no_call_takes_a_currency_that_does_not_exist(
    new_buyer: NewPerson, new_supplier: NewPerson, operator: Person
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    for code in ("EUX", "XXX", "eur"):
        price = {"amount": "1.00", "currency": code}
        body = basket(supplier, currency=code, lines=[line(price=price)])
        problem = refused(await buyer.client.post(URL, json=body), 422, "invalid_order")
        assert ("currency", "unknown_currency") in {
            (error["field"], error["code"]) for error in problem["errors"]
        }
        lot = {
            "title": "Pumps",
            "items": [{"name": "Pump", "quantity": "1", "unit": "C62"}],
            "rules": {"format": "english"},
        }
        tender = {"title": "Pumps", "currency": code, "lots": [lot]}
        refused(await buyer.client.post(f"{API}/tenders", json=tender), 422, "unknown_currency")
        rate = {"base": code, "quote": "USD", "on_date": "2026-01-01", "rate": "1.5"}
        rates = {"rates": [rate]}
        answer = await operator.client.post(f"{API}/exchange_rates", json=rates)
        refused(answer, 422, "unknown_currency")
        asked = {"item": "A", "supplier": str(supplier.organisation_id), "quantity": "1"}
        answer = await buyer.client.get(f"{API}/prices/resolve", params=asked | {"currency": code})
        refused(answer, 422, "unknown_currency")
