"""Pools of driver connections whose borrowers do not wait for a server that has gone silent.

A statement that is given up is cancelled by a request of its own, and the driver lets its
connection go only when the server has acknowledged that. A frozen server never does. So here a
connection that waits for it is cleaned up in the background, and the other connections to that
server are replaced. It is not simply cut: a server that lives, and waits for its standby, would
keep the row locks of the statement for as long as it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

ACKNOWLEDGED_S = 0.25
"""A server that lives acknowledges within milliseconds; a busy one is only connected anew."""

CLEAN_UP_S = 5.0
"""A server that has not acknowledged by then is frozen or gone, and the connection is cut."""

QUERIES_MAX, IDLE_S_MAX = 50_000, 300.0
"""The driver's own defaults, which it fills in for pools of its own class only."""


class Pool(asyncpg.Pool):  # type: ignore[misc]  # the driver has no types
    """`silent` is called when a server does not acknowledge; it should `leave` all pools."""

    def __init__(self, *, silent: Callable[[], None], **options: Any) -> None:
        super().__init__(
            loop=asyncio.get_running_loop(),
            record_class=asyncpg.Record,
            max_queries=QUERIES_MAX,
            max_inactive_connection_lifetime=IDLE_S_MAX,
            **options,
        )
        self._silent = silent
        self._cleaning: set[asyncio.Task[None]] = set()

    async def release(
        self,
        connection: Any,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  # the driver's own
    ) -> None:
        driver = connection._con
        if driver is None or driver.is_closed():
            await super().release(connection, timeout=timeout)
        elif driver._protocol._is_cancelling():
            await self._clean_up(connection)
        elif is_lost(connection):
            connection.terminate()
        else:
            await super().release(connection, timeout=timeout)

    def leave(self) -> None:
        """Replace all connections: idle ones are cut now, the others when they are given back."""
        self._generation += 1
        for holder in self._holders:
            if holder.is_idle():
                holder.terminate()

    async def _clean_up(self, connection: Any) -> None:
        task = asyncio.ensure_future(super().release(connection, timeout=CLEAN_UP_S))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaned)
        done, _ = await asyncio.wait([task], timeout=ACKNOWLEDGED_S)
        if not done:
            self._silent()

    def _cleaned(self, task: asyncio.Task[None]) -> None:
        self._cleaning.discard(task)
        if not task.cancelled():
            # After an error the driver has cut the connection, and nobody needs to know more.
            task.exception()


def is_lost(connection: Any) -> bool:
    """Whether a connection that was kept for long is closed, or of a server that was left."""
    holder = connection._holder
    # What the driver has lost it takes back into its pool, and then no question is answered.
    is_there = connection._con is not None and not connection.is_closed()
    return not is_there or holder._generation != holder._pool._generation
