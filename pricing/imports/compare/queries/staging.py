"""Staging tables: made, filled, guarded and dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from marketplace.kernel.statements import Connection
from pricing.imports.columns import COLUMNS
from pricing.imports.compare.tables import Tables
from pricing.imports.rules import STAGED

SLICE_BYTES = 256 << 10

_COLUMNS = ", ".join(
    f"{column.name} {column.kind.sql}" + (' COLLATE "C" NOT NULL' if column.name == "sku" else "")
    for column in COLUMNS
)


async def create(connection: Connection, tables: Tables) -> None:
    """Empty tables, whatever an earlier attempt left; d follows with the comparison."""
    await drop(connection, tables)
    await connection.execute(
        f"""CREATE UNLOGGED TABLE {tables.s} (row_no integer NOT NULL, fingerprint bigint,
            {_COLUMNS}, cleared integer NOT NULL) WITH (autovacuum_enabled = false)"""
    )
    await connection.execute(
        f"""CREATE UNLOGGED TABLE {tables.g} (sku text COLLATE "C", min_quantity numeric,
            since integer, row_no integer) WITH (autovacuum_enabled = false)"""
    )
    await connection.execute(
        f"""CREATE UNLOGGED TABLE {tables.x} (sku text COLLATE "C", reason text)
            WITH (autovacuum_enabled = false)"""
    )


async def drop(connection: Connection, tables: Tables) -> None:
    for table in tables:
        await connection.execute(f"DROP TABLE IF EXISTS {table}")


async def close_doors(connection: Connection, tables: Tables, supplier_id: UUID) -> None:
    """From here on only the marketplace itself and the owner see the rows. COPY and row-level
    security exclude each other, so this follows once the rows are in.
    """
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        await connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        await connection.execute(
            f"""CREATE POLICY may ON {table} USING (
                current_setting('app.scope', true) = 'system'
                OR current_setting('app.organisation', true) = '{supplier_id}')"""
        )


async def copy_rows(connection: Connection, tables: Tables, text: bytes) -> None:
    """COPY rows `as_text` into s."""
    schema, _, table = tables.s.partition(".")
    await connection.copy_to_table(table, schema_name=schema, source=_slices(text), format="csv")


async def _slices(text: bytes) -> AsyncIterator[bytes]:
    """Small enough for the driver to wait until PostgreSQL has taken one."""
    for start in range(0, len(text), SLICE_BYTES):
        yield text[start : start + SLICE_BYTES]


async def is_whole(connection: Connection, tables: Tables, *, staged: int, ended: int) -> bool:
    """Whether s and g still hold their rows: PostgreSQL empties unlogged tables after a crash, all
    of them at once.
    """
    for table in tables:
        if not await connection.fetchval("SELECT to_regclass($1)", table):
            return False
    count = f"SELECT (SELECT count(*) FROM {tables.s}), (SELECT count(*) FROM {tables.g})"
    return tuple(await connection.fetchrow(count)) == (staged, ended)


async def leftovers(connection: Connection) -> list[UUID]:
    """Uploads that have ended, or never were, and still own staging tables."""
    names = await connection.fetch(
        "SELECT DISTINCT substr(relname, 3) AS hex FROM pg_class"
        " WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r'"
    )
    ids = [UUID(hex=row["hex"]) for row in names]
    in_use = await connection.fetch(
        "SELECT id FROM price_imports WHERE id = ANY($1) AND state = ANY($2)", ids, list(STAGED)
    )
    return sorted(set(ids) - {row["id"] for row in in_use})
