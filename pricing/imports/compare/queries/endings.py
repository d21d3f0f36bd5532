"""Which lines an upload ends. A SKU that is left as it is keeps all of its lines.

The planner knows nothing of lines that were written a moment ago, so every way is prescribed: a few
SKUs by the index (LATERAL), everything else by hashing (the worker's session forbids loops).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from marketplace.kernel.statements import Connection
from pricing.imports.compare.report import Subject
from pricing.imports.compare.tables import Tables
from pricing.imports.read.known import KnownRows

_GONE = "l.fingerprint IN (SELECT fingerprint FROM gone)"
_OF_LIST = """SELECT sku, min_quantity, since, row_no, fingerprint FROM price_lines
    WHERE list_no = $1 AND until IS NULL"""


def _of_file(tables: Tables) -> str:
    return f"""SELECT l.* FROM (SELECT DISTINCT sku FROM {tables.s}) s CROSS JOIN LATERAL (
        SELECT p.sku, p.min_quantity, p.since, p.row_no, p.fingerprint FROM price_lines p
        WHERE p.list_no = $1 AND p.sku = s.sku AND p.until IS NULL) l"""


def _not_left(tables: Tables) -> str:
    return f"NOT EXISTS (SELECT FROM {tables.x} x WHERE x.sku = l.sku)"


def _not_same(tables: Tables) -> str:
    return f"""NOT EXISTS (SELECT FROM {tables.d} d WHERE d.op = 'same' AND d.old_since = l.since
        AND d.old_row = l.row_no AND d.sku = l.sku AND d.old_min_quantity = l.min_quantity)"""


def _insert(tables: Tables, lines: str, where: str) -> str:
    # Materialised, or the tests would be made anew for each SKU looked up.
    return f"""INSERT INTO {tables.g} WITH l AS MATERIALIZED ({lines})
        SELECT l.sku, l.min_quantity, l.since, l.row_no FROM l
        WHERE {where} AND {_not_same(tables)} AND {_not_left(tables)}"""


async def by_mode(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool
) -> None:
    """Fill g when every row of the file was staged."""
    if not merged:
        return
    if subject.mode == "patch":
        await connection.execute(
            f"""INSERT INTO {tables.g} SELECT l.sku, l.old_min_quantity, l.old_since, l.old_row
            FROM {tables.d} l WHERE l.op = 'change' AND {_not_left(tables)}"""
        )
    else:
        lines = _of_file(tables) if subject.mode == "merge" else _OF_LIST
        await connection.execute(_insert(tables, lines, "true"), subject.list_no)
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
        if await _count_gone_in_rows(connection, tables) == gone:
            await _end_lines_of_rows(connection, tables)
        else:
            seen = await connection.fetchval(
                f"WITH l AS MATERIALIZED ({_of_file(tables)}) SELECT count(*) FROM l WHERE {_GONE}",
                subject.list_no,
            )
            lines = _of_file(tables) if seen == gone else _OF_LIST
            await connection.execute(_insert(tables, lines, _GONE), subject.list_no)
    await _analyse(connection, tables)


async def _count_gone_in_rows(connection: Connection, tables: Tables) -> int:
    count: int = await connection.fetchval(
        f"""SELECT count(DISTINCT d.old_fingerprint) FROM {tables.d} d
        WHERE d.old_fingerprint IN (SELECT fingerprint FROM gone)"""
    )
    return count


async def _end_lines_of_rows(connection: Connection, tables: Tables) -> None:
    await connection.execute(
        f"""INSERT INTO {tables.g}
        SELECT DISTINCT l.sku, l.old_min_quantity, l.old_since, l.old_row
        FROM {tables.d} l WHERE l.op = 'change'
            AND l.old_fingerprint IN (SELECT fingerprint FROM gone)
            AND NOT EXISTS (SELECT FROM {tables.d} d WHERE d.op = 'same' AND d.sku = l.sku
                AND d.old_since = l.old_since AND d.old_row = l.old_row)
            AND {_not_left(tables)}"""
    )


async def _texts(known: KnownRows) -> AsyncIterator[bytes]:
    for part in known.missing_parts():
        signed = part.reinterpret(signed=True).to_frame()
        yield signed.write_csv(include_header=False).encode()


async def _analyse(connection: Connection, tables: Tables) -> None:
    for table in (tables.g, tables.x):
        await connection.execute(f"ANALYZE {table}")


async def keep_lines(connection: Connection, tables: Tables, skus: list[str]) -> None:
    """Lines of these SKUs are not ended after all."""
    await connection.execute(f"DELETE FROM {tables.g} WHERE sku = ANY($1)", skus)


async def ended_lines(connection: Connection, tables: Tables) -> int:
    count: int = await connection.fetchval(f"SELECT count(*) FROM {tables.g}")
    return count


async def removed_skus(connection: Connection, tables: Tables, subject: Subject) -> int:
    """SKUs of which no line remains."""
    count: int = await connection.fetchval(
        f"""WITH g AS MATERIALIZED (
            SELECT sku, count(*) AS ended FROM {tables.g} g
            WHERE NOT EXISTS (SELECT FROM {tables.s} s WHERE s.sku = g.sku) GROUP BY sku)
        SELECT count(*) FROM g CROSS JOIN LATERAL (SELECT count(*) AS open FROM price_lines l
            WHERE l.list_no = $1 AND l.sku = g.sku AND l.until IS NULL) l
        WHERE l.open = g.ended""",
        subject.list_no,
    )
    return count


async def added_skus(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool
) -> int:
    """SKUs that the list does not hold yet."""
    unmatched = f"AND NOT EXISTS (SELECT FROM {tables.d} d WHERE d.sku = s.sku)" if merged else ""
    count: int = await connection.fetchval(
        f"""WITH s AS MATERIALIZED (
            SELECT DISTINCT sku FROM {tables.s} s
            WHERE NOT EXISTS (SELECT FROM {tables.x} x WHERE x.sku = s.sku) {unmatched})
        SELECT count(*) FROM s CROSS JOIN LATERAL (SELECT count(*) AS open FROM price_lines l
            WHERE l.list_no = $1 AND l.sku = s.sku AND l.until IS NULL) l WHERE l.open = 0""",
        subject.list_no,
    )
    return count
