"""Every statement about the hierarchy of organisations, and about seats."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Entitlement
from marketplace.kernel.statements import Row, Source, Statement

# One for all: whoever moves a node could make a cycle together with whoever moves another one.
_LOCK = Statement("SELECT pg_advisory_xact_lock(hashtext('organisation hierarchy'))")
_ANCESTORS = Statement(
    "SELECT ancestor_id FROM organisation_closure WHERE descendant_id = :id ORDER BY depth DESC"
)
_HEIGHT = Statement(
    "SELECT coalesce(max(depth), 0) AS height FROM organisation_closure WHERE ancestor_id = :id"
)
_CUT = Statement(
    """DELETE FROM organisation_closure link
    USING organisation_closure above
    WHERE above.descendant_id = :id AND link.ancestor_id = above.ancestor_id
        AND (link.descendant_id = :id OR link.descendant_id IN (
            SELECT descendant_id FROM organisation_closure WHERE ancestor_id = :id))"""
)
_JOIN = Statement(
    """INSERT INTO organisation_closure (ancestor_id, descendant_id, depth)
    SELECT above.id, below.id, above.steps + below.steps + 1
    FROM (SELECT CAST(:parent AS uuid) AS id, 0 AS steps UNION ALL
            SELECT ancestor_id, depth FROM organisation_closure
            WHERE descendant_id = CAST(:parent AS uuid)) above
        CROSS JOIN (SELECT CAST(:id AS uuid) AS id, 0 AS steps UNION ALL
            SELECT descendant_id, depth FROM organisation_closure
            WHERE ancestor_id = CAST(:id AS uuid)) below"""
)
_SUBTREE = Statement(
    """SELECT node.id, node.depth, parent.ancestor_id AS parent_id
    FROM (SELECT CAST(:id AS uuid) AS id, 0 AS depth UNION ALL
            SELECT descendant_id, depth FROM organisation_closure
            WHERE ancestor_id = CAST(:id AS uuid)) node
        LEFT JOIN organisation_closure parent
            ON parent.descendant_id = node.id AND parent.depth = 1
    ORDER BY node.depth, node.id LIMIT :limit"""
)
# One statement sees an invitation either open or accepted, never both or neither.
_SEATS = Statement(
    """SELECT (SELECT count(*) FROM users WHERE organisation_id = :id AND disabled_at IS NULL)
        + (SELECT count(*) FROM colleague_invitations WHERE organisation_id = :id
            AND accepted_at IS NULL AND expires_at > :now) AS used"""
)

_ENTITLEMENT = Statement(
    "SELECT modules, seats FROM organisation_entitlements WHERE organisation_id = :id"
)


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A place below (or at) the organisation that was asked for; `depth` levels below it."""

    id: UUID
    depth: int
    parent_id: UUID | None


async def lock_hierarchy(session: AsyncSession) -> None:
    await _LOCK.rows(session)


async def ancestors(source: Source, organisation_id: UUID) -> list[UUID]:
    """The root first."""
    rows = await _ANCESTORS.rows(source, id=organisation_id)
    return [row["ancestor_id"] for row in rows]


async def height(source: Source, organisation_id: UUID) -> int:
    """How many levels stand below it."""
    row = await _HEIGHT.row(source, id=organisation_id)
    assert row is not None, "an aggregate is one row"
    return int(row["height"])


async def cut(session: AsyncSession, organisation_id: UUID) -> None:
    """It becomes a root, with everything below it."""
    await _CUT.run(session, id=organisation_id)


async def join(session: AsyncSession, organisation_id: UUID, parent_id: UUID) -> None:
    """A root is put below `parent_id`, with everything below it."""
    await _JOIN.run(session, id=organisation_id, parent=parent_id)


async def subtree(source: Source, organisation_id: UUID, limit: int) -> list[Node]:
    """It and everything below it, from the top down."""
    rows = await _SUBTREE.rows(source, id=organisation_id, limit=limit)
    return [Node(**row) for row in rows]


async def seats_used(source: Source, organisation_id: UUID, now: datetime) -> int:
    """Members and open invitations."""
    row = await _SEATS.row(source, id=organisation_id, now=now)
    assert row is not None, "an aggregate is one row"
    return int(row["used"])


async def entitlement_row(source: Source, organisation_id: UUID) -> Row | None:
    return await _ENTITLEMENT.row(source, id=organisation_id)


async def entitlement(session: AsyncSession, organisation_id: UUID) -> Entitlement | None:
    return await session.get(Entitlement, organisation_id, populate_existing=True)
