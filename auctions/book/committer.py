"""Group commit over auctions: batches that become ready while earlier commits are in flight share
one transaction. Each batch is still decided by the fence of its own auction.

An auction has at most one batch in flight, so those of one flight belong to different auctions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec
import structlog

FLIGHTS_MAX = 2
"""One flight travels while PostgreSQL syncs the other; a third gained nothing when measured."""
ROWS_MAX = 1_024
"""Commands per flight: about 10 ms in PostgreSQL, so no auction waits long for the others."""
STUCK_S = 0.05
"""A commit of a single auction that takes this long probably waits for a row lock. It no longer
counts against FLIGHTS_MAX, or two locked auctions would stop all others.
"""

REFUSED = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.TransactionRollbackError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
)
"""Errors after which the statement has certainly been rolled back."""

_log = structlog.get_logger(__name__)


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Decided commands of one auction, to be appended to its journal."""

    auction_id: UUID
    epoch: int
    """Fence: the head must still be in this epoch,"""
    after_seq: int
    """at this sequence number,"""
    after_tag: str
    """with this tag."""
    records: Sequence[Any]
    """`journal.Record`s without gaps, at least one."""
    status: str
    """Status of the auction after the last record."""
    close_at: int | None
    """Close after the last record, in µs of the log."""


class Statements(Protocol):
    """The two statements of the journal. Both raise what the driver raises."""

    async def keep_one(self, batch: Batch) -> bool:
        """True if appended, False if the fence failed. Waits for the row lock of the head."""

    async def keep_many(self, batches: Sequence[Batch]) -> set[int]:
        """Indices of the batches that were appended. For the others the fence failed or the head
        was locked: ask with `keep_one`.
        """


class _Request(msgspec.Struct, gc=False):
    batch: Batch
    future: asyncio.Future[bool]
    landed: Callable[[], None]

    def answer(self, kept: bool) -> None:
        if not self.future.done():
            self.future.set_result(kept)
        self._tell()

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error if isinstance(error, Exception) else OSError("stopped"))
            # Mark it as retrieved: the book may have been closed meanwhile.
            self.future.exception()
        self._tell()

    def _tell(self) -> None:
        try:
            self.landed()
        except Exception:  # noqa: BLE001  # the rest of the flight still gets its results
            _log.exception("landing_failed", auction=str(self.batch.auction_id))


class Committer:
    """One per node."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._gathered: list[_Request] = []
        self._flights: set[asyncio.Task[None]] = set()
        self._free = FLIGHTS_MAX
        self._is_starting = False

    def commit(self, batch: Batch, landed: Callable[[], None]) -> asyncio.Future[bool]:
        """Resolves to True (appended) or False (the fence failed), or to the error of the commit,
        after which the outcome is unknown. `landed` is called once it is resolved.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._gathered.append(_Request(batch, future, landed))
        if self._free and not self._is_starting:
            # At the end of this loop iteration, so that batches which become ready in it join.
            self._is_starting = True
            loop.call_soon(self._start)
        return future

    async def stop(self) -> None:
        """Cancels what is in flight; it may still become durable."""
        gathered, self._gathered = self._gathered, []
        for request in gathered:
            request.fail(OSError("stopped"))
        while self._flights:
            for task in self._flights:
                task.cancel()
            await asyncio.wait(self._flights)

    def _start(self) -> None:
        self._is_starting = False
        while self._free and self._gathered:
            self._free -= 1
            self._spawn(self._fly(self._next_flight()))

    def _next_flight(self) -> list[_Request]:
        count = rows = 0
        for request in self._gathered:
            rows += len(request.batch.records)
            if count and rows > ROWS_MAX:
                break
            count += 1
        flight, self._gathered = self._gathered[:count], self._gathered[count:]
        return flight

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._flights.add(task)
        task.add_done_callback(self._flights.discard)

    def _give_back(self) -> None:
        self._free += 1
        self._start()

    async def _fly(self, flight: list[_Request]) -> None:
        if len(flight) == 1:
            await self._fly_lone(flight[0])
            return
        try:
            kept = await self._statements.keep_many([request.batch for request in flight])
        except REFUSED:
            kept = set()
        except BaseException as error:  # noqa: BLE001  # passed on to each book
            self._give_back()
            for request in flight:
                request.fail(error)
            return
        # Start the next flight before handing out these results.
        self._give_back()
        for index, request in enumerate(flight):
            if index in kept:
                request.answer(True)
            else:
                self._spawn(self._fly_alone(request))

    async def _fly_lone(self, request: _Request) -> None:
        place = _Once(self._give_back)
        stuck = asyncio.get_running_loop().call_later(STUCK_S, place)
        try:
            await self._fly_alone(request)
        finally:
            stuck.cancel()
            place()

    async def _fly_alone(self, request: _Request) -> None:
        """With the statement that waits for the row lock and gives a definite answer."""
        try:
            kept = await self._statements.keep_one(request.batch)
        except BaseException as error:  # noqa: BLE001  # passed on to the book
            request.fail(error)
        else:
            request.answer(kept)


class _Once:
    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()
