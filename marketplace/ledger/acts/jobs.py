"""The worker's side of an act run. Every step is a transaction of its own, so a worker that is
killed has lost nothing, and another goes on after the lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.ledger.acts import queries, service
from marketplace.ledger.acts.child import Renderer, rendering
from marketplace.ledger.acts.render import ActData

LEASE = timedelta(seconds=30)
"""Renewed with each batch, which takes a second or two; so long nobody takes over from the dead."""
NUMBERED_AT_ONCE = 50
RENDERED_AT_ONCE = 20


async def work_act_runs(database: Database, clock: Clock) -> None:
    """Work until nothing is due. Safe on any number of workers at once."""
    while True:
        now = clock.now()
        async with database.transaction(SYSTEM) as session:
            run_id = await queries.claim_run(session, now, now + LEASE)
        if run_id is None:
            return
        await _number(database, clock, run_id)
        await _render(database, clock, run_id)


async def _number(database: Database, clock: Clock, run_id: UUID) -> None:
    issued = NUMBERED_AT_ONCE
    while issued:
        async with database.transaction(SYSTEM) as session:
            run = await queries.run(session, run_id, lock=True)
            assert run is not None, "runs are never deleted"
            now = clock.now()
            issued = await service.issue(session, run, NUMBERED_AT_ONCE, now)
            run.lease_until = now + LEASE
            if not issued:
                run.state = "rendering"


async def _render(database: Database, clock: Clock, run_id: UUID) -> None:
    async with rendering() as renderer:
        while batch := await _batch(database, clock, run_id):
            for act_id, data in batch:
                await _one(database, clock, renderer, act_id, data)
    async with database.transaction(SYSTEM) as session:
        run = await queries.run(session, run_id, lock=True)
        assert run is not None, "runs are never deleted"
        if run.state == "rendering":
            run.state, run.ended_at, run.lease_until = "done", clock.now(), None


async def _batch(database: Database, clock: Clock, run_id: UUID) -> Sequence[tuple[UUID, ActData]]:
    """The next acts without a file, and a new lease."""
    async with database.transaction(SYSTEM) as session:
        run = await queries.run(session, run_id, lock=True)
        assert run is not None, "runs are never deleted"
        run.lease_until = clock.now() + LEASE
        acts = await queries.unrendered(session, run_id, RENDERED_AT_ONCE)
        return [(act.id, await service.data_of(session, act, run.period)) for act in acts]


async def _one(
    database: Database, clock: Clock, renderer: Renderer, act_id: UUID, data: ActData
) -> None:
    files = await renderer.render(data)
    async with database.transaction(SYSTEM) as session:
        await service.store(session, act_id, files, clock.now())
