"""Who works on an upload. A lease runs out when its worker dies, and another one takes over.

Every write of a worker is conditional on its lease, so a frozen worker that wakes up late changes
nothing, and a cancelled upload stays cancelled.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from marketplace.kernel.ids import new_id
from pricing.imports.failures import retry_after
from pricing.imports.staging import Connection

LEASE = timedelta(seconds=15)
HEARTBEAT_S = 1.0
ATTEMPTS_MAX = 5
SMALL_BYTES = 8 << 20
"""Uploads up to this size always find a free place in a worker."""


class LeaseLost(Exception):
    """Cancelled, or another worker has it; leave everything as it is."""


class Lease(msgspec.Struct, frozen=True):
    import_id: UUID
    token: UUID


# One upload of a supplier at a time, the longest waiting first: nobody's thousand files stand
# before somebody else's one. A supplier whose upload is in work is skipped until that is done. One
# that waits for its next attempt holds up later uploads to its own list only: they must not be
# overtaken by it.
_CLAIM = """UPDATE price_imports i SET lease_token = $1, lease_until = $2, attempts = attempts + 1,
        started_at = coalesce(started_at, $3)
    WHERE i.id = (
        SELECT c.id FROM price_imports c
        WHERE c.due_at <= $3 AND (c.bytes_total <= $5 OR $4)
            AND (c.lease_until IS NULL OR c.lease_until <= $3)
            AND NOT EXISTS (SELECT FROM price_imports o WHERE o.supplier_id = c.supplier_id
                AND o.due_at IS NOT NULL AND o.lease_until > $3)
            AND NOT EXISTS (SELECT FROM price_imports e WHERE e.supplier_id = c.supplier_id
                AND e.list_id = c.list_id AND e.due_at IS NOT NULL AND e.attempts > 0
                AND e.id < c.id)
        ORDER BY c.due_at, c.id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING i.id"""


# The callers' column names are words of this code, never of a request.
_RENEW = """UPDATE price_imports SET lease_until = $3{columns}
    WHERE id = $1 AND lease_token = $2"""
_ENTER = """UPDATE price_imports SET state = $3, lease_until = $4,
    stages = price_stage_entered(stages, $5::jsonb, $6::text){columns}
    WHERE id = $1 AND lease_token = $2"""
_LEAVE = """UPDATE price_imports SET state = $3, lease_token = NULL, lease_until = NULL,
    due_at = NULL, attempts = 0,
    ended_at = CASE WHEN $3::text = 'ready' THEN NULL ELSE $4::timestamptz END,
    stages = price_stage_entered(stages, NULL, $5::text){columns}
    WHERE id = $1 AND lease_token = $2"""


async def claim(connection: Connection, now: datetime, *, large: bool) -> Lease | None:
    """The next due upload, or None; only one of at most SMALL_BYTES unless `large`."""
    token = new_id()
    found = await connection.fetchval(_CLAIM, token, now + LEASE, now, large, SMALL_BYTES)
    return None if found is None else Lease(found, token)


async def renew(connection: Connection, lease: Lease, now: datetime, **columns: Any) -> None:
    """Heartbeat, with progress. Raises LeaseLost."""
    told = "".join(f", {name} = ${place}" for place, name in enumerate(columns, 4))
    done = await connection.execute(
        _RENEW.replace("{columns}", told),
        lease.import_id,
        lease.token,
        now + LEASE,
        *columns.values(),
    )
    if done != "UPDATE 1":
        raise LeaseLost


async def enter(
    connection: Connection, lease: Lease, state: str, now: datetime, **columns: Any
) -> None:
    """Change the state and note when the stage began. Raises LeaseLost."""
    stage = {"name": state, "started_at": now.isoformat(), "ended_at": None}
    told = "".join(f", {name} = ${place}" for place, name in enumerate(columns, 7))
    done = await connection.execute(
        _ENTER.replace("{columns}", told),
        lease.import_id,
        lease.token,
        state,
        now + LEASE,
        msgspec.json.encode(stage).decode(),
        now.isoformat(),
        *columns.values(),
    )
    if done != "UPDATE 1":
        raise LeaseLost


async def leave(
    connection: Connection, lease: Lease, state: str, now: datetime, **columns: Any
) -> None:
    """End the work in `state`; `ready` waits for a commit, others are final. Raises LeaseLost."""
    told = "".join(f", {name} = ${place}" for place, name in enumerate(columns, 6))
    done = await connection.execute(
        _LEAVE.replace("{columns}", told),
        lease.import_id,
        lease.token,
        state,
        now,
        now.isoformat(),
        *columns.values(),
    )
    if done != "UPDATE 1":
        raise LeaseLost


async def put_off(connection: Connection, lease: Lease, now: datetime) -> None:
    """After an interruption: another attempt, later each time. Raises LeaseLost."""
    attempts = await connection.fetchval(
        "SELECT attempts FROM price_imports WHERE id = $1 AND lease_token = $2",
        lease.import_id,
        lease.token,
    )
    if attempts is None:
        raise LeaseLost
    await connection.execute(
        "UPDATE price_imports SET lease_until = NULL, lease_token = NULL, due_at = $3"
        " WHERE id = $1 AND lease_token = $2",
        lease.import_id,
        lease.token,
        now + retry_after(attempts),
    )


async def give_back(connection: Connection, lease: Lease) -> None:
    """A worker that ends in good order lets the next one begin at once."""
    await connection.execute(
        "UPDATE price_imports SET lease_until = NULL, lease_token = NULL, attempts = attempts - 1"
        " WHERE id = $1 AND lease_token = $2",
        lease.import_id,
        lease.token,
    )
