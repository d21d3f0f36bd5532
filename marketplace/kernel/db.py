"""PostgreSQL: one engine, transactions that carry who asks for row-level security, and pools for
bulk, bids and quick reads.

Every connection acts as APP_ROLE, which owns no table. A transaction says for whom it reads by
three settings that the policies in the migrations look at: `app.scope` (`tenant`, `employee`,
`operator` or `system`), `app.organisation`, `app.user`. `employee` is a tenant who sees own and
assigned records only. Without them every tenant table is empty. They are said in the very message
that begins the transaction, and they end with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from types import TracebackType
from typing import Annotated, Any
from uuid import UUID
from weakref import WeakSet

import asyncpg
from sqlalchemy import BigInteger, DateTime, MetaData, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from marketplace.kernel import database_url
from marketplace.kernel.actor import Actor
from marketplace.kernel.pools import Pool
from marketplace.kernel.settings import APP_ROLE
from marketplace.kernel.statements import Reader, Source, Statement

STATEMENT_TIMEOUT_MS = 30_000
IDLE_TRANSACTION_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_S = 5
STEADY_TIMEOUT_S = 5.0
"""The bid path's longest wait for one statement, a row lock included."""

READ_TIMEOUT_S = STATEMENT_TIMEOUT_MS / 1_000 + 5
"""PostgreSQL ends a statement before: silence for so long is that of a server that is gone."""

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
    tenant = "employee" if scope.own_records_only else "tenant"
    return {
        "scope": "operator" if scope.operator else tenant,
        "organisation": str(scope.organisation_id),
        "user": str(scope.user_id),
    }


_SET_SCOPE = Statement(
    "SELECT set_config('app.scope', :scope, true),"
    " set_config('app.organisation', :organisation, true), set_config('app.user', :user, true)"
)
_SCOPE = "scope"
_READ_ONLY = "read only"


def _opening(scope: Scope | None) -> str:
    """What follows BEGIN in the same message. Such a message takes no parameters: nothing but one
    of these words and UUIDs may stand in it. Raises ValueError.
    """
    values = _for(scope)
    assert values["scope"] in {"", "system", "operator", "tenant", "employee"}
    organisation, user = (
        values[key] and str(UUID(values[key])) for key in ("organisation", "user")
    )
    return (
        f"SELECT set_config('app.scope', '{values['scope']}', true),"
        f" set_config('app.organisation', '{organisation}', true),"
        f" set_config('app.user', '{user}', true)"
    )


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """Begins its next transaction with `opening`, in one round trip."""

    opening = ""
    generation = 0

    async def execute(self, query: str, *values: Any, **options: Any) -> Any:
        if not self.opening or not query.startswith("BEGIN"):
            return await super().execute(query, *values, **options)
        opening, self.opening = self.opening, ""
        try:
            return await super().execute(f"{query}{opening}", **options)
        except BaseException:
            # Nobody could say whether it has begun, and for whom.
            self.terminate()
            raise


class _PoolConnection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """Goes back as it came: PostgreSQL's RESET ALL leaves the role as the borrower set it, and what
    the next one creates would belong to somebody else.
    """

    def get_reset_query(self) -> str:
        return f"{super().get_reset_query()}\nRESET ROLE;"


class _Session(Session):
    """Says for whom it reads (`info`) whenever it begins a transaction."""


@event.listens_for(_Session, "after_begin")
def _say_for_whom(session: Session, _: object, connection: Any) -> None:
    # PostgreSQL hears of a transaction with its first statement only, which is yet to come; a
    # savepoint's begin comes here too.
    driver = connection.connection.driver_connection
    if not driver.is_in_transaction():
        read_only = "SET TRANSACTION READ ONLY;" if session.info.get(_READ_ONLY) else ""
        driver.opening = read_only + _opening(session.info.get(_SCOPE))


def _say_nothing(connection: Any, _: object) -> None:
    """A transaction that was meant and never begun leaves nothing to the next borrower."""
    if connection is not None:
        connection.driver_connection.opening = ""


class Reading:
    """A read-only transaction for `scope` without the ORM: `async with` gives a Reader. It ends
    with the block; nothing can be lost by its end, so that one never raises.
    """

    def __init__(self, database: Database, scope: Scope | None) -> None:
        self._database = database
        self._scope = scope

    async def __aenter__(self) -> Reader:
        self._pool = await self._database.readers()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            self._connection = await self._pool.acquire()
        try:
            await self._connection.execute(f"BEGIN READ ONLY;{_opening(self._scope)}")
        except BaseException:
            await self._drop()
            raise
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            # Cancelled in the middle of something: nobody waits until that is over.
            await self._drop()
            return
        try:
            await self._connection.execute("ROLLBACK")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self._drop()
        except BaseException:
            await self._drop()
            raise
        else:
            await self._pool.release(self._connection)

    async def _drop(self) -> None:
        """A connection of which nobody knows what it still does goes."""
        # One that the server ended has left the pool's care by itself.
        with contextlib.suppress(asyncpg.InterfaceError):
            self._connection.terminate()
        await self._pool.release(self._connection)


class Database:
    """One per process. `transaction` for SQLAlchemy work, `reading` for what only reads and must be
    quick, `pool` (asyncpg) for COPY and the bid path. Raises DatabaseUrlError for a wrong `url`.
    """

    def __init__(self, url: str, *, pool_size: int = 10, role: str = APP_ROLE) -> None:
        self._url = database_url.parse(url)
        self._role = role
        self._pool_size = pool_size
        self._pools: dict[str, Pool] = {}
        self._opening = asyncio.Lock()
        self._generation = 0
        self._connections: WeakSet[Any] = WeakSet()
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=5,
            async_creator=self._connect_engine,
        )
        event.listen(self.engine.sync_engine, "checkout", self._still_open)
        event.listen(self.engine.sync_engine, "checkin", _say_nothing)

    def session(self, scope: Scope | None, *, read_only: bool = False) -> AsyncSession:
        """Each of its transactions reads for `scope`; for None every tenant table is empty. Takes a
        connection with its first statement. Whoever opens it ends it. `read_only`: PostgreSQL
        refuses to write and to lock rows.
        """
        return AsyncSession(
            self.engine,
            sync_session_class=_Session,
            expire_on_commit=False,
            info={_SCOPE: scope, _READ_ONLY: read_only},
        )

    @contextlib.asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[AsyncSession]:
        """Commit on a normal end, roll back on any exception."""
        async with self.session(scope) as session:
            try:
                yield session
            except BaseException:
                await to_the_end(session.rollback())
                raise
            await commit(session)

    def reading(self, scope: Scope | None) -> Reading:
        """For None every tenant table is empty."""
        return Reading(self, scope)

    async def pool(self, *, steady: bool = False) -> Pool:
        """Raw connections in the system scope, opened on first use.

        `steady` ones are for borrowers that leave no settings, locks or cursors behind: they go
        back as they are, without the driver's round trip to clean up after each statement.
        """
        scope = {"app.scope": "system"}
        if steady:
            return await self._pool("steady", scope, STEADY_TIMEOUT_S, steady=True)
        # Imports set their own limits in PostgreSQL.
        return await self._pool("bulk", scope, None, steady=False)

    async def readers(self) -> Pool:
        """Of `reading`. Their scope is nobody's but in a transaction that says another."""
        return await self._pool("readers", {}, READ_TIMEOUT_S, steady=True)

    async def _pool(
        self, name: str, scope: dict[str, str], timeout_s: float | None, *, steady: bool
    ) -> Pool:
        if name in self._pools:
            return self._pools[name]
        async with self._opening:
            if name not in self._pools:
                self._pools[name] = await Pool(
                    silent=self._leave,
                    connect=self._connect,
                    connection_class=_PoolConnection,
                    min_size=0,
                    max_size=self._pool_size,
                    server_settings=_settings(self._role) | scope,
                    timeout=CONNECT_TIMEOUT_S,
                    command_timeout=timeout_s,
                    init=_read_json if name == "readers" else None,
                    reset=_as_it_is if steady else None,
                    # A good plan is kept: planning through the policies takes ten times as long as
                    # the reading itself.
                    max_cached_statement_lifetime=0 if steady else 300,
                )
            return self._pools[name]

    async def close(self) -> None:
        for pool in self._pools.values():
            pool.terminate()
        self._pools.clear()
        await self.engine.dispose()

    # -- a server that went silent --------------------------------------------------------------

    async def _connect(self, *given: object, **options: Any) -> Any:
        """Where another server takes the writes now, all connections to the former one are cut:
        one that is frozen would let those hang that wait for its answers.
        """
        connection = await self._url.connect(*given, **options)
        if self._url.is_of_one_server:
            for other in tuple(self._connections):
                if other._addr != connection._addr:
                    other.terminate()
        self._connections.add(connection)
        return connection

    async def _connect_engine(self) -> Any:
        generation = self._generation
        connection = await self._connect(
            server_settings=_settings(self._role),
            timeout=CONNECT_TIMEOUT_S,
            connection_class=_Connection,
        )
        connection.generation = generation
        return connection

    def _leave(self) -> None:
        """Connect anew before anything else is asked."""
        self._generation += 1
        for pool in self._pools.values():
            pool.leave()

    def _still_open(self, connection: Any, *_: object) -> None:
        """The event loop hears at once when PostgreSQL hangs up, so nobody need ask before each
        use: a ping takes three round trips, a page's own work hardly more. Raises
        DisconnectionError, on which SQLAlchemy connects anew.
        """
        driver = connection.driver_connection
        if driver.generation != self._generation:
            driver.terminate()
        if driver.is_closed():
            raise DisconnectionError


async def _as_it_is(_: object) -> None:
    """Instead of the driver's clean-up."""


async def _read_json(connection: Any) -> None:
    """As a session gives it: an object, not its text."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )


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


async def set_scope(source: Source, scope: Scope | None) -> None:
    """Change for whom the rest of this transaction reads (login: from nobody to the system). For
    None every tenant table is empty.
    """
    await _SET_SCOPE.rows(source, **_for(scope))
