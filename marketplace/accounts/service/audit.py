"""The audit log: who did what to an organisation, when and why."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.accounts.models import AuditEntry
from marketplace.accounts.schemas import AuditPage, AuditView
from marketplace.kernel.actor import Actor
from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page


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


async def browse(session: AsyncSession, actor: Actor, *, page: Page) -> AuditPage:
    """The own organisation's entries, every organisation's for the operator."""
    organisation_id = None if actor.operator else actor.organisation_id
    found = await queries.audit_entries(session, organisation_id=organisation_id, page=page)
    shown, next_cursor = page.cut(found)
    return AuditPage(
        items=[
            AuditView(
                id=each.id,
                at=each.at,
                organisation_id=each.organisation_id,
                actor_user_id=each.actor_user_id,
                actor_organisation_id=each.actor_organisation_id,
                what=each.what,
                subject_id=each.subject_id,
                reason=each.reason,
            )
            for each in shown
        ],
        next_cursor=next_cursor,
    )
