"""Bring a database to the newest schema, as its owner; safe to call from many nodes at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from marketplace.kernel.database_url import parse
from marketplace.kernel.settings import APP_ROLE

_LOCK = 7_240_551


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Apply what is missing. The caller's connection must own the schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def migrate(database_url: str, revision: str = "head") -> None:
    """Make APP_ROLE if it is missing, upgrade, and give the role its rights on every table.

    Two nodes that start together take turns by an advisory lock. Raises DatabaseUrlError
    or what the driver raises.
    """
    url = parse(database_url)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=url.connect)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            await connection.commit()
            for statement in _BEFORE:
                await connection.execute(text(statement))
            await connection.commit()
            await connection.run_sync(upgrade, revision)
            for statement in _AFTER:
                await connection.execute(text(statement))
            await connection.commit()
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            await connection.commit()
    finally:
        await asyncio.shield(engine.dispose())


_BEFORE = [
    f"""DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
        CREATE ROLE {APP_ROLE} NOLOGIN;
    END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$""",
    f"GRANT {APP_ROLE} TO CURRENT_USER",
    f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
]
_AFTER = [
    f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {APP_ROLE}",
    f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}",
    f"REVOKE ALL ON alembic_version FROM {APP_ROLE}",
]
