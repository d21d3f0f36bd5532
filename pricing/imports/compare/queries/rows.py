"""Staged rows beside the list's lines. A list that is being validated always stands on its newest
content, so its current lines are those without an end.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from marketplace.kernel.statements import Connection
from pricing.imports.columns import BIT_OF, COLUMNS, LIST, Column, listed
from pricing.imports.compare.report import Subject
from pricing.imports.compare.tables import Tables
from pricing.imports.rules import ERRORS_KEPT_MAX

DOUBTFUL_BY_LIST_MAX = 50_000
"""With more of them, looking at every row is quicker than a list of numbers."""


class Overlap(NamedTuple):
    """A row and the one before it that it collides with; `repeats`: both say the same."""

    row: int
    sku: str
    other: int
    repeats: bool


class LineOverlap(NamedTuple):
    """A row and the line it collides with, which stays: that one's version and row."""

    row: int
    sku: str
    since: int
    line_row: int


class Unpatchable(NamedTuple):
    """A patch row that matches no line, or several."""

    row: int
    sku: str
    code: str


class LeftRow(NamedTuple):
    """A staged row whose SKU is left as it is: `error` or `held`."""

    row: int
    reason: str


def _merged(column: Column) -> str:
    """A column of the merged row: the cell, else what the line says, unless it was deleted."""
    name = column.name
    if column.required:
        return f"coalesce(s.{name}, o.{name}) AS {name}"
    return (
        f"CASE WHEN s.cleared & {BIT_OF[name]} <> 0 THEN {column.default or 'NULL'}"
        f" ELSE coalesce(s.{name}, o.{name}) END AS {name}"
    )


def _added(column: Column) -> str:
    """A column of a row that becomes a new line."""
    if column.default is None:
        return column.name
    return f"coalesce({column.name}, {column.default}) AS {column.name}"


_MERGED = ", ".join(map(_merged, COLUMNS))
_ADDED = ", ".join(map(_added, COLUMNS))
_SAME = f"({listed('m')}) IS NOT DISTINCT FROM ({listed('(m.old_line)')})"
# In a patch a blank key cell matches any line; elsewhere the ladder is named in full.
_MATCH_PATCH = """(s.unit IS NULL OR l.unit = s.unit)
    AND (s.currency IS NULL OR l.currency = s.currency)
    AND (s.min_quantity IS NULL OR l.min_quantity = s.min_quantity)"""
_MATCH_FULL = "l.unit = s.unit AND l.currency = s.currency AND l.min_quantity = s.min_quantity"


async def merge_with_list(connection: Connection, tables: Tables, subject: Subject) -> None:
    """Create d: each row whose line exists, with blanks filled from it. A list without lines gets
    an empty d, so that every later check runs on it too.
    """
    match = _MATCH_PATCH if subject.mode == "patch" else _MATCH_FULL
    await connection.execute(
        f"""CREATE UNLOGGED TABLE {tables.d} WITH (autovacuum_enabled = false) AS
        SELECT m.row_no, m.fingerprint, m.alike, (m.old_line).since AS old_since,
            (m.old_line).row_no AS old_row, (m.old_line).price AS old_price,
            (m.old_line).price_unit AS old_price_unit, (m.old_line).fingerprint AS old_fingerprint,
            (m.old_line).min_quantity AS old_min_quantity,
            (m.valid_from, m.valid_to)
                IS DISTINCT FROM ((m.old_line).valid_from, (m.old_line).valid_to) AS moved,
            CASE WHEN {_SAME} THEN 'same' ELSE 'change' END AS op, {LIST}
        FROM (SELECT s.row_no, s.fingerprint, o.alike, o.old_line, {_MERGED}
            FROM {tables.s} s CROSS JOIN LATERAL (
                SELECT l AS old_line, l.*, l.valid_from IS NOT DISTINCT FROM s.valid_from AS exact,
                    count(*) OVER (PARTITION BY l.valid_from IS NOT DISTINCT FROM s.valid_from)
                        AS alike
                FROM price_lines l
                WHERE l.list_no = {subject.list_no} AND l.until IS NULL AND l.sku = s.sku
                    AND {match}
                ORDER BY exact DESC, l.valid_from DESC NULLS LAST LIMIT 1) o) m
        WITH {"DATA" if subject.lines else "NO DATA"}"""
    )
    await connection.execute(f"ANALYZE {tables.d} (row_no, sku, op)")


def effective(tables: Tables, *, merged: bool) -> str:
    """A sub-select of the rows as they would stand in the list."""
    added = f"""SELECT row_no, fingerprint, {_ADDED}, 'add' AS op, true AS moved
        FROM {tables.s} s"""
    if not merged:
        return added
    return f"""{added} WHERE NOT EXISTS (SELECT FROM {tables.d} d WHERE d.row_no = s.row_no)
        UNION ALL SELECT row_no, fingerprint, {LIST}, op, moved FROM {tables.d}"""


async def analyze_staged(connection: Connection, tables: Tables) -> None:
    await connection.execute(f"ANALYZE {tables.s} (row_no, sku)")


async def drop_rows(connection: Connection, tables: Tables, rows: list[int]) -> None:
    await connection.execute(f"DELETE FROM {tables.s} WHERE row_no = ANY($1)", rows)


async def drop_merged_rows(connection: Connection, tables: Tables, rows: list[int]) -> None:
    await connection.execute(f"DELETE FROM {tables.d} WHERE row_no = ANY($1)", rows)


async def overlapping_rows(
    connection: Connection, tables: Tables, doubtful: pl.Series, *, merged: bool
) -> list[Overlap]:
    """For `doubtful` rows only."""
    if not len(doubtful):
        return []
    every = len(doubtful) > DOUBTFUL_BY_LIST_MAX
    rows = await connection.fetch(
        f"""WITH e AS ({effective(tables, merged=merged)}), r AS (
        SELECT row_no, sku, min_quantity, valid_from, valid_to, price, price_unit,
            lag(row_no) OVER w AS before_row, lag(price) OVER w AS before_price,
            lag(price_unit) OVER w AS before_price_unit, lag(valid_from) OVER w AS before_from,
            lag(valid_to) OVER w AS before_to,
            max(coalesce(valid_to, 'infinity')) OVER (
                w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
        FROM e {"" if every else "WHERE row_no = ANY($1)"}
        WINDOW w AS (PARTITION BY sku, unit, currency, min_quantity
            ORDER BY coalesce(valid_from, '-infinity'), row_no))
        SELECT row_no, sku, before_row,
            (price, price_unit, valid_from, valid_to)
            IS NOT DISTINCT FROM (before_price, before_price_unit, before_from, before_to)
                AS repeated
        FROM r WHERE coalesce(valid_from, '-infinity') <= reach ORDER BY row_no""",
        *([] if every else [doubtful.to_list()]),
    )
    return [Overlap(*row) for row in rows]


async def overlaps_with_kept(
    connection: Connection, tables: Tables, subject: Subject
) -> list[LineOverlap]:
    """Of rows that were merged with the list."""
    rows = await connection.fetch(
        f"""WITH l AS MATERIALIZED (
        SELECT e.row_no AS e_row, e.sku, p.since, p.row_no, p.min_quantity
        FROM ({effective(tables, merged=True)}) e CROSS JOIN LATERAL (SELECT * FROM price_lines p
            WHERE p.list_no = $1 AND p.sku = e.sku AND p.until IS NULL
                AND p.min_quantity = e.min_quantity AND p.unit = e.unit AND p.currency = e.currency
                AND coalesce(p.valid_from, '-infinity') <= coalesce(e.valid_to, 'infinity')
                AND coalesce(e.valid_from, '-infinity') <= coalesce(p.valid_to, 'infinity')) p
        WHERE e.op <> 'same' AND e.moved)
        SELECT l.e_row AS row_no, l.sku, l.since, l.row_no AS line_row FROM l
        WHERE NOT EXISTS (SELECT FROM {tables.g} g WHERE g.sku = l.sku
                AND g.min_quantity = l.min_quantity AND g.since = l.since AND g.row_no = l.row_no)
            AND NOT EXISTS (SELECT FROM {tables.x} x WHERE x.sku = l.sku)
        UNION ALL SELECT d.row_no, d.sku, d.old_since, d.old_row FROM {tables.d} d
        WHERE d.op = 'change' AND NOT d.moved
            AND NOT EXISTS (SELECT FROM {tables.g} g WHERE g.sku = d.sku AND g.min_quantity
                = d.old_min_quantity AND g.since = d.old_since AND g.row_no = d.old_row)
            AND NOT EXISTS (SELECT FROM {tables.x} x WHERE x.sku = d.sku)
        LIMIT $2""",
        subject.list_no,
        ERRORS_KEPT_MAX,
    )
    return [LineOverlap(*row) for row in rows]


async def rows_of_one_line(connection: Connection, tables: Tables) -> pl.Series:
    """Rows of d that mean the same line, however differently they name it."""
    rows = await connection.fetch(
        f"""SELECT row_no FROM (SELECT row_no, count(*) OVER (
            PARTITION BY sku, old_since, old_row) AS rows FROM {tables.d}) d WHERE rows > 1"""
    )
    return pl.Series([row["row_no"] for row in rows], dtype=pl.Int32)


async def unpatchable_rows(connection: Connection, tables: Tables) -> list[Unpatchable]:
    rows = await connection.fetch(
        f"""SELECT s.row_no, s.sku, 'nothing_to_patch' AS code FROM {tables.s} s
        WHERE (s.unit IS NULL OR s.currency IS NULL OR s.price IS NULL)
            AND NOT EXISTS (SELECT FROM {tables.d} d WHERE d.row_no = s.row_no)
        UNION ALL SELECT row_no, sku, 'ambiguous_patch' FROM {tables.d} WHERE alike > 1
        ORDER BY row_no LIMIT $1""",
        ERRORS_KEPT_MAX,
    )
    return [Unpatchable(*row) for row in rows]


async def leave_skus(
    connection: Connection, tables: Tables, skus: Collection[str], reason: str
) -> None:
    """These SKUs keep the lines they have."""
    if skus:
        await connection.execute(
            f"INSERT INTO {tables.x} SELECT DISTINCT unnest($1::text[]), $2", sorted(skus), reason
        )


async def left_rows(connection: Connection, tables: Tables) -> list[LeftRow]:
    """An error outweighs a hold."""
    rows = await connection.fetch(
        f"""SELECT s.row_no, x.reason FROM {tables.s} s JOIN ({first_reasons(tables)}) x
            ON x.sku = s.sku
        ORDER BY s.row_no"""
    )
    return [LeftRow(*row) for row in rows]


def first_reasons(tables: Tables) -> str:
    """A sub-select of each SKU that is left, with one reason: an error before a hold."""
    return f"SELECT DISTINCT ON (sku) sku, reason FROM {tables.x} ORDER BY sku, reason"


async def count_staged(connection: Connection, tables: Tables) -> int:
    count: int = await connection.fetchval(f"SELECT count(*) FROM {tables.s}")
    return count


async def count_merged(connection: Connection, tables: Tables) -> tuple[int, int]:
    """(changed, same): rows of SKUs that are not left as they are."""
    row = await connection.fetchrow(
        f"""SELECT count(*) FILTER (WHERE op = 'change') AS changed,
            count(*) FILTER (WHERE op = 'same') AS same
        FROM {tables.d} d WHERE NOT EXISTS (SELECT FROM {tables.x} x WHERE x.sku = d.sku)"""
    )
    return row["changed"], row["same"]
