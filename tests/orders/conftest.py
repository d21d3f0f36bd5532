"""Colleagues: somebody else in the same organisation."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from tests.orders.ordering import ok
from tests.people import PASSWORD, NewPerson, Person, log_in, unique


@pytest.fixture(scope="session")
def new_colleague(connect_client: Callable[[], httpx.AsyncClient]) -> NewPerson:
    """`await new_colleague(person, "approver")`: came by the invitation link, logged in."""

    async def make(person: Person, *roles: str) -> Person:
        email = f"{unique('colleague')}@example.com"
        invitation = {"email": email, "roles": list(roles)}
        made = ok(await person.client.post("/api/v1/invitations", json=invitation), 201)
        client = connect_client()
        user = ok(
            await client.post(
                f"/api/v1/invitations/{made['token']}/accept",
                json={"name": "Colleague", "password": PASSWORD},
            ),
            201,
        )
        colleague = Person(
            client=client,
            organisation_id=person.organisation_id,
            user_id=UUID(user["id"]),
            email=email,
            name="Colleague",
        )
        await log_in(colleague)
        return colleague

    return make
