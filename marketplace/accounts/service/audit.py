"""The audit log: who did what to an organisation, when and why."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import AuditEntry
from marketplace.kernel.actor import Actor
from marketplace.kernel.ids import new_id


def record(
    session: AsyncSession,
    at: datetime,
    what: str,
    organisation_id: UUID,
    *,
    actor: Actor | None = None,
    subject_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Written with the caller's transaction. `actor` is None for the house (the command line, a
    job, somebody who is only just registering).
    """
    session.add(
        AuditEntry(
            id=new_id(),
            at=at,
            organisation_id=organisation_id,
            actor_user_id=actor.user_id if actor else None,
            actor_organisation_id=actor.organisation_id if actor else None,
            what=what,
            subject_id=subject_id,
            reason=reason,
        )
    )
