"""Registering an organisation with its first user."""

from __future__ import annotations

import httpx

from tests.people import NewPerson, registration, unique


async def test_a_buyer_registers_and_may_work_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/registrations", json=registration("Acme", ["buys"]))
    assert answer.status_code == 201, answer.text
    assert answer.json()["organisation"]["state"] == "active"


async def test_a_supplier_waits_for_the_operator(new_supplier: NewPerson) -> None:
    supplier = await new_supplier(approved=False)
    me = (await supplier.client.get("/api/v1/me")).json()
    assert me["organisation"]["state"] == "prospect"
    assert me["roles"] == ["admin", "partner_employee", "partner_manager"]
    assert me["scopes"] == ["*"]


async def test_the_same_country_and_tax_number_registers_once(client: httpx.AsyncClient) -> None:
    body = registration("Acme", ["buys"])
    assert (await client.post("/api/v1/registrations", json=body)).status_code == 201
    again = registration("Acme again", ["buys"])
    again["organisation"]["tax_id"] = body["organisation"]["tax_id"].lower().replace("-", " ")
    answer = await client.post("/api/v1/registrations", json=again)
    assert answer.status_code == 409
    assert answer.json()["code"] == "organisation_exists"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_same_address_registers_once(client: httpx.AsyncClient) -> None:
    email = f"{unique('Twice')}@example.com"
    first = registration("One", ["buys"], email)
    second = registration("Two", ["buys"], email.upper())
    assert (await client.post("/api/v1/registrations", json=first)).status_code == 201
    answer = await client.post("/api/v1/registrations", json=second)
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    # The organisation of the refused registration is not there either.
    second["user"]["email"] = f"{unique('other')}@example.com"
    assert (await client.post("/api/v1/registrations", json=second)).status_code == 201


async def test_every_wrong_field_is_named(client: httpx.AsyncClient) -> None:
    body = registration("", ["buys", "dances"])
    body["organisation"]["country"] = "Germany"
    body["user"] |= {"email": "nobody", "password": "short"}
    answer = await client.post("/api/v1/registrations", json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [
        "organisation.name",
        "organisation.country",
        "organisation.capabilities[1]",
        "user.email",
        "user.password",
    ]
