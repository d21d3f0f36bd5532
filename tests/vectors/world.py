"""What cases need of the world: a database of their own, or the whole application."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from marketplace.exchange.mailing import link_sealer
from marketplace.kernel.db import Database
from marketplace.kernel.settings import Settings
from tests.servers import TEMPLATE, Place

if TYPE_CHECKING:
    from tests.conftest import Clients

_numbers = itertools.count(1)


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """An application that answers: its database, and clients of it."""

    database: Database
    connect: Clients


class World:
    """`place` tells where the servers are; it is asked when a case first needs one."""

    def __init__(self, place: Callable[[], Place]) -> None:
        self._place = place
        self._spare: list[tuple[str, list[str]]] = []

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """A database with every table and nothing that a case wrote."""
        async with self.url() as url:
            database = Database(url)
            try:
                yield database
            finally:
                await database.close()

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncIterator[Database]:
        """A database with every table that others use too: for cases that roll back what they
        write, or write organisations of their own only. A copy for each case takes seconds.
        """
        database = Database((await asyncio.to_thread(self._place)).database_url)
        try:
            yield database
        finally:
            await database.close()

    @contextlib.asynccontextmanager
    async def application(self) -> AsyncIterator[Running]:
        """The whole application on a fresh database; the Redis index is shared."""
        # Most kinds are pure functions and should not wait for all of it to be imported.
        from tests.conftest import LIMITS, Clients, serve
        from web.app import create_app

        async with self._settings() as settings:
            database = Database(settings.database_url)
            async with serve(create_app(settings, limits=LIMITS)) as url:
                connect = Clients(url, database, link_sealer(settings.secret))
                try:
                    yield Running(database=database, connect=connect)
                finally:
                    await connect.close()
                    await database.close()

    @contextlib.asynccontextmanager
    async def _settings(self) -> AsyncIterator[Settings]:
        async with self.url() as url:
            with tempfile.TemporaryDirectory(prefix="marketplace-case-") as folder:
                place = await asyncio.to_thread(self._place)
                yield Settings(
                    database_url=url,
                    redis_url=place.redis_url,
                    secret="a secret of the cases",
                    data_dir=Path(folder),
                )

    @contextlib.asynccontextmanager
    async def url(self) -> AsyncIterator[str]:
        """A copy of the template takes a second, so it is emptied and used again."""
        url, was_empty = self._spare.pop() if self._spare else await self._make()
        yield url
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute("; ".join(f"DELETE FROM {table}" for table in was_empty))
        finally:
            await connection.close()
        self._spare.append((url, was_empty))

    async def _make(self) -> tuple[str, list[str]]:
        """The new database, and the tables that its migrations left empty."""
        # Starting servers runs an event loop of its own.
        url = (await asyncio.to_thread(self._place)).database_url
        head, _, options = url.partition("?")
        base, _, owner = head.rpartition("/")
        name = f"{owner}_case_{next(_numbers)}"
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        finally:
            await connection.close()
        made = f"{base}/{name}?{options}"
        connection = await asyncpg.connect(made)
        try:
            tables = await connection.fetch(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind = 'r'"
            )
            names = [row["relname"] for row in tables]
            empty = [
                table
                for table in names
                if await connection.fetchval(f"SELECT NOT EXISTS (SELECT FROM {table})")
            ]
        finally:
            await connection.close()
        return made, empty
