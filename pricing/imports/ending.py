"""Which lines an upload ends. A SKU that is left as it is keeps all of its lines."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pricing.imports.compare import Subject
from pricing.imports.known import KnownRows
from pricing.imports.staging import Connection, Tables

# The planner knows nothing of lines that were written a moment ago, so every way is prescribed: a
# few SKUs by the index (LATERAL), everything else by hashing (the worker's session forbids loops).
_LEFT = "NOT EXISTS (SELECT FROM {x} x WHERE x.sku = l.sku)"
_NOT_SAME = """NOT EXISTS (SELECT FROM {d} d WHERE d.op = 'same' AND d.old_since = l.since
    AND d.old_row = l.row_no AND d.sku = l.sku AND d.old_min_quantity = l.min_quantity)"""
# Materialised, or the tests below would be made anew for each SKU looked up.
_INTO = """INSERT INTO {g} WITH l AS MATERIALIZED (%s)
    SELECT l.sku, l.min_quantity, l.since, l.row_no FROM l WHERE %s"""
_OF_LIST = """SELECT sku, min_quantity, since, row_no, fingerprint FROM price_lines
    WHERE list_no = $1 AND until IS NULL"""
_OF_FILE = """SELECT l.* FROM (SELECT DISTINCT sku FROM {s}) s CROSS JOIN LATERAL (
        SELECT p.sku, p.min_quantity, p.since, p.row_no, p.fingerprint FROM price_lines p
        WHERE p.list_no = $1 AND p.sku = s.sku AND p.until IS NULL) l"""
_GONE = "l.fingerprint IN (SELECT fingerprint FROM gone)"
_SEEN_IN_ROWS = """SELECT count(DISTINCT d.old_fingerprint) FROM {d} d
    WHERE d.old_fingerprint IN (SELECT fingerprint FROM gone)"""
_OF_ROWS = """INSERT INTO {g} SELECT DISTINCT l.sku, l.old_min_quantity, l.old_since, l.old_row
    FROM {d} l WHERE l.op = 'change'
        AND l.old_fingerprint IN (SELECT fingerprint FROM gone)
        AND NOT EXISTS (SELECT FROM {d} d WHERE d.op = 'same' AND d.sku = l.sku
            AND d.old_since = l.old_since AND d.old_row = l.old_row) AND """
_SEEN = "WITH l AS MATERIALIZED (%s) SELECT count(*) FROM l WHERE %s"
_PATCH = """INSERT INTO {g} SELECT l.sku, l.old_min_quantity, l.old_since, l.old_row FROM {d} l
    WHERE l.op = 'change' AND """


async def by_mode(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool
) -> None:
    """Fill g when every row of the file was staged."""
    if not merged:
        return
    if subject.mode == "patch":
        await connection.execute(tables.sql(_PATCH + _LEFT))
    else:
        lines = _OF_FILE if subject.mode == "merge" else _OF_LIST
        told = _INTO % (lines, f"{_NOT_SAME} AND {_LEFT}")
        await connection.execute(tables.sql(told), subject.list_no)
    await _analyse(connection, tables)


async def by_fingerprints(
    connection: Connection, tables: Tables, subject: Subject, known: KnownRows
) -> None:
    """Fill g when `known` rows were never staged, from those that the file no longer holds. Mostly
    these are the lines of changed rows, which d names; else lines of staged SKUs are found by the
    index; only when some are still missing then, the list is searched.
    """
    gone = known.missing
    async with connection.transaction():
        await connection.execute(
            "CREATE TEMP TABLE gone (fingerprint bigint PRIMARY KEY) ON COMMIT DROP"
        )
        await connection.copy_to_table("gone", source=_texts(known), format="csv")
        await connection.execute("ANALYZE gone")
        if await connection.fetchval(tables.sql(_SEEN_IN_ROWS)) == gone:
            await connection.execute(tables.sql(_OF_ROWS + _LEFT))
        else:
            seen = await connection.fetchval(tables.sql(_SEEN % (_OF_FILE, _GONE)), subject.list_no)
            lines = _OF_FILE if seen == gone else _OF_LIST
            told = _INTO % (lines, f"{_GONE} AND {_NOT_SAME} AND {_LEFT}")
            await connection.execute(tables.sql(told), subject.list_no)
    await _analyse(connection, tables)


async def _texts(known: KnownRows) -> AsyncIterator[bytes]:
    for part in known.missing_parts():
        signed = part.reinterpret(signed=True).to_frame()
        yield signed.write_csv(include_header=False).encode()


async def _analyse(connection: Connection, tables: Tables) -> None:
    for table in (tables.g, tables.x):
        await connection.execute(f"ANALYZE {table}")


async def ended_lines(connection: Connection, tables: Tables) -> int:
    count: int = await connection.fetchval(tables.sql("SELECT count(*) FROM {g}"))
    return count


_REMOVED_SKUS = """WITH g AS MATERIALIZED (
        SELECT sku, count(*) AS ended FROM {g} g
        WHERE NOT EXISTS (SELECT FROM {s} s WHERE s.sku = g.sku) GROUP BY sku)
    SELECT count(*) FROM g CROSS JOIN LATERAL (SELECT count(*) AS open FROM price_lines l
        WHERE l.list_no = $1 AND l.sku = g.sku AND l.until IS NULL) l WHERE l.open = g.ended"""
_ADDED_SKUS = """WITH s AS MATERIALIZED (
        SELECT DISTINCT sku FROM {s} s WHERE NOT EXISTS (SELECT FROM {x} x WHERE x.sku = s.sku)
            {unmatched})
    SELECT count(*) FROM s CROSS JOIN LATERAL (SELECT count(*) AS open FROM price_lines l
        WHERE l.list_no = $1 AND l.sku = s.sku AND l.until IS NULL) l WHERE l.open = 0"""
_UNMATCHED = "AND NOT EXISTS (SELECT FROM {d} d WHERE d.sku = s.sku)"


async def removed_skus(connection: Connection, tables: Tables, subject: Subject) -> int:
    """SKUs of which no line remains."""
    count: int = await connection.fetchval(tables.sql(_REMOVED_SKUS), subject.list_no)
    return count


async def added_skus(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool
) -> int:
    """SKUs that the list does not hold yet."""
    told = tables.sql(_ADDED_SKUS.replace("{unmatched}", _UNMATCHED if merged else ""))
    count: int = await connection.fetchval(told, subject.list_no)
    return count
