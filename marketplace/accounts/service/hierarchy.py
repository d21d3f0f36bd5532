"""Who stands above whom. A cycle is refused under one lock, so that two moves at once make none."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import network_queries as network
from marketplace.accounts import queries
from marketplace.accounts.rules import LEVELS_MAX
from marketplace.accounts.schemas import ParentView, PathNode
from marketplace.accounts.service import audit
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Conflict, NotFound


async def set_parent(
    session: AsyncSession,
    clock: Clock,
    actor: Actor,
    organisation_id: UUID,
    parent_id: UUID | None,
) -> ParentView:
    """Put an organisation, with everything below it, below another; None makes it a root. Raises
    NotFound, Conflict (`cycle`, `too_deep`).
    """
    await network.lock_hierarchy(session)
    for each in (organisation_id, parent_id):
        if each is not None and await queries.organisation(session, each) is None:
            raise NotFound("organisation")
    if parent_id is not None:
        above = [*await network.ancestors(session, parent_id), parent_id]
        if organisation_id in above:
            raise Conflict("cycle", "The new parent is the organisation itself or stands below it.")
        if len(above) + 1 + await network.height(session, organisation_id) > LEVELS_MAX:
            raise Conflict("too_deep", f"A hierarchy has at most {LEVELS_MAX} levels.")
    await network.cut(session, organisation_id)
    if parent_id is not None:
        await network.join(session, organisation_id, parent_id)
    reason = "none" if parent_id is None else str(parent_id)
    audit.record(session, clock.now(), "parent_set", organisation_id, actor=actor, reason=reason)
    return await show(session, actor, organisation_id)


async def show(session: AsyncSession, actor: Actor, organisation_id: UUID) -> ParentView:
    """Where it stands: the own organisation, the operator any. Raises NotFound."""
    if organisation_id != actor.organisation_id and not actor.operator:
        raise NotFound("organisation")
    if await queries.organisation(session, organisation_id) is None:
        raise NotFound("organisation")
    above = await network.ancestors(session, organisation_id)
    path = [*above, organisation_id]
    names = await queries.public_organisations(session, path)
    return ParentView(
        parent_id=above[-1] if above else None,
        path=[PathNode(id=each, name=names[each].name) for each in path],
    )
