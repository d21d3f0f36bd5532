"""Who works on an upload. A lease runs out when its worker dies, and another one takes over.

Every write of a worker is conditional on its lease, so a frozen worker that wakes up late changes
nothing, and a cancelled upload stays cancelled.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.kernel.ids import new_id
from marketplace.kernel.lease import Lease, LeaseLost
from marketplace.kernel.statements import Connection
from pricing.imports.failures import retry_after
from pricing.imports.lease import queries
from pricing.imports.lease.queries import Noted
from pricing.imports.rules import State

LEASE = timedelta(seconds=15)
HEARTBEAT_S = 1.0
ATTEMPTS_MAX = 5
SMALL_BYTES = 8 << 20
"""Uploads up to this size always find a free place in a worker."""


class ImportLease(Lease, frozen=True):
    """`is_large`: of more than SMALL_BYTES."""

    is_large: bool = False


async def claim(connection: Connection, now: datetime, *, large: bool) -> ImportLease | None:
    """The next due upload, or None; only one of at most SMALL_BYTES unless `large`."""
    token = new_id()
    bytes_max = None if large else SMALL_BYTES
    found = await queries.claim(connection, token, now, now + LEASE, bytes_max)
    if found is None:
        return None
    return ImportLease(found.import_id, token, found.bytes_total > SMALL_BYTES)


async def renew(connection: Connection, lease: Lease, now: datetime, noted: Noted) -> None:
    """Heartbeat, with progress. Raises LeaseLost."""
    if not await queries.renew(connection, lease.row_id, lease.token, now + LEASE, noted):
        raise LeaseLost


async def enter(
    connection: Connection, lease: Lease, state: State, now: datetime, noted: Noted
) -> None:
    """Change the state and note when the stage began. Raises LeaseLost."""
    until = now + LEASE
    if not await queries.enter(connection, lease.row_id, lease.token, state, now, until, noted):
        raise LeaseLost


async def read_anew(connection: Connection, lease: Lease, now: datetime) -> None:
    """Whatever was validated before does not count any more. Raises LeaseLost."""
    await enter(connection, lease, "reading", now, Noted())
    await queries.forget_validation(connection, lease.row_id, lease.token)


async def leave(
    connection: Connection, lease: Lease, state: State, now: datetime, noted: Noted
) -> None:
    """End the work in `state`; `ready` waits for a commit, others are final. Raises LeaseLost."""
    if not await queries.leave(connection, lease.row_id, lease.token, state, now, noted):
        raise LeaseLost


async def put_off(connection: Connection, lease: Lease, now: datetime) -> None:
    """After an interruption: another attempt, later each time. Raises LeaseLost."""
    attempts = await queries.attempts(connection, lease.row_id, lease.token)
    if attempts is None:
        raise LeaseLost
    due_at = now + retry_after(attempts)
    await queries.put_off(connection, lease.row_id, lease.token, due_at)


async def give_back(connection: Connection, lease: Lease) -> None:
    """A worker that ends in good order lets the next one begin at once."""
    await queries.give_back(connection, lease.row_id, lease.token)
