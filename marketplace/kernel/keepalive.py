"""Loops that must run as long as the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.outages import is_outage

PAUSE_S = 0.1
_log = structlog.get_logger(__name__)


async def forever(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Run `work` again whenever it ends, until this task is cancelled.

    A driver whose connection dies may let a CancelledError of its own escape into whoever waits for
    it; only `cancelling` tells whether somebody really asked this task to stop.
    """
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            _log.warning("loop_cancelled_from_below", loop=name)
        except Exception as error:  # noqa: BLE001  # a loop that stops would hang all behind it
            if is_outage(error):
                OUTAGES.failed(error, where=name.partition(" ")[0])
            else:
                _log.error("loop_failed", loop=name, exc_info=error)
        await asyncio.sleep(PAUSE_S)
