"""Check whole batches of cells at once: which rows are prices, and what is wrong with the rest.

A batch arrives as text columns; good rows leave as text that PostgreSQL reads as typed values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import polars as pl

from pricing.imports.cells import MESSAGES, code_of
from pricing.imports.rules import (
    CELL_CHARS_MAX,
    COLUMNS,
    DECIMAL_COLUMNS,
    DELETE,
    FIRST_DAY,
    HINTS,
    INCOTERMS,
    LAST_DAY,
    LEAD_TIME_DAYS_MAX,
    REQUIRED,
    Mode,
)

STAGED = ("row_no", "fingerprint", *COLUMNS, "cleared")
"""Columns of a checked frame, in the order of the staging table."""

_DECIMAL = r"^[0-9]{1,12}(?:\.[0-9]{1,6})?$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DOTTED = r"^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}$"
_SUSPECT_TEXT = r"^[=@]|^[+\-][^|!(]*[|!(]|[\x00-\x1f\x7f\x{85}\x{2028}\x{2029}]"
_KEY_SEED = 7


class RowError(msgspec.Struct, frozen=True):
    """One entry of the report: `row` counts the header as 1; `column` None means the whole row."""

    row: int
    column: str | None
    code: str
    value: str | None
    message: str
    severity: str = "error"

    @property
    def hint(self) -> str | None:
        return HINTS.get(self.code)


class Checked(NamedTuple):
    """`good` has the columns STAGED; `keys` and `skus` are hashes of the good rows' ladders."""

    good: pl.DataFrame
    keys: pl.Series
    skus: pl.Series
    errors: list[RowError]
    bad_rows: pl.DataFrame
    warnings: list[RowError]


class Check(NamedTuple):
    columns: tuple[str, ...]
    """Of ours, those the file has."""
    decimal: str
    mode: Mode
    units: frozenset[str]
    """Known unit codes and aliases; empty when no unit list is loaded, then any unit is taken."""
    errors_max: int


def check(frame: pl.DataFrame, how: Check) -> Checked:
    """`frame` has `row_no`, `fingerprint` and text columns `how.columns`."""
    frame = frame.with_columns(
        *(
            pl.col(name).str.strip_chars().replace("", None)
            if name in how.columns
            else pl.lit(None, pl.String).alias(name)
            for name in COLUMNS
        )
    )
    blank = pl.all_horizontal(pl.col(name).is_null() for name in COLUMNS)
    frame = frame.filter(~blank)
    frame = _without_deletions(frame, how.columns)
    frame = frame.with_columns(_normal(name, how.decimal) for name in COLUMNS)
    wrong = frame.select(_wrong(name, how.mode).alias(name) for name in COLUMNS)
    failing = [name for name in COLUMNS if wrong[name].any()]
    period = _reversed(frame) if not {"valid_from", "valid_to"} & set(failing) else None
    any_wrong = wrong.select(pl.any_horizontal(pl.all())).to_series()
    errors = _explain(frame, wrong, failing, how.errors_max)
    if period is not None and period.any():
        any_wrong = any_wrong | period
        errors += _reversed_errors(frame.filter(period), how.errors_max - len(errors))
    bad = frame.filter(any_wrong) if any_wrong.any() else frame.clear()
    good = frame.filter(~any_wrong) if any_wrong.any() else frame
    if how.mode != "patch":
        # A blank quantity break is the first one; a blank price unit keeps what the list says.
        good = good.with_columns(pl.col("min_quantity").fill_null("1"))
    return Checked(
        good.select(STAGED),
        _key_hashes(good),
        good["sku"].hash(_KEY_SEED),
        errors,
        bad,
        _unit_warnings(good, how.units),
    )


def _without_deletions(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """`#delete` becomes a blank cell and a bit (of the column's position) in `cleared`."""
    bits = [
        (pl.col(name) == DELETE).fill_null(value=False).cast(pl.Int32) * (1 << COLUMNS.index(name))
        for name in columns
    ]
    cleared = frame.select(pl.sum_horizontal(bits).alias("cleared"))["cleared"]
    if not cleared.max():
        return frame.with_columns(pl.lit(0, pl.Int32).alias("cleared"))
    optional = [name for name in columns if name not in REQUIRED]
    return frame.with_columns(
        cleared,
        *(
            pl.when(pl.col(name) == DELETE).then(None).otherwise(pl.col(name)).alias(name)
            for name in optional
        ),
    )


def _normal(name: str, decimal: str) -> pl.Expr:
    cell = pl.col(name)
    if name in DECIMAL_COLUMNS and decimal == ",":
        # With a comma as decimal mark a point can only group, which the check then refuses.
        return (
            pl.when(cell.str.contains(".", literal=True))
            .then(cell)
            .otherwise(cell.str.replace(",", ".", literal=True))
            .alias(name)
        )
    if name in ("currency", "incoterm"):
        return cell.str.to_uppercase()
    if name in ("valid_from", "valid_to"):
        dotted = cell.str.to_date("%d.%m.%Y", strict=False).cast(pl.String)
        return (
            pl.when(cell.str.contains(_DOTTED) & dotted.is_not_null())
            .then(dotted)
            .otherwise(cell)
            .alias(name)
        )
    return cell


def _wrong(name: str, mode: Mode) -> pl.Expr:
    cell = pl.col(name)
    required = name == "sku" or (name in REQUIRED and mode != "patch")
    if name in DECIMAL_COLUMNS:
        bad = ~cell.str.contains(_DECIMAL)
        if name != "price":
            bad = bad | cell.str.contains(r"^[0.]+$")
    elif name in ("valid_from", "valid_to"):
        day = cell.str.to_date("%Y-%m-%d", strict=False)
        bad = ~(
            cell.str.contains(_ISO) & day.is_not_null() & day.is_between(FIRST_DAY, LAST_DAY)
        ).fill_null(value=False)
        bad = cell.is_not_null() & bad
    elif name == "lead_time_days":
        days = cell.cast(pl.Int32, strict=False)
        bad = ~cell.str.contains(r"^[0-9]{1,4}$") | (days > LEAD_TIME_DAYS_MAX)
    elif name == "currency":
        bad = ~cell.str.contains(r"^[A-Z]{3}$")
    elif name == "incoterm":
        bad = ~cell.str.slice(0, 3).is_in(INCOTERMS) | cell.str.contains(_SUSPECT_TEXT)
        bad = bad | (cell.str.len_chars() > CELL_CHARS_MAX[name])
    else:
        bad = cell.str.contains(_SUSPECT_TEXT) | (cell.str.len_bytes() > CELL_CHARS_MAX[name])
        # Bytes are cheap to count and never fewer than characters; only the doubtful are counted.
        bad = bad & (
            cell.str.contains(_SUSPECT_TEXT) | (cell.str.len_chars() > CELL_CHARS_MAX[name])
        )
    if name in REQUIRED:
        bad = bad | (cell == DELETE)
    return bad.fill_null(value=required)


def _reversed(frame: pl.DataFrame) -> pl.Series:
    # ISO dates sort as texts.
    return frame.select(
        (pl.col("valid_to") < pl.col("valid_from")).fill_null(value=False)
    ).to_series()


def _reversed_errors(frame: pl.DataFrame, room: int) -> list[RowError]:
    rows = frame.head(max(room, 0)).select("row_no", "valid_to").iter_rows()
    message = MESSAGES["period_reversed"]
    return [RowError(row, "valid_to", "period_reversed", value, message) for row, value in rows]


def _explain(
    frame: pl.DataFrame, wrong: pl.DataFrame, failing: Iterable[str], room: int
) -> list[RowError]:
    errors: list[RowError] = []
    for name in failing:
        cells = frame.filter(wrong[name]).select("row_no", name, "cleared")
        bit = 1 << COLUMNS.index(name)
        for row, value, cleared in cells.head(max(room - len(errors), 0)).iter_rows():
            code = "cannot_delete" if cleared & bit else code_of(name, value)
            shown = None if value is None else value[:200]
            errors.append(RowError(row, name, code, shown, MESSAGES[code]))
    return errors


def _unit_warnings(good: pl.DataFrame, units: frozenset[str]) -> list[RowError]:
    if not units:
        return []
    strange = good.filter(~pl.col("unit").is_in(list(units))).unique("unit", keep="first")
    return [
        RowError(row, "unit", "unknown_unit", unit, MESSAGES["unknown_unit"], "warning")
        for row, unit in strange.head(100).select("row_no", "unit").iter_rows()
    ]


def _key_hashes(good: pl.DataFrame) -> pl.Series:
    """Equal for rows of one SKU, unit, currency and minimum quantity, however it is written: rows
    that share a hash are looked at exactly.
    """
    quantity = pl.col("min_quantity").cast(pl.Float64, strict=False)
    return good.select(pl.struct("sku", "unit", "currency", quantity).hash(_KEY_SEED)).to_series()
