"""Registering an organisation with its first user."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from marketplace.accounts.passwords import Passwords
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


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Pa$$w0rd1", "password_length"),
        ("p" * 257, "password_length"),
        ("Password123", "password_common"),
        ("P@ssw0rd2024!", "password_common"),
        ("qwertyuiop", "password_common"),
        ("aaaaaaaaaaaaaaa", "password_guessable"),
        ("zaq12wsxcde3", "password_common"),
        ("ada.lovelace@example.com", "password_guessable"),
        ("Lovelace2026", "password_guessable"),
        ("Engines-2026", "password_guessable"),
    ],
)
async def test_short_common_and_guessable_passwords_are_refused(
    client: httpx.AsyncClient, password: str, code: str
) -> None:
    body = registration("Engines Ltd", ["buys"], "ada.lovelace@example.com")
    body["user"] |= {"name": "Ada Lovelace", "password": password}
    answer = await client.post("/api/v1/registrations", json=body)
    assert answer.status_code == 422
    wrong = [(error["field"], error["code"]) for error in answer.json()["errors"]]
    assert wrong == [("user.password", code)]
    assert answer.json()["errors"][0]["hint"]


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "dreizehn Äpfel am Baum", "k3!vQz9#tR", "тридцать три коровы"],
)
async def test_sentences_and_random_characters_are_good_passwords(password: str) -> None:
    assert await Passwords().errors("password", password, "ada@example.com", "Ada") == []


async def test_no_password_is_hard_to_judge() -> None:
    """Characters that may stand for several letters make zxcvbn slow: seconds for a long text."""
    costly = "4@3!1|0$57+8(<6a{[29" * 12
    async with asyncio.timeout(8):
        await Passwords().errors("password", costly)
