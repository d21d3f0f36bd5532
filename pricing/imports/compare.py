"""Validating as a set: repeated and overlapping rows, what a row does to the list, what is odd.

Everything here reads the list and writes only staging; `publish` carries it out. A list that is
being validated always stands on its newest content, so its current lines are those without an end.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import polars as pl

from pricing.imports.checks import RowError
from pricing.imports.columns import BIT_OF, COLUMNS, LIST, Column, listed
from pricing.imports.intake import Intake
from pricing.imports.rules import ERRORS_KEPT_MAX, Mode
from pricing.imports.staging import Connection, Tables

DOUBTFUL_BY_LIST_MAX = 50_000


class Subject(NamedTuple):
    """The list an upload changes, as it was when validation began."""

    list_no: int
    supplier_id: UUID
    version: int
    lines: int
    skus: int
    mode: Mode
    hold_change_percent: Decimal
    accepts_held: bool


class Report(msgspec.Struct, kw_only=True):
    """What publishing would do. Counts of rows unless named otherwise."""

    staged: int = 0
    reading: str = ""
    sorted: bool = False
    merged: bool = False
    added: int = 0
    changed: int = 0
    same: int = 0
    known: int = 0
    rejected: int = 0
    held: int = 0
    ended_lines: int = 0
    removed_lines: int = 0
    removed_skus: int = 0
    former_skus: int = 0
    skus: int = 0
    clean: bool = True
    """Every row of the file became, or stayed, a line: the file's fingerprints are the list's."""

    @property
    def nothing_changes(self) -> bool:
        return not (self.added or self.changed or self.ended_lines)


# In a patch a blank key cell matches any line; elsewhere the ladder is named in full.
_MATCH_PATCH = """(s.unit IS NULL OR l.unit = s.unit)
    AND (s.currency IS NULL OR l.currency = s.currency)
    AND (s.min_quantity IS NULL OR l.min_quantity = s.min_quantity)"""
_MATCH_FULL = "l.unit = s.unit AND l.currency = s.currency AND l.min_quantity = s.min_quantity"


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

_MERGE = """CREATE UNLOGGED TABLE {d} WITH (autovacuum_enabled = false) AS
    SELECT m.row_no, m.fingerprint, m.alike, (m.old_line).since AS old_since,
        (m.old_line).row_no AS old_row, (m.old_line).price AS old_price,
        (m.old_line).price_unit AS old_price_unit, (m.old_line).fingerprint AS old_fingerprint,
        (m.old_line).min_quantity AS old_min_quantity,
        (m.valid_from, m.valid_to)
            IS DISTINCT FROM ((m.old_line).valid_from, (m.old_line).valid_to) AS moved,
        CASE WHEN {same} THEN 'same' ELSE 'change' END AS op, {columns}
    FROM (SELECT s.row_no, s.fingerprint, o.alike, o.old_line, {merged}
        FROM {s} s CROSS JOIN LATERAL (
            SELECT l AS old_line, l.*, l.valid_from IS NOT DISTINCT FROM s.valid_from AS exact,
                count(*) OVER (PARTITION BY l.valid_from IS NOT DISTINCT FROM s.valid_from) AS alike
            FROM price_lines l
            WHERE l.list_no = {list_no} AND l.until IS NULL AND l.sku = s.sku AND {match}
            ORDER BY exact DESC, l.valid_from DESC NULLS LAST LIMIT 1) o) m"""

EFFECTIVE = f"""SELECT row_no, fingerprint, {_ADDED}, 'add' AS op, true AS moved
    FROM {{s}} s {{without_merged}}
    {{union_merged}}"""  # noqa: S608  # constants only
_WITHOUT_MERGED = "WHERE NOT EXISTS (SELECT FROM {d} d WHERE d.row_no = s.row_no)"
_UNION_MERGED = f"UNION ALL SELECT row_no, fingerprint, {LIST}, op, moved FROM {{d}}"  # noqa: S608  # constants only


def effective(tables: Tables, *, merged: bool) -> str:
    """A sub-select of the rows as they would stand in the list."""
    told = EFFECTIVE.replace("{without_merged}", _WITHOUT_MERGED if merged else "")
    return tables.sql(told.replace("{union_merged}", _UNION_MERGED if merged else ""))


async def merge_with_list(connection: Connection, tables: Tables, subject: Subject) -> None:
    """Create d: each row whose line exists, with blanks filled from it. A list without lines gets
    an empty d, so that every later check runs on it too.
    """
    told = _MERGE.replace("{same}", _SAME).replace("{columns}", LIST)
    told = told.replace("{merged}", _MERGED).replace("{list_no}", str(subject.list_no))
    match = _MATCH_PATCH if subject.mode == "patch" else _MATCH_FULL
    told = told.replace("{match}", match) + ("" if subject.lines else " WITH NO DATA")
    await connection.execute(tables.sql(told))
    await connection.execute(tables.sql("ANALYZE {d} (row_no, sku, op)"))


async def drop_rows(connection: Connection, tables: Tables, rows: list[int]) -> None:
    await connection.execute(tables.sql("DELETE FROM {s} WHERE row_no = ANY($1)"), rows)


_OVERLAPPING = """WITH e AS ({effective}), r AS (
    SELECT row_no, sku, min_quantity, valid_from, valid_to, price, price_unit,
        lag(row_no) OVER w AS before_row, lag(price) OVER w AS before_price,
        lag(price_unit) OVER w AS before_price_unit, lag(valid_from) OVER w AS before_from,
        lag(valid_to) OVER w AS before_to,
        max(coalesce(valid_to, 'infinity')) OVER (
            w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
    FROM e {doubtful}
    WINDOW w AS (PARTITION BY sku, unit, currency, min_quantity
        ORDER BY coalesce(valid_from, '-infinity'), row_no))
    SELECT row_no, sku, before_row,
        (price, price_unit, valid_from, valid_to)
        IS NOT DISTINCT FROM (before_price, before_price_unit, before_from, before_to) AS repeated
    FROM r WHERE coalesce(valid_from, '-infinity') <= reach ORDER BY row_no"""


async def overlapping_rows(
    connection: Connection, tables: Tables, doubtful: pl.Series, *, merged: bool
) -> list[tuple[int, str, int, bool]]:
    """(row, SKU, the row it collides with, whether both say the same), for `doubtful` rows only."""
    if not len(doubtful):
        return []
    every = len(doubtful) > DOUBTFUL_BY_LIST_MAX
    told = _OVERLAPPING.replace("{effective}", effective(tables, merged=merged))
    told = told.replace("{doubtful}", "" if every else "WHERE row_no = ANY($1)")
    arguments: list[Any] = [] if every else [doubtful.to_list()]
    rows = await connection.fetch(told, *arguments)
    return [(r["row_no"], r["sku"], r["before_row"], r["repeated"]) for r in rows]


_OVERLAP_WITH_KEPT = """WITH l AS MATERIALIZED (
    SELECT e.row_no AS e_row, e.sku, p.since, p.row_no, p.min_quantity
    FROM ({effective}) e CROSS JOIN LATERAL (SELECT * FROM price_lines p
        WHERE p.list_no = $1 AND p.sku = e.sku AND p.until IS NULL
            AND p.min_quantity = e.min_quantity AND p.unit = e.unit AND p.currency = e.currency
            AND coalesce(p.valid_from, '-infinity') <= coalesce(e.valid_to, 'infinity')
            AND coalesce(e.valid_from, '-infinity') <= coalesce(p.valid_to, 'infinity')) p
    WHERE e.op <> 'same' AND e.moved)
    SELECT l.e_row AS row_no, l.sku, l.since, l.row_no AS line_row FROM l
    WHERE NOT EXISTS (SELECT FROM {g} g WHERE g.sku = l.sku
            AND g.min_quantity = l.min_quantity AND g.since = l.since AND g.row_no = l.row_no)
        AND NOT EXISTS (SELECT FROM {x} x WHERE x.sku = l.sku)
    UNION ALL SELECT d.row_no, d.sku, d.old_since, d.old_row FROM {d} d
    WHERE d.op = 'change' AND NOT d.moved
        AND NOT EXISTS (SELECT FROM {g} g WHERE g.sku = d.sku AND g.min_quantity
            = d.old_min_quantity AND g.since = d.old_since AND g.row_no = d.old_row)
        AND NOT EXISTS (SELECT FROM {x} x WHERE x.sku = d.sku)
    LIMIT $2"""


async def overlaps_with_kept(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool
) -> list[tuple[int, str, int, int]]:
    """(row, SKU, version and row of the kept line it collides with)."""
    told = _OVERLAP_WITH_KEPT.replace("{effective}", effective(tables, merged=merged))
    rows = await connection.fetch(tables.sql(told), subject.list_no, ERRORS_KEPT_MAX)
    return [(r["row_no"], r["sku"], r["since"], r["line_row"]) for r in rows]


async def rows_of_one_line(connection: Connection, tables: Tables) -> pl.Series:
    """Rows of d that mean the same line, however differently they name it."""
    rows = await connection.fetch(
        tables.sql(
            """SELECT row_no FROM (SELECT row_no, count(*) OVER (
                PARTITION BY sku, old_since, old_row) AS rows FROM {d}) d WHERE rows > 1"""
        )
    )
    return pl.Series([row["row_no"] for row in rows], dtype=pl.Int32)


async def unpatchable_rows(connection: Connection, tables: Tables) -> list[tuple[int, str, str]]:
    """(row, SKU, code) of patch rows that match no line, or several."""
    rows = await connection.fetch(
        tables.sql(
            """SELECT s.row_no, s.sku, 'nothing_to_patch' AS code FROM {s} s
            WHERE (s.unit IS NULL OR s.currency IS NULL OR s.price IS NULL)
                AND NOT EXISTS (SELECT FROM {d} d WHERE d.row_no = s.row_no)
            UNION ALL SELECT row_no, sku, 'ambiguous_patch' FROM {d} WHERE alike > 1
            ORDER BY row_no LIMIT $1"""
        ),
        ERRORS_KEPT_MAX,
    )
    return [(r["row_no"], r["sku"], r["code"]) for r in rows]


async def leave_skus(connection: Connection, tables: Tables, skus: list[str], reason: str) -> None:
    """These SKUs keep the lines they have."""
    if skus:
        await connection.execute(
            tables.sql("INSERT INTO {x} SELECT DISTINCT unnest($1::text[]), $2"), skus, reason
        )


_LEFT_ROWS = """SELECT s.row_no, x.reason FROM {s} s
    JOIN (SELECT DISTINCT ON (sku) sku, reason FROM {x} ORDER BY sku, reason) x ON x.sku = s.sku
    ORDER BY s.row_no"""


async def left_rows(connection: Connection, tables: Tables) -> list[tuple[int, str]]:
    """(row, reason) of staged rows whose SKU is left as it is; an error outweighs a hold."""
    rows = await connection.fetch(tables.sql(_LEFT_ROWS))
    return [(r["row_no"], r["reason"]) for r in rows]


def sentence_for_overlap(row: int, other: str, *, repeated: bool) -> RowError:
    if repeated:
        return RowError(row, None, "duplicate_row", None, f"The row repeats {other}.")
    return RowError(row, None, "overlap", None, f"The row holds at the same time as {other}.")


def repeated_text_errors(intake: Intake, rows: list[int]) -> list[RowError]:
    return [
        RowError(row, None, "duplicate_row", None, "The row stands in the file before.")
        for row in rows[:ERRORS_KEPT_MAX]
    ]
