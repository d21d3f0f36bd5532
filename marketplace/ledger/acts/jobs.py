"""The worker's side of an act run. Every step is a transaction of its own, so a worker that is
killed has lost nothing, and another goes on after the lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.lease import Lease, LeaseLost, Leases
from marketplace.ledger.acts import queries, service
from marketplace.ledger.acts.child import Renderer, rendering
from marketplace.ledger.acts.models import ActRun
from marketplace.ledger.acts.render import ActData, Files

LEASE = timedelta(seconds=30)
"""Renewed with each batch, which takes a second or two; so long nobody takes over from the dead."""
NUMBERED_AT_ONCE = 50
RENDERED_AT_ONCE = 20

_LEASES = Leases("act_runs", LEASE)
_log = structlog.get_logger(__name__)


async def work_act_runs(database: Database, clock: Clock) -> None:
    """Work until nothing is due. Safe on any number of workers at once."""
    while lease := await claim(database, clock):
        try:
            await number(database, clock, lease)
            await _render(database, clock, lease)
        except LeaseLost:
            _log.info("act_run_left", run_id=str(lease.row_id))


async def claim(database: Database, clock: Clock) -> Lease | None:
    """The oldest run that nobody works on."""
    token, now = new_id(), clock.now()
    async with database.transaction(SYSTEM) as session:
        run_id = await queries.claim_run(session, token, now, now + LEASE)
    return None if run_id is None else Lease(run_id, token)


async def number(database: Database, clock: Clock, lease: Lease) -> None:
    """Issue the acts of the run, batch by batch. Raises LeaseLost."""
    issued = NUMBERED_AT_ONCE
    while issued:
        async with database.transaction(SYSTEM) as session:
            now = clock.now()
            run = await _held(session, lease, clock)
            issued = await service.issue(session, run, NUMBERED_AT_ONCE, now)
            if not issued:
                run.state = "rendering"


async def _render(database: Database, clock: Clock, lease: Lease) -> None:
    async with rendering() as renderer:
        while batch := await _batch(database, clock, lease):
            await _files(database, clock, renderer, batch)
    async with database.transaction(SYSTEM) as session:
        run = await _held(session, lease, clock)
        run.state, run.ended_at = "done", clock.now()
        await _LEASES.end(session, lease)


async def _held(session: AsyncSession, lease: Lease, clock: Clock) -> ActRun:
    """The run with a new lease, locked until the transaction ends. Raises LeaseLost."""
    await _LEASES.renew(session, lease, clock.now())
    run = await queries.run(session, lease.row_id)
    assert run is not None, "runs are never deleted"
    return run


async def _batch(database: Database, clock: Clock, lease: Lease) -> Sequence[tuple[UUID, ActData]]:
    """The next acts without a file, and a new lease. Raises LeaseLost."""
    async with database.transaction(SYSTEM) as session:
        run = await _held(session, lease, clock)
        acts = await queries.unrendered(session, run.id, RENDERED_AT_ONCE)
        return [(act.id, await service.data_of(session, act, run.period)) for act in acts]


async def _files(
    database: Database, clock: Clock, renderer: Renderer, batch: Sequence[tuple[UUID, ActData]]
) -> None:
    """While one file is stored the child makes the next: each takes as long as the other."""
    async with asyncio.TaskGroup() as storing:
        last: asyncio.Task[None] | None = None
        for act_id, data in batch:
            files = await renderer.render(data)
            if last is not None:
                await last
            last = storing.create_task(_store(database, clock, act_id, files))


async def _store(database: Database, clock: Clock, act_id: UUID, files: Files) -> None:
    async with database.transaction(SYSTEM) as session:
        await service.store(session, act_id, files, clock.now())
