"""Which lines an upload ends. A SKU that is left as it is keeps all of its lines."""

from __future__ import annotations

import polars as pl

from pricing.imports.compare import Subject
from pricing.imports.staging import Connection, Tables

_LEFT = "NOT EXISTS (SELECT FROM {x} x WHERE x.sku = l.sku)"
_NOT_SAME = """NOT EXISTS (SELECT FROM {d} d WHERE d.op = 'same' AND d.old_since = l.since
    AND d.old_row = l.row_no AND d.sku = l.sku AND d.old_min_quantity = l.min_quantity)"""
_INTO = "INSERT INTO {g} SELECT l.sku, l.min_quantity, l.since, l.row_no FROM price_lines l "
_ANALYSE = ("ANALYZE {g}", "ANALYZE {x}")

_PATCH = """INSERT INTO {g} SELECT l.sku, l.old_min_quantity, l.old_since, l.old_row FROM {d} l
    WHERE l.op = 'change' AND """
_OPEN = "WHERE l.list_no = $1 AND l.until IS NULL AND "
_OF_FILE = "l.sku IN (SELECT sku FROM {s}) AND "
_GONE = "l.fingerprint IN (SELECT fingerprint FROM gone) AND "


async def by_mode(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool
) -> None:
    """Fill g when every row of the file was staged."""
    if not merged:
        if subject.mode == "replace" and subject.lines:
            await _run(connection, tables, _INTO + _OPEN + _LEFT, subject.list_no)
        return
    if subject.mode == "patch":
        await connection.execute(tables.sql(_PATCH + _LEFT))
    elif subject.mode == "merge":
        where = _OPEN + _OF_FILE + _NOT_SAME + " AND " + _LEFT
        await _run(connection, tables, _INTO + where, subject.list_no)
    else:
        where = _OPEN + _NOT_SAME + " AND " + _LEFT
        await _run(connection, tables, _INTO + where, subject.list_no)
    for statement in _ANALYSE:
        await connection.execute(tables.sql(statement))


async def _run(connection: Connection, tables: Tables, told: str, list_no: int) -> None:
    await connection.execute(tables.sql(told), list_no)


async def by_fingerprints(
    connection: Connection,
    tables: Tables,
    subject: Subject,
    gone: pl.Series,
) -> None:
    """Fill g when known rows were never staged: `gone` are the fingerprints of current lines that
    the file no longer holds. Lines of staged SKUs are found by the index; only when some are still
    missing then, the list is searched.
    """
    signed = gone.reinterpret(signed=True).to_list()
    async with connection.transaction():
        await connection.execute(
            "CREATE TEMP TABLE gone (fingerprint bigint PRIMARY KEY) ON COMMIT DROP"
        )
        await connection.execute("INSERT INTO gone SELECT unnest($1::bigint[])", signed)
        await connection.execute("ANALYZE gone")
        seen = await connection.fetchval(
            tables.sql(
                """SELECT count(*) FROM (SELECT DISTINCT sku FROM {s}) s
                JOIN price_lines l ON l.list_no = $1 AND l.until IS NULL AND l.sku = s.sku
                JOIN gone USING (fingerprint)"""
            ),
            subject.list_no,
        )
        where = _OPEN + (_OF_FILE if seen == len(gone) else "")
        where += _GONE + _NOT_SAME + " AND " + _LEFT
        await _run(connection, tables, _INTO + where, subject.list_no)
    for statement in _ANALYSE:
        await connection.execute(tables.sql(statement))


async def ended_lines(connection: Connection, tables: Tables) -> int:
    count: int = await connection.fetchval(tables.sql("SELECT count(*) FROM {g}"))
    return count


_REMOVED_SKUS = """SELECT count(*) FROM (SELECT DISTINCT sku FROM {g}) g
    WHERE NOT EXISTS (SELECT FROM {s} s WHERE s.sku = g.sku)
    AND NOT EXISTS (SELECT FROM price_lines l WHERE l.list_no = $1 AND l.until IS NULL
        AND l.sku = g.sku AND NOT EXISTS (SELECT FROM {g} e WHERE e.sku = l.sku
            AND e.min_quantity = l.min_quantity AND e.since = l.since AND e.row_no = l.row_no))"""


async def removed_skus(connection: Connection, tables: Tables, subject: Subject) -> int:
    """SKUs of which no line remains."""
    count: int = await connection.fetchval(tables.sql(_REMOVED_SKUS), subject.list_no)
    return count


async def added_skus(connection: Connection, tables: Tables, subject: Subject) -> int:
    """SKUs that the list does not hold yet."""
    count: int = await connection.fetchval(
        tables.sql(
            """SELECT count(*) FROM (SELECT DISTINCT sku FROM {s}) s
            WHERE NOT EXISTS (SELECT FROM {x} x WHERE x.sku = s.sku)
            AND NOT EXISTS (SELECT FROM price_lines l
                WHERE l.list_no = $1 AND l.until IS NULL AND l.sku = s.sku)"""
        ),
        subject.list_no,
    )
    return count
