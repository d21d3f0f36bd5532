"""Fixtures of tests about the whole: a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.servers import Place


@pytest.fixture
async def empty_database(servers: Place) -> AsyncIterator[str]:
    """A database without any table, beside this worker's own."""
    head, _, options = servers.database_url.partition("?")
    name = f"{head.rpartition('/')[2]}_empty"
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {name}")
    yield f"{head.rpartition('/')[0]}/{name}?{options}"
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
