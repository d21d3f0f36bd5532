"""Organisations for tests, made and logged in through the public API."""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from uuid import UUID

import httpx
import msgspec

from marketplace.kernel.db import Database

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)
_run = os.urandom(4).hex()


class Person(msgspec.Struct, kw_only=True):
    """Somebody logged in by cookie. `client` already sends Origin and the CSRF token, so
    `await buyer.client.post("/api/v1/tenders", json={...})` simply works.
    """

    client: httpx.AsyncClient
    organisation_id: UUID
    user_id: UUID
    email: str
    name: str
    password: str = PASSWORD

    async def api_key(self, *scopes: str) -> str:
        """A bearer text with these scopes, `*` by default."""
        await self.reauthenticate()
        answer = await self.client.post(
            "/api/v1/api_keys", json={"name": "test", "scopes": list(scopes or ["*"])}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])

    async def reauthenticate(self) -> None:
        """Somebody of a long test module logged in more than a quarter of an hour ago."""
        answer = await self.client.post(
            "/api/v1/me/reauthenticate", json={"password": self.password}
        )
        assert answer.status_code == 204, answer.text

    def cookie_header(self) -> str:
        """For clients that are not httpx, such as a WebSocket."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookies.jar)


def unique(word: str) -> str:
    """A name nobody else uses in this database."""
    return f"{word}-{_run}-{next(_numbers)}"


def registration(name: str, capabilities: Sequence[str], email: str | None = None) -> dict:
    """A valid body for POST /api/v1/registrations."""
    return {
        "organisation": {
            "name": name,
            "country": "DE",
            "tax_id": unique("DE"),
            "capabilities": list(capabilities),
        },
        "user": {
            "name": f"{name} Person",
            "email": email or f"{unique('person')}@example.com",
            "password": PASSWORD,
        },
    }


class Connect(Protocol):
    """`connect_client` of the fixtures."""

    def __call__(self) -> httpx.AsyncClient:
        """A client that knows nobody yet."""

    async def mailed_path(self, email: str) -> str:
        """Where the newest mail that waits for this address leads, as its reader would see it."""


NewPerson = Callable[..., Awaitable[Person]]


async def register(connect: Connect, name: str, capabilities: Sequence[str]) -> Person:
    """A new organisation whose first user is logged in."""
    body = registration(name, capabilities)
    client = connect()
    answer = await client.post("/api/v1/registrations", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    person = Person(
        client=client,
        organisation_id=UUID(made["organisation"]["id"]),
        user_id=UUID(made["user"]["id"]),
        email=body["user"]["email"],
        name=name,
    )
    await log_in(person)
    return person


async def invite(person: Person, *roles: str, email: str | None = None) -> str:
    """Invite somebody into the organisation of `person`; the address it went to."""
    address = email or f"{unique('colleague')}@example.com"
    await person.reauthenticate()
    answer = await person.client.post(
        "/api/v1/invitations", json={"email": address, "roles": list(roles)}
    )
    assert answer.status_code == 201, answer.text
    return address


async def invitation_token(connect: Connect, email: str) -> str:
    """The token of an invitation, from the only place it goes to: the mail."""
    return (await connect.mailed_path(email)).removeprefix("/invitations/")


async def colleague(connect: Connect, person: Person, *roles: str) -> Person:
    """Another user of the same organisation, who came by the link in the mail and is logged in."""
    email = await invite(person, *roles)
    token, client = await invitation_token(connect, email), connect()
    answer = await client.post(
        f"/api/v1/invitations/{token}/accept", json={"name": "Colleague", "password": PASSWORD}
    )
    assert answer.status_code == 201, answer.text
    other = Person(
        client=client,
        organisation_id=person.organisation_id,
        user_id=UUID(answer.json()["id"]),
        email=email,
        name="Colleague",
    )
    await log_in(other)
    return other


async def peer(connect: Connect, person: Person, *roles: str) -> Person:
    """A colleague whom `person` did not bring in, but another administrator: the two are
    independent of each other where two people must act.
    """
    return await colleague(connect, await colleague(connect, person, "admin"), *roles)


async def since_yesterday(database: Database, person: Person) -> None:
    """The person has held its roles for a day."""
    pool = await database.pool()
    await pool.execute(
        "UPDATE role_grants SET granted_at = granted_at - interval '1 day' WHERE user_id = $1",
        person.user_id,
    )


async def log_in(person: Person) -> None:
    """Log in by password and remember what a browser would."""
    answer = await person.client.post(
        "/api/v1/sessions", json={"email": person.email, "password": person.password}
    )
    assert answer.status_code == 201, answer.text
    person.client.headers["Origin"] = str(person.client.base_url).rstrip("/")
    person.client.headers["X-CSRF-Token"] = person.client.cookies["csrf_token"]
