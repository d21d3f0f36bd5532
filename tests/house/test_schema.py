"""The database: upgrades from empty, models that match, and row-level security on every table."""

from __future__ import annotations

import importlib
import pkgutil

import asyncpg
from sqlalchemy import Connection, inspect, text

import auctions
import marketplace
import pricing
import ratings
import suppliers
from marketplace.kernel.db import Base, Database
from marketplace.migrations.run import migrate

# Tables without a tenant: shared words, the bid book's own log, and the keys of the house.
SHARED = {"alembic_version"}


async def test_an_empty_database_upgrades_and_upgrading_again_changes_nothing(
    empty_database: str,
) -> None:
    await migrate(empty_database)
    first = await _columns(empty_database)
    await migrate(empty_database)
    assert await _columns(empty_database) == first
    assert {"organisations", "users", "sessions"} <= {table for table, *_ in first}


async def _columns(url: str) -> list[tuple[str, ...]]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, 2"
        )
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


async def test_every_model_matches_its_table(database: Database) -> None:
    for package in (marketplace, auctions, suppliers, ratings, pricing):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.rpartition(".")[2] == "models":
                importlib.import_module(module.name)
    async with database.engine.connect() as connection:
        found = await connection.run_sync(_tables)
    for table in Base.metadata.tables.values():
        assert {column.name for column in table.columns} <= found[table.name], table.name


def _tables(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


async def test_every_table_is_guarded_by_row_level_security_or_known_to_be_shared(
    database: Database,
) -> None:
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)"
            )
        )
        assert {row.relname for row in rows} - SHARED == set()


async def test_the_application_owns_nothing(database: Database) -> None:
    async with database.engine.connect() as connection:
        owned = await connection.scalar(
            # It makes and drops the tables that uploads are staged in.
            text(
                "SELECT count(*) FROM pg_class WHERE relowner = 'marketplace_app'::regrole"
                " AND relnamespace NOT IN ('staging'::regnamespace, 'pg_toast'::regnamespace)"
            )
        )
        assert owned == 0
        assert await connection.scalar(text("SELECT current_user")) == "marketplace_app"
