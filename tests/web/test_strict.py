"""A field or a query parameter that a call does not know is refused, never ignored."""

from __future__ import annotations

import pytest

from tests.people import NewPerson


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
