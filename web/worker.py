"""The metronome: runs the jobs of `web/wiring.py` at their beat, on any number of workers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from marketplace.accounts.guessing import LoginLimits
from marketplace.kernel import logs
from marketplace.kernel.clock import Clock
from marketplace.kernel.collector import settle
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.outages import is_outage
from marketplace.kernel.settings import Settings
from web.metrics import Metrics
from web.orphan import parent_gone
from web.wiring import JOBS, Job, Living, living

YIELDING = 5
"""Steps of niceness: a third of a node's share of a core while both want it."""

ALIVE_S = 2

OVERDUE_S = 900.0
"""Longer than the largest price import takes; a run beyond it hangs, and its beats are left out."""

_log = structlog.get_logger(__name__)


async def work(
    settings: Settings,
    *,
    supervised: bool,
    alive: Path | None = None,
    jobs: Sequence[Job] = JOBS,
) -> None:
    """Until SIGTERM or SIGINT, or until the supervising process is gone. `alive` is a file that is
    touched every ALIVE_S while the event loop turns.
    """
    # On a machine that it shares with a node, bids come before imports and mail.
    os.nice(YIELDING)
    logs.configure(settings.log_format, settings.log_level)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # Nobody watches an auction here: the cores are left to the nodes that bids come to.
    making = living(settings, Clock(), Metrics(), LoginLimits(), books_listen=False)
    async with making as parts:
        scheduler = scheduled(parts, jobs)
        settle()
        if alive is not None:
            await asyncio.to_thread(alive.touch)
            touch = {"seconds": ALIVE_S, "max_instances": 1, "coalesce": True}
            scheduler.add_job(alive.touch, "interval", misfire_grace_time=None, **touch)
        scheduler.start()
        _log.info("worker_ready", jobs=len(jobs))
        if supervised:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(parent_gone(stopping))
                await stopping.wait()
                watching.cancel()
        else:
            await stopping.wait()
        scheduler.shutdown(wait=True)


def scheduled(parts: Living, jobs: Sequence[Job]) -> AsyncIOScheduler:
    """Each job at its beat; a beat that comes while the last one still runs is left out."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    for job in jobs:
        scheduler.add_job(
            partial(beat, parts, job),
            "interval",
            seconds=job.every_s,
            id=job.name,
            name=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=parts.clock.now(),
        )
    return scheduler


async def beat(parts: Living, job: Job) -> None:
    """One run. What it could not do now it does at the next beat.

    With a wrong master secret nothing is done: mails whose links do not open would be given up.
    """
    if parts.readiness.wrong_secret:
        return
    loop = asyncio.get_running_loop()
    late = loop.call_later(OVERDUE_S, partial(_log.warning, "job_overdue", job=job.name))
    try:
        await job.run(parts)
    except Exception as error:  # noqa: BLE001  # one job's failure must not stop the others
        if is_outage(error):
            OUTAGES.failed(error, where=f"job {job.name}")
            return
        _log.error("job_failed", job=job.name, exc_info=error)
    finally:
        late.cancel()
