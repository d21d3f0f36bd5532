"""Organisations and callers for tests of the ledger, without HTTP."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import OrganisationId, UserId, new_id
from marketplace.ledger.posting import Rule, Source
from tests.people import unique

RULE = Rule("agreement", 3, "Programme Network, tier gold: 10 % of the sale")


def order() -> Source:
    return Source("order", str(new_id()))


async def new_organisation(
    database: Database, *roles: str, operator: bool = False, name: str | None = None
) -> Actor:
    """An organisation with one user in these roles; the user as caller."""
    organisation_id, user_id = new_id(), new_id()
    word = unique("tax")
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                "INSERT INTO organisations (id, name, country, tax_id, tax_id_normal,"
                " capabilities, state, operator, created_at)"
                " VALUES (:id, :name, 'DE', :tax, :tax, '{supplies}', 'active', :operator, now())"
            ),
            {
                "id": organisation_id,
                "name": name or unique("Partner"),
                "tax": word,
                "operator": operator,
            },
        )
    await add_user(database, organisation_id, user_id)
    return actor_of(organisation_id, user_id, *roles, operator=operator)


async def add_user(database: Database, organisation_id: UUID, user_id: UUID) -> None:
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                "INSERT INTO users (id, organisation_id, name, email, email_normal, password_hash,"
                " totp_last_step, created_at)"
                " VALUES (:id, :organisation, 'Person', :email, :email, 'none', 0, now())"
            ),
            {
                "id": user_id,
                "organisation": organisation_id,
                "email": f"{unique('person')}@example.com",
            },
        )


async def new_colleague(database: Database, person: Actor, *roles: str) -> Actor:
    """Another user of the same organisation, whom nobody invited."""
    user_id = new_id()
    await add_user(database, person.organisation_id, user_id)
    return actor_of(person.organisation_id, user_id, *roles, operator=person.operator)


def actor_of(organisation_id: UUID, user_id: UUID, *roles: str, operator: bool = False) -> Actor:
    return Actor(
        user_id=UserId(user_id),
        organisation_id=OrganisationId(organisation_id),
        roles=frozenset(roles),
        capabilities=frozenset(["supplies"]),
        operator=operator,
    )
