"""PostgreSQL: one engine, transactions that carry who asks for row-level security, and a pool for
bulk and bids.

Every connection acts as APP_ROLE, which owns no table. A transaction says for whom it reads by
three settings that the
policies in the migrations look at: `app.scope` (`tenant`, `operator` or `system`),
`app.organisation`, `app.user`.
Without them every tenant table is empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import asyncpg
from sqlalchemy import BigInteger, DateTime, MetaData, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column

from marketplace.kernel.actor import Actor
from marketplace.kernel.settings import APP_ROLE

STATEMENT_TIMEOUT_MS = 30_000
IDLE_TRANSACTION_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 5_000

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables; times always carry a zone."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  # SQLAlchemy's own spelling


Big = Annotated[int, mapped_column(BigInteger)]
"""A whole number of 64 bits: every amount in minor units, which 32 bits end at 21 million of."""


class System:
    """The scope of the house itself: login look-ups, workers, the bid book. Never given to a
    request's own queries.
    """

    def __repr__(self) -> str:
        return "SYSTEM"


SYSTEM = System()
Scope = Actor | System


def _settings(role: str) -> dict[str, str]:
    return {
        "role": role,
        "application_name": "marketplace",
        "jit": "off",
        "statement_timeout": str(STATEMENT_TIMEOUT_MS),
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        # A frozen node must not keep a row locked: PostgreSQL ends its transaction for it.
        "idle_in_transaction_session_timeout": str(IDLE_TRANSACTION_TIMEOUT_MS),
    }


def _for(scope: Scope | None) -> dict[str, str]:
    if scope is None:
        return {"scope": "", "organisation": "", "user": ""}
    if isinstance(scope, System):
        return {"scope": "system", "organisation": "", "user": ""}
    return {
        "scope": "operator" if scope.operator else "tenant",
        "organisation": str(scope.organisation_id),
        "user": str(scope.user_id),
    }


_SCOPE_SQL = text(
    "SELECT set_config('app.scope', :scope, true),"
    " set_config('app.organisation', :organisation, true), set_config('app.user', :user, true)"
)


def _still_open(connection: Any, *_: object) -> None:
    """The event loop hears at once when PostgreSQL hangs up, so nobody need ask before each use:
    a ping takes three round trips, a page's own work hardly more. Raises DisconnectionError, on
    which the pool connects anew.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


class Database:
    """One per process. `transaction` for SQLAlchemy work, `pool` (asyncpg) for COPY and the bid
    path.
    """

    def __init__(self, url: str, *, pool_size: int = 10, role: str = APP_ROLE) -> None:
        self.url = url
        self._role = role
        self._pool_size = pool_size
        self._pools: dict[bool, Pool] = {}
        self._opening = asyncio.Lock()
        self.engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=5,
            connect_args={"server_settings": _settings(role), "timeout": 5},
        )
        event.listen(self.engine.sync_engine, "checkout", _still_open)

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[AsyncSession]:
        """Commit on a normal end, roll back on any exception."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            await session.execute(_SCOPE_SQL, _for(scope))
            try:
                yield session
            except BaseException:
                await to_the_end(session.rollback())
                raise
            await commit(session)

    async def pool(self, *, steady: bool = False) -> Pool:
        """Raw connections in the system scope, opened on first use.

        `steady` ones are for borrowers that leave no settings, locks or cursors behind: they go
        back as they are, without the driver's round trip to clean up after each statement.
        """
        async with self._opening:
            if steady not in self._pools:
                self._pools[steady] = await asyncpg.create_pool(
                    self.url,
                    min_size=0,
                    max_size=self._pool_size,
                    server_settings=_settings(self._role) | {"app.scope": "system"},
                    timeout=5,
                    reset=_as_it_is if steady else None,
                )
            return self._pools[steady]

    async def close(self) -> None:
        for pool in self._pools.values():
            pool.terminate()
        self._pools.clear()
        await self.engine.dispose()


async def _as_it_is(_: object) -> None:
    """Instead of the driver's clean-up."""


Hint = Callable[[], Awaitable[None]]
_HINTS = "after_commit"


def after_commit(session: AsyncSession, hint: Hint) -> None:
    """Call `hint` once the transaction is durable, never when it rolls back.

    For wake-ups only (a message in Redis): a hint may be lost, so whoever waits for it polls too.
    """
    session.info.setdefault(_HINTS, []).append(hint)


async def commit(session: AsyncSession) -> None:
    """Commit, then send the hints. A caller that goes away must not leave it unknown whether its
    work was kept, so the commit runs to its end even when the caller is cancelled.
    """
    await to_the_end(session.commit())
    for hint in session.info.pop(_HINTS, []):
        await hint()


async def to_the_end(work: Awaitable[None]) -> None:
    """Await `work` to its end; a cancellation meanwhile is raised afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def set_scope(session: AsyncSession, scope: Scope | None) -> None:
    """Change for whom the rest of this transaction reads (login: from nobody to the system). For
    None every tenant table is empty.
    """
    await session.execute(_SCOPE_SQL, _for(scope))
