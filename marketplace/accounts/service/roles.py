"""Roles given and taken. Each grant stays on record: two-person rules ask who gave a role."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.accounts.models import Membership, RoleGrant
from marketplace.kernel.ids import new_id


async def give(
    session: AsyncSession,
    now: datetime,
    user_id: UUID,
    organisation_id: UUID,
    roles: Iterable[str],
    granted_by: UUID | None,
) -> None:
    """`granted_by` is None where nobody in the organisation could have: at its registration."""
    new = sorted(set(roles))
    if not new:
        return
    whose = {"user_id": user_id, "organisation_id": organisation_id}
    await session.execute(
        insert(Membership), [{**whose, "role": role, "created_at": now} for role in new]
    )
    await _record(session, now, user_id, organisation_id, new, granted_by)


async def take(
    session: AsyncSession,
    now: datetime,
    user_id: UUID,
    organisation_id: UUID,
    roles: Iterable[str],
) -> None:
    gone = sorted(set(roles))
    await session.execute(
        delete(Membership).where(
            Membership.user_id == user_id,
            Membership.organisation_id == organisation_id,
            Membership.role.in_(gone),
        )
    )
    await session.execute(
        update(RoleGrant)
        .where(RoleGrant.user_id == user_id, RoleGrant.role.in_(gone))
        .where(RoleGrant.ended_at.is_(None))
        .values(ended_at=now)
    )


async def suspend(session: AsyncSession, now: datetime, user_id: UUID) -> None:
    """The person leaves: the roles stay noted in the membership, but are not held meanwhile."""
    await session.execute(
        update(RoleGrant)
        .where(RoleGrant.user_id == user_id, RoleGrant.ended_at.is_(None))
        .values(ended_at=now)
    )


async def resume(
    session: AsyncSession, now: datetime, user_id: UUID, organisation_id: UUID, granted_by: UUID
) -> None:
    """The person is back by the will of `granted_by`, who gives every role anew."""
    roles = await queries.roles(session, user_id, organisation_id)
    await _record(session, now, user_id, organisation_id, roles, granted_by)


async def _record(
    session: AsyncSession,
    now: datetime,
    user_id: UUID,
    organisation_id: UUID,
    roles: Iterable[str],
    granted_by: UUID | None,
) -> None:
    rows = [
        {
            "id": new_id(),
            "organisation_id": organisation_id,
            "user_id": user_id,
            "role": role,
            "granted_by": granted_by,
            "granted_at": now,
        }
        for role in roles
    ]
    if rows:
        await session.execute(insert(RoleGrant), rows)
