"""One log line when the servers behind this process begin to fail and one when they answer again,
however many calls fail in between.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from marketplace.kernel.outages import reason_of

QUIET_S = 3.0
"""No failure for so long, and it may be over: loops that wait try several times a second."""

REASONS_MAX = 8
"""In the closing line; a restart shows three or four."""

_log = structlog.get_logger(__name__)


class OutageLog:
    """`check`, where it is set, has the last word on whether an outage is over: a process that asks
    for nothing sees no failures either.
    """

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self.check: Callable[[], Awaitable[bool]] | None = None
        self._quiet_s = quiet_s
        self._began_at = 0.0
        self._last_at = 0.0
        self._reasons: Counter[str] = Counter()
        self._watching: asyncio.Task[None] | None = None

    def failed(self, error: BaseException, *, where: str) -> None:
        """Call it for each failure, from a running event loop."""
        self.failed_because(reason_of(error), where=where, error=type(error).__name__)

    def failed_because(self, reason: str, *, where: str, error: str = "") -> None:
        now = time.monotonic()
        if self._watching is None or self._watching.done():
            self._reasons.clear()
            self._began_at = now
            _log.warning("outage_began", where=where, reason=reason, error=error)
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        self._last_at = now
        known = reason in self._reasons or len(self._reasons) < REASONS_MAX
        self._reasons[reason if known else "other"] += 1

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._quiet_s)
            if await self._is_over():
                break
        _log.warning(
            "outage_ended",
            seconds=round(self._last_at - self._began_at, 1),
            failures=self._reasons.total(),
            reasons=dict(self._reasons),
        )

    async def _is_over(self) -> bool:
        if time.monotonic() - self._last_at < self._quiet_s:
            return False
        return self.check is None or await self.check()


OUTAGES = OutageLog()
"""Of this process, as its log is."""
