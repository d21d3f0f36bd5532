"""Every SELECT of the live channel."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, bindparam, text
from sqlalchemy import Uuid as UuidType
from sqlalchemy.ext.asyncio import AsyncSession


class Standing(msgspec.Struct, frozen=True):
    """What a login is worth now: the state of its organisation and the roles of its user."""

    state: str
    roles: frozenset[str]


_LOGINS = text(
    """SELECT login.id, o.state, ARRAY(SELECT m.role FROM memberships m
        WHERE m.user_id = u.id AND m.organisation_id = o.id)
    FROM (
        SELECT id, user_id, organisation_id FROM sessions
        WHERE id = ANY(:ids) AND ended_at IS NULL AND expires_at > :now
        UNION ALL
        SELECT id, user_id, organisation_id FROM api_keys
        WHERE id = ANY(:ids) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
    ) login
    JOIN users u ON u.id = login.user_id AND u.disabled_at IS NULL
    JOIN organisations o ON o.id = login.organisation_id"""
).bindparams(bindparam("ids", type_=ARRAY(UuidType)))


async def logins(
    session: AsyncSession, ids: Collection[UUID], now: datetime
) -> dict[UUID, Standing]:
    """Those of these sessions and API keys that stand, in one round trip (system scope).

    A session does not run idle here: an open socket is its use.
    """
    rows = await session.execute(_LOGINS, {"ids": list(ids), "now": now})
    return {row[0]: Standing(row[1], frozenset(row[2])) for row in rows}
