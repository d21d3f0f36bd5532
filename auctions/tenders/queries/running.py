"""Auctions that need heartbeats, and who gives them one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

RUNNING_MAX = 20_000
"""As many as twenty workers hold; it is read twice a second."""


class RunningAuction(msgspec.Struct, frozen=True):
    """`seq` is its last command; `close_at` is in µs, None before the first command."""

    auction_id: UUID
    seq: int
    close_at: int | None


async def running(session: AsyncSession, now: datetime) -> list[RunningAuction]:
    """Auctions that start at or before `now` and have not ended, first those that close first
    (system scope).
    """
    statement = text(
        "SELECT a.id, h.seq, h.close_at FROM auctions a JOIN auction_head h ON h.auction_id = a.id"
        " WHERE a.state = 'scheduled' AND a.starts_at <= :now"
        " AND h.status NOT IN ('closed', 'cancelled')"
        " ORDER BY h.close_at NULLS FIRST LIMIT :limit"
    )
    rows = await session.execute(statement, {"now": now, "limit": RUNNING_MAX})
    return [RunningAuction(*row) for row in rows]


async def claimed(session: AsyncSession, ids: Sequence[UUID]) -> list[UUID]:
    """Those of `ids` that no other process has claimed; until the transaction ends they are this
    one's.
    """
    statement = text(
        "SELECT id FROM unnest(CAST(:ids AS uuid[])) AS id"
        " WHERE pg_try_advisory_xact_lock(hashtextextended('heartbeat ' || id, 0))"
    )
    return list(await session.scalars(statement, {"ids": list(ids)}))
