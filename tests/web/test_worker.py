"""The metronome: which of its beats are news."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from structlog.testing import capture_logs

from marketplace.kernel import logs
from marketplace.kernel.clock import Clock
from web import worker
from web.wiring import Job
from web.worker import beat, scheduled

PARTS: Any = SimpleNamespace(clock=Clock(), readiness=SimpleNamespace(wrong_secret=False))


async def test_a_beat_that_is_left_out_is_no_news(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out, go_on = asyncio.Event(), asyncio.Event()

    async def run(_: Any) -> None:
        await go_on.wait()

    root, library = logging.getLogger(), logging.getLogger("apscheduler")
    monkeypatch.setattr(structlog, "configure", lambda **_: None)
    before = root.handlers, root.level, library.level
    logs.configure("console", "warning")
    try:
        scheduler = scheduled(PARTS, [Job(name="long", every_s=0.01, run=run)])
        scheduler.add_listener(lambda _: left_out.set(), EVENT_JOB_MAX_INSTANCES)
        scheduler.start()
        async with asyncio.timeout(10):
            await left_out.wait()
        go_on.set()
        scheduler.shutdown(wait=True)
    finally:
        root.handlers, root.level, library.level = before
    assert capsys.readouterr().err == ""


async def test_a_job_that_hangs_is_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "OVERDUE_S", 0.0)
    turns = asyncio.Event()

    async def run(_: Any) -> None:
        asyncio.get_running_loop().call_later(0, turns.set)
        await turns.wait()

    with capture_logs() as logged:
        await beat(PARTS, Job(name="hangs", every_s=1, run=run))
    assert logged == [{"event": "job_overdue", "job": "hangs", "log_level": "warning"}]
