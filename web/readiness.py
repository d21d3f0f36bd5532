"""Whether this process can do now what a bid needs, and what it is that fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from auctions.book.books import NEARLY_FULL, Books
from auctions.book.trial import LockedError, OrderError, Trial
from marketplace.kernel.db import Database
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.outages import reason_of
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.secret import is_right

READY_TIMEOUT_S = 0.9
"""The answer comes within a second, which is how long balancers wait."""

ASK_AGAIN_S = 1.0
WRONG_SECRET = "MARKETPLACE_SECRET is not the one this database was set up with"  # noqa: S105  # a sentence

_log = structlog.get_logger(__name__)


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing a bid needs.

    name    what was tried, e.g. `database`
    ok      false: bids cannot be taken here now
    code    stable name of what is wrong; empty: nothing is, e.g. `not_ready`
    reason  why it fails, or alone: what is about to, e.g. `it does not answer`
    """

    name: str
    ok: bool
    code: str = ""
    reason: str = ""


class WrongSecretError(Exception):
    """Nothing that is sealed in this database can be opened here."""


class Readiness:
    """Tries on both servers what a bid does there (`auctions/book/trial.py`)."""

    def __init__(self, database: Database, redis: AnyRedis, books: Books, secret: str) -> None:
        self._database = database
        self._books = books
        self._secret = secret
        self._trial = Trial(database, redis)
        self._checking: asyncio.Task[list[Check]] | None = None
        self._hanging: dict[str, asyncio.Task[None]] = {}
        self.leaving = False
        self.wrong_secret = False

    async def checks(self) -> list[Check]:
        """All of them, within a second. Callers at the same time share one answer: anybody may
        ask, and each try writes.
        """
        if self.leaving:
            return [Check("node", False, "leaving", "it is about to end")]
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        return await asyncio.shield(self._checking)

    async def is_ready(self) -> bool:
        return all(check.ok for check in await self.checks())

    async def compare_secret(self) -> None:
        """At the start, as soon as PostgreSQL answers, rather than at the first bid that fails."""
        while True:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(READY_TIMEOUT_S):
                    await self._compare_secret()
                return
            await asyncio.sleep(ASK_AGAIN_S)

    async def close(self) -> None:
        tasks = [task for task in (self._checking, *self._hanging.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await self._trial.close()

    async def _check(self) -> list[Check]:
        checks = await asyncio.gather(
            self._try("PostgreSQL", self._commit), self._try("Redis", self._trial.sequence)
        )
        return [*checks, self._room()]

    async def _commit(self) -> None:
        await self._trial.commit()
        await self._compare_secret()
        if self.wrong_secret:
            raise WrongSecretError

    async def _compare_secret(self) -> None:
        pool = await self._database.pool(steady=True)
        async with pool.acquire() as connection:
            wrong = not await is_right(connection, self._secret)
        if wrong and not self.wrong_secret:
            _log.error("wrong_secret", reason=WRONG_SECRET)
        self.wrong_secret = wrong

    def _room(self) -> Check:
        in_use, limit = self._books.in_use, self._books.limit
        if in_use >= limit:
            return Check("auctions", False, "not_ready", f"it follows its maximum of {limit}")
        if in_use >= NEARLY_FULL * limit:
            return Check("auctions", True, reason=f"it follows {in_use} of at most {limit}")
        return Check("auctions", True)

    async def _try(self, name: str, question: Callable[[], Awaitable[None]]) -> Check:
        if name in self._hanging:
            return _no_answer(name)
        task = asyncio.ensure_future(question())
        # Not `timeout`: a driver that is cancelled may take long to clean up after itself.
        done, _ = await asyncio.wait([task], timeout=READY_TIMEOUT_S)
        if not done:
            self._hanging[name] = task
            task.add_done_callback(lambda task: self._forget(name, task))
            task.cancel()
            return _no_answer(name)
        if task.cancelled():
            return _no_answer(name)
        error = task.exception()
        if error is None:
            return Check(name, True)
        return _failed(name, error)

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        self._hanging.pop(name, None)
        if not task.cancelled():
            task.exception()


def _no_answer(name: str) -> Check:
    return _noted(name, f"it does not answer within {READY_TIMEOUT_S} s", "TimeoutError")


def _failed(name: str, error: BaseException) -> Check:
    if isinstance(error, WrongSecretError):
        return Check("secret", False, "wrong_secret", WRONG_SECRET)
    own = isinstance(error, LockedError | OrderError)
    return _noted(name, str(error) if own else reason_of(error), type(error).__name__)


def _noted(name: str, reason: str, error: str) -> Check:
    OUTAGES.failed_because(reason, where=f"readiness of {name}", error=error)
    return Check(name, False, "not_ready", reason)
