"""Every SELECT of assignments: who of an organisation works on what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Assignment, User


async def assignees(
    session: AsyncSession, organisation_id: UUID, subject_id: UUID
) -> Sequence[User]:
    """The organisation's people who work on a subject, by name."""
    query = (
        select(User)
        .join(Assignment, Assignment.user_id == User.id)
        .where(Assignment.subject_id == subject_id, Assignment.organisation_id == organisation_id)
    )
    return (await session.scalars(query.order_by(User.name, User.id))).all()


async def assigned_to_any(
    session: AsyncSession, organisation_id: UUID, subject_ids: Iterable[UUID]
) -> set[UUID]:
    """The organisation's people who work on at least one of these subjects."""
    query = select(Assignment.user_id).where(
        Assignment.organisation_id == organisation_id, Assignment.subject_id.in_(list(subject_ids))
    )
    return set(await session.scalars(query))


async def colleagues(
    session: AsyncSession, organisation_id: UUID, user_ids: Iterable[UUID]
) -> set[UUID]:
    """Those of the users who belong to the organisation and are not disabled."""
    query = select(User.id).where(
        User.organisation_id == organisation_id,
        User.disabled_at.is_(None),
        User.id.in_(list(user_ids)),
    )
    return set(await session.scalars(query))


async def unassign_others(
    session: AsyncSession, organisation_id: UUID, subject_id: UUID, staying: Iterable[UUID]
) -> None:
    """Take everybody of the organisation but `staying` off a subject."""
    await session.execute(
        delete(Assignment).where(
            Assignment.organisation_id == organisation_id,
            Assignment.subject_id == subject_id,
            Assignment.user_id.not_in(list(staying)),
        )
    )


_COPY_ASSIGNMENTS = text(
    """INSERT INTO assignments (subject_id, user_id, organisation_id, subject, assigned_by,
        assigned_at)
    SELECT CAST(:subject_id AS uuid), user_id, organisation_id, CAST(:subject AS text), assigned_by,
        CAST(:now AS timestamptz)
    FROM assignments WHERE subject_id = :before_id AND organisation_id = :organisation_id
    ON CONFLICT DO NOTHING"""
)


async def copy_assignments(
    session: AsyncSession,
    organisation_id: UUID,
    before_id: UUID,
    subject: str,
    subject_id: UUID,
    now: datetime,
) -> None:
    values = {"organisation_id": organisation_id, "before_id": before_id, "now": now}
    await session.execute(
        _COPY_ASSIGNMENTS, values | {"subject": subject, "subject_id": subject_id}
    )
