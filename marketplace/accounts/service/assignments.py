"""Who of an organisation works on an order or a tender. A partner employee sees nothing else of
either (`Actor.own_records_only`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import assignment_queries as queries
from marketplace.accounts.models import Assignment
from marketplace.accounts.schemas import Assignee, AssigneePage
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import FieldError, Invalid

Subject = Literal["order", "tender"]
ASSIGNERS = ("admin", "partner_manager", "procurement_officer")


async def list_assignees(session: AsyncSession, actor: Actor, subject_id: UUID) -> AssigneePage:
    """Of the caller's organisation; the caller's right to see the subject was settled before."""
    rows = await queries.assignees(session, actor.organisation_id, subject_id)
    return AssigneePage(items=[Assignee(id=row.id, name=row.name) for row in rows])


async def set_assignees(
    session: AsyncSession,
    actor: Actor,
    subject: Subject,
    subject_id: UUID,
    users: Iterable[UUID],
    now: datetime,
) -> AssigneePage:
    """Replace them. The caller's right to see the subject was settled before. Raises Forbidden,
    Invalid.
    """
    actor.require_role(*ASSIGNERS)
    wanted = list(dict.fromkeys(users))
    known = await queries.colleagues(session, actor.organisation_id, wanted)
    errors = [
        FieldError(f"users[{index}]", "unknown_colleague", "A colleague of your organisation.")
        for index, user_id in enumerate(wanted)
        if user_id not in known
    ]
    if errors:
        raise Invalid("unknown_colleague", errors[0].message, errors=errors)
    await queries.unassign_others(session, actor.organisation_id, subject_id, wanted)
    await assign(session, actor, subject, subject_id, wanted, now)
    return await list_assignees(session, actor, subject_id)


async def assign(
    session: AsyncSession,
    actor: Actor,
    subject: Subject,
    subject_id: UUID,
    users: Iterable[UUID],
    now: datetime,
) -> None:
    """Let colleagues of the caller work on it too; who does already stays. The caller has made sure
    that they are colleagues.
    """
    rows = [
        {
            "subject_id": subject_id,
            "user_id": user_id,
            "organisation_id": actor.organisation_id,
            "subject": subject,
            "assigned_by": actor.user_id,
            "assigned_at": now,
        }
        for user_id in dict.fromkeys(users)
    ]
    if rows:
        await session.execute(insert(Assignment).values(rows).on_conflict_do_nothing())


async def hand_on(
    session: AsyncSession,
    organisation_id: UUID,
    before_id: UUID,
    subject: Subject,
    subject_id: UUID,
    now: datetime,
) -> None:
    """Who worked on what came before works on this too (system scope)."""
    await queries.copy_assignments(session, organisation_id, before_id, subject, subject_id, now)
