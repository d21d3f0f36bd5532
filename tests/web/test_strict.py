"""A field or a query parameter that a call does not know is refused, never ignored."""

from __future__ import annotations

import pytest

from tests.auctions.tenders.tendering import tender as new_tender
from tests.people import NewPerson, Person


@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/v1/me", "/api/v1/api_keys"])
async def test_an_unknown_query_parameter_is_named(new_buyer: NewPerson, path: str) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.get(path, params={"stat": "placed"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_field"
    assert answer.json()["errors"][0]["field"] == "stat"


async def test_a_mistyped_field_is_named_by_its_path(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    body = {"name": "key", "scopes": ["orders:read"], "expire_at": "2099-01-01T00:00:00Z"}
    answer = await buyer.client.post("/api/v1/api_keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_field"
    assert answer.json()["errors"][0]["field"] == "expire_at"


async def test_a_call_without_a_body_takes_none(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    path = "/api/v1/tenders/00000000-0000-7000-8000-000000000000/publish"
    answer = await buyer.client.post(path, json={"reason": "because"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field")
    assert answer.json()["errors"][0]["field"] == "reason"
    assert (await buyer.client.post(path, json={})).status_code == 404


async def test_pages_take_what_other_sites_append(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    assert (await buyer.client.get("/tenders", params={"utm_source": "mail"})).status_code == 200


@pytest.mark.parametrize("number", ["1e2", "1_0", "+5", " 5", "٣", ""])
async def test_a_whole_number_in_a_query_has_one_grammar(new_buyer: NewPerson, number: str) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.get("/api/v1/orders", params={"limit": number})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "limit"


async def test_an_optional_reason_may_be_left_out_of_its_object(
    new_supplier: NewPerson, operator: Person
) -> None:
    """`{reason?}`: clients that always send an object are not refused."""
    supplier = await new_supplier(approved=False)
    path = f"/api/v1/organisations/{supplier.organisation_id}/approve"
    assert (await operator.client.post(path, json={})).json()["state"] == "active"


TIMES = {
    "9999-12-31T00:00:00Z": "out_of_range",
    "9999-12-31T23:59:59.999999-12:00": "out_of_range",
    "0001-01-01T00:00:00+14:00": "out_of_range",
    "2199-01-01T00:00:00": "malformed",
}


@pytest.mark.parametrize("when", TIMES)
async def test_a_time_at_the_end_of_the_calendar_is_refused_when_it_is_typed(
    new_buyer: NewPerson, when: str
) -> None:
    """A draft too: its page would have to show it."""
    buyer = await new_buyer()
    tender = new_tender()
    tender["lots"][0]["rules"]["starts_at"] = when
    order = {
        "title": "Pumps",
        "currency": "EUR",
        "supplier_id": str(buyer.organisation_id),
        "lines": [{"name": "Pump", "quantity": "1", "unit": "C62"}],
        "due_at": when,
    }
    for path, body, field in (
        ("/api/v1/tenders", tender, "lots[0].rules.starts_at"),
        ("/api/v1/orders", order, "due_at"),
        ("/api/v1/api_keys", {"name": "k", "scopes": ["*"], "expires_at": when}, "expires_at"),
    ):
        answer = await buyer.client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, TIMES[when]), answer.text
        assert answer.json()["errors"][0]["field"] == field
    answer = await buyer.client.get("/api/v1/exchange_rates", params={"known_at": when})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "known_at")


async def test_a_truth_value_is_no_number(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    path = "/api/v1/tenders/00000000-0000-7000-8000-000000000000/documents"
    query = {"name": "a.pdf", "internal": "true"}
    answer = await buyer.client.post(path, params=query, content=b"%PDF-1.7\nx")
    assert answer.status_code in {404, 415}, answer.text
