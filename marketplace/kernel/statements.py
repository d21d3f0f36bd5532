"""Plain SQL for reads that must be quick: written once, it runs in an ORM session like everything
else, or straight on a connection of `Database.reading`, where the ORM's half millisecond a
statement is saved.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

Pool: TypeAlias = asyncpg.Pool
Connection: TypeAlias = asyncpg.Connection
"""Of a pool, for work that needs settings, cursors or COPY."""
Reader: TypeAlias = PoolConnectionProxy
"""A connection in a read-only transaction that carries who asks."""
Source: TypeAlias = AsyncSession | Reader | Connection | Pool
"""Where a statement may run: in a session, on a connection of `Database.reading` or of a pool, or
alone on a pool, in the pool's own scope.
"""
Row: TypeAlias = RowMapping
"""Or the driver's record, which reads the same."""

# As SQLAlchemy finds them, so that a cast (`::text`) is none.
_NAME = re.compile(r"(?<![:\w\\]):(\w+)(?![:\w])")


class Statement:
    """`sql` names its values as `:name`. It is parsed once and planned once a connection, so its
    text is a constant of the module; what differs from call to call is a value.
    """

    def __init__(self, sql: str) -> None:
        places: dict[str, int] = {}
        self._numbered = _NAME.sub(
            lambda name: f"${places.setdefault(name[1], len(places) + 1)}", sql
        )
        self.names = tuple(places)
        self._named = text(sql)

    async def rows(self, source: Source, **values: object) -> Sequence[Row]:
        """Raises SQLAlchemy's errors in a session, the driver's own elsewhere; `web.problems` knows
        both.
        """
        if isinstance(source, AsyncSession):
            found = await source.execute(self._named, values)
            return found.mappings().all()
        given = [values[name] for name in self.names]
        return cast(Sequence[Row], await source.fetch(self._numbered, *given))

    async def run(self, source: Source, **values: object) -> None:
        """A write: it answers no rows."""
        if isinstance(source, AsyncSession):
            await source.execute(self._named, values)
        else:
            await source.execute(self._numbered, *(values[name] for name in self.names))

    async def row(self, source: Source, **values: object) -> Row | None:
        """The first row, None without one."""
        rows = await self.rows(source, **values)
        return rows[0] if rows else None
