"""Organisations and people for cases, straight into a database of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Membership, Organisation, User
from marketplace.kernel.actor import Actor
from marketplace.kernel.ids import OrganisationId, UserId, new_id
from tests.people import unique

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


async def organisation(session: AsyncSession, *, operator: bool = False) -> UUID:
    number = unique("party")
    row = Organisation(
        id=new_id(),
        name=f"Organisation {number}",
        country="DE",
        tax_id=number,
        tax_id_normal=number,
        capabilities=["buys"] if operator else ["supplies"],
        state="active",
        operator=operator,
        created_at=BEGINNING,
    )
    session.add(row)
    await session.flush()
    return row.id


async def person(
    session: AsyncSession,
    organisation_id: UUID,
    *roles: str,
    disabled_at: datetime | None = None,
) -> UUID:
    number = unique("person")
    row = User(
        id=new_id(),
        organisation_id=organisation_id,
        name=f"Person {number}",
        email=f"{number}@example.com",
        email_normal=f"{number}@example.com",
        password_hash="",
        created_at=BEGINNING,
        disabled_at=disabled_at,
    )
    session.add(row)
    await session.flush()
    session.add_all(
        Membership(user_id=row.id, organisation_id=organisation_id, role=role, created_at=BEGINNING)
        for role in roles
    )
    await session.flush()
    return row.id


async def actor(
    session: AsyncSession, organisation_id: UUID, *roles: str, operator: bool = False
) -> Actor:
    """A new person of that organisation, logged in."""
    return Actor(
        user_id=UserId(await person(session, organisation_id, *roles)),
        organisation_id=OrganisationId(organisation_id),
        roles=frozenset(roles),
        capabilities=frozenset(["buys"] if operator else ["supplies"]),
        operator=operator,
    )
