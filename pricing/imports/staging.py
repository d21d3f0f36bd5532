"""The unlogged tables an upload is staged in, one set each, and what may look into them.

s  checked rows · d  rows whose line exists already, merged with it · g  lines this upload ends ·
x  SKUs that are left as they are (`error` or `held`)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl

from pricing.imports.columns import COLUMNS

SLICE_BYTES = 256 << 10

Connection = Any
"""An asyncpg connection; the library ships no types."""

_STAGED = ", ".join(
    f"{column.name} {column.kind.sql}" + (' COLLATE "C" NOT NULL' if column.name == "sku" else "")
    for column in COLUMNS
)
_CREATE = f"""CREATE UNLOGGED TABLE {{s}} (row_no integer NOT NULL, fingerprint bigint, {_STAGED},
    cleared integer NOT NULL) WITH (autovacuum_enabled = false)"""
_CREATE_ENDED = """CREATE UNLOGGED TABLE {g} (sku text COLLATE "C", min_quantity numeric,
    since integer, row_no integer) WITH (autovacuum_enabled = false)"""
_CREATE_LEFT = """CREATE UNLOGGED TABLE {x} (sku text COLLATE "C", reason text)
    WITH (autovacuum_enabled = false)"""
# COPY and row-level security exclude each other, so the door closes once the rows are in.
_CLOSE = (
    "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {t} FORCE ROW LEVEL SECURITY",
    """CREATE POLICY may ON {t} USING (current_setting('app.scope', true) = 'system'
        OR current_setting('app.organisation', true) = '{owner}')""",
)


class Tables(NamedTuple):
    """Names of one upload's tables."""

    s: str
    d: str
    g: str
    x: str

    def sql(self, statement: str) -> str:
        """`statement` with the names put in."""
        for name, table in zip(self._fields, self, strict=True):
            statement = statement.replace("{" + name + "}", table)
        return statement


def tables_of(import_id: UUID) -> Tables:
    return Tables(*(f"staging.{letter}_{import_id.hex}" for letter in "sdgx"))


async def create(connection: Connection, tables: Tables) -> None:
    """Empty tables, whatever an earlier attempt left."""
    await drop(connection, tables)
    for statement in (_CREATE, _CREATE_ENDED, _CREATE_LEFT):
        await connection.execute(tables.sql(statement))


async def drop(connection: Connection, tables: Tables) -> None:
    for table in tables:
        await connection.execute(f"DROP TABLE IF EXISTS {table}")


async def close_doors(connection: Connection, tables: Tables, supplier_id: UUID) -> None:
    """From here on only the house and the owner see the rows."""
    for table in tables:
        for statement in _CLOSE:
            told = statement.replace("{t}", table).replace("{owner}", str(supplier_id))
            await connection.execute(told)


def as_text(rows: pl.DataFrame) -> bytes:
    """A checked frame (columns STAGED) as `copy_rows` takes it."""
    signed = rows.with_columns(pl.col("fingerprint").reinterpret(signed=True))
    return signed.write_csv(include_header=False).encode()


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
    count = tables.sql("SELECT (SELECT count(*) FROM {s}), (SELECT count(*) FROM {g})")
    return tuple(await connection.fetchrow(count)) == (staged, ended)


async def leftovers(connection: Connection) -> list[UUID]:
    """Uploads that have ended, or never were, and still own staging tables."""
    names = await connection.fetch(
        "SELECT DISTINCT substr(relname, 3) AS hex FROM pg_class"
        " WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r'"
    )
    ids = [UUID(hex=row["hex"]) for row in names]
    living = await connection.fetch(
        "SELECT id FROM price_imports WHERE id = ANY($1)"
        " AND state IN ('reading', 'validating', 'ready', 'publishing')",
        ids,
    )
    return sorted(set(ids) - {row["id"] for row in living})
