"""Who moves the state of a book, who reads it and the event loop take turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Turns:
    """One mover, many readers. A reader waits until `is_settled(at_least)` holds in its turn; the
    mover asks `wanted` and lets the state settle as soon as somebody waits for it.
    """

    def __init__(self, is_settled: Callable[[int], bool]) -> None:
        self._is_settled = is_settled
        self._lock = asyncio.Lock()
        self._moved = asyncio.Event()
        self._readers = 0

    @property
    def wanted(self) -> bool:
        """Whether a reader waits."""
        return self._readers > 0

    @property
    def is_free(self) -> bool:
        """Whether nobody has a turn or waits for one."""
        return self._readers == 0 and not self._lock.locked()

    def moved(self) -> None:
        """The state was moved without `moving`, while `is_free`: let readers look again."""
        self._moved.set()

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        """The mover's turn. The lock is fair: readers that waited come next."""
        try:
            async with self._lock:
                yield
        finally:
            self._moved.set()

    @asynccontextmanager
    async def reading(self, timeout_s: float, at_least: int = 0) -> AsyncIterator[None]:
        """A reader's turn, in which the state is settled so far. Raises TimeoutError."""
        self._readers += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._acquire_settled(at_least)
        finally:
            self._readers -= 1
        try:
            yield
        finally:
            self._lock.release()

    async def _acquire_settled(self, at_least: int) -> None:
        """A look at PostgreSQL that is due, or a commit in doubt, is over within a few turns."""
        while True:
            await self._lock.acquire()
            if self._is_settled(at_least):
                return
            self._lock.release()
            self._moved.clear()
            await self._moved.wait()


async def breathe() -> None:
    """Two turns of the loop: in the first a commit is written or its answer read, in the second it
    is sent or seen to be done.
    """
    await asyncio.sleep(0)
    await asyncio.sleep(0)
