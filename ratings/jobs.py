"""What ratings do by the clock: orders mature, policies come into force, landmarks move on."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from ratings import queries
from ratings.accumulators import REBASE_AFTER

LOOK_EVERY = timedelta(minutes=5)
BUYERS_MAX = 2_000
TIMEOUT_MS = 300_000


async def keep(database: Database, clock: Clock) -> int:
    """Look after the sums of every buyer that is due; how many. Safe on several workers."""
    now = clock.now()
    async with database.transaction(SYSTEM) as session:
        due = await queries.due_buyers(session, now - LOOK_EVERY, BUYERS_MAX)
    for buyer_id in due:
        async with database.transaction(SYSTEM) as session:
            await queries.be_patient(session, TIMEOUT_MS)
            await keep_buyer(session, buyer_id, clock.now())
    return len(due)


async def keep_buyer(session: AsyncSession, buyer_id: UUID, now: datetime) -> None:
    """Make what is missing, forget what is over, mature and re-base the rest. Idempotent. The
    session must be in the system scope.
    """
    await queries.lock_buyer(session, buyer_id)
    in_force = await queries.policy_at(session, buyer_id, now)
    wanted = {policy.id: policy for policy in await queries.policies_ahead(session, buyer_id, now)}
    wanted[in_force.id] = in_force
    kept = await queries.bases(session, buyer_id)
    for base in kept:
        if base.policy.id not in wanted:
            await queries.drop(session, buyer_id, base.policy.id)
            continue
        if now > base.matured_until:
            await queries.mature(session, buyer_id, base, now)
        age = (now - base.landmark) // base.policy.parameters.half_life()
        if age > REBASE_AFTER:
            await queries.rebase(session, buyer_id, base, age)
    missing = wanted.keys() - {base.policy.id for base in kept}
    for policy_id in missing:
        await queries.store(session, buyer_id, wanted[policy_id], now)


async def rebuild(session: AsyncSession, buyer_id: UUID, now: datetime) -> None:
    """Count everything again from what happened; the sums must not change by it."""
    await queries.lock_buyer(session, buyer_id)
    for base in await queries.bases(session, buyer_id):
        await queries.store(session, buyer_id, base.policy, now)
