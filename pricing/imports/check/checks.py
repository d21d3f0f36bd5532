"""Check whole batches of cells at once: which rows are prices, and what is wrong with the rest.

A batch arrives as text columns; good rows leave as text that PostgreSQL reads as typed values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
import polars as pl

from marketplace.kernel import units
from marketplace.kernel.codes import currencies
from marketplace.kernel.decimals import Mark
from pricing.identifiers import damaged
from pricing.imports.check.cells import MESSAGES, code_of
from pricing.imports.columns import BIT_OF, BY_NAME, DECIMALS, NAMES, Column, Kind
from pricing.imports.rules import (
    DELETE,
    FIRST_DAY,
    HINTS,
    INCOTERMS,
    LAST_DAY,
    LEAD_TIME_DAYS_MAX,
    Mode,
)

STAGED = ("row_no", "fingerprint", *NAMES, "cleared")
"""Columns of a checked frame, in the order of the staging table."""

_DECIMAL: Mapping[Mark | None, str] = {
    ".": r"^[0-9]{1,12}(?:\.[0-9]{1,6})?$",
    ",": r"^[0-9]{1,12}(?:,[0-9]{1,6})?$",
    None: r"^[0-9]{1,12}(?:[.,][0-9]{1,6})?$",
}
"""By the decimal mark of the file; the other mark can only group, which is refused."""
_GROUP_OR_FRACTION = r"^[1-9][0-9]{0,2}[.,][0-9]{3}$"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DOTTED = r"^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}$"
# A sign at the beginning (`+5V regulator (TO-220)`, `-10`) is data; exports defuse what they write.
_SUSPECT_TEXT = r"^[=@\s]|\s$|[\x00-\x1f\x7f\x{85}\x{2028}\x{2029}]"
_SEEDS = (7, 11, 13, 17)
_SAMPLE_ROWS = 1_000


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
    blank: int


class Check(NamedTuple):
    columns: tuple[str, ...]
    """Of ours, those the file has."""
    decimal: Mark | None
    """The decimal mark of the file's typed numbers; None where they prove neither."""
    mode: Mode
    units: frozenset[str]
    """Codes of the unit lists."""
    errors_max: int
    digits_may_be_lost: bool = False
    """Whether numbers of more than 15 digits may have gone through a spreadsheet."""


def check(frame: pl.DataFrame, how: Check) -> Checked:
    """`frame` has `row_no`, `fingerprint` and text columns `how.columns`."""
    columns = {name: _look_at(BY_NAME[name], frame[name], how) for name in how.columns}
    if any(cells.altered for cells in columns.values()):
        frame = frame.with_columns(
            cells.text.alias(name) for name, cells in columns.items() if cells.altered
        )
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias(name) for name in NAMES if name not in how.columns
    )
    wrong = {name: cells.wrong for name, cells in columns.items() if cells.wrong is not None}
    cleared = [cells.cleared for cells in columns.values() if cells.cleared is not None]
    frame = frame.with_columns(
        pl.sum_horizontal(cleared).alias("cleared")
        if cleared
        else pl.lit(0, pl.Int32).alias("cleared")
    )
    rows = len(frame)
    frame, wrong = _without_blank(frame, wrong, how)
    errors = _explain(frame, wrong, how)
    if frame["valid_to"].null_count() < len(frame):
        period = _reversed(frame)
        for name in {"valid_from", "valid_to"} & set(wrong):
            # What is no date was named already, and is not compared.
            period &= ~wrong[name].fill_null(value=True)
        if period.any():
            wrong["period"] = period
            errors += _reversed_errors(frame.filter(period), how.errors_max - len(errors))
    good, bad = frame, frame.clear()
    if wrong:
        any_wrong = pl.DataFrame(wrong).select(pl.any_horizontal(pl.all())).to_series()
        good, bad = frame.filter(~any_wrong), frame.filter(any_wrong)
    good = _with_points(good, how)
    if how.mode != "patch":
        # A blank quantity break is the first one; a blank price unit keeps what the list says.
        good = good.with_columns(pl.col("min_quantity").fill_null(BY_NAME["min_quantity"].default))
    skus = good["sku"].hash(_SEEDS[0])
    return Checked(
        good.select(STAGED),
        _key_hashes(good, skus),
        skus,
        errors,
        bad,
        rows - len(frame),
    )


class _Cells(NamedTuple):
    """One column after the look at it: `wrong` None when every cell is right."""

    text: pl.Series
    altered: bool
    wrong: pl.Series | None
    cleared: pl.Series | None


def _look_at(column: Column, cells: pl.Series, how: Check) -> _Cells:
    """Most columns of most files are right as they stand, and many hold few different values; so
    look at those first, and tidy up only where something is wrong.
    """
    sample = cells.head(_SAMPLE_ROWS)
    values = cells.unique() if sample.n_unique() * 8 < len(sample) else cells
    if not _flaws(column, values, how).any():
        return _Cells(cells, altered=False, wrong=None, cleared=None)
    text = cells.str.strip_chars()
    text = text.set(text == "", None)
    cleared = None
    if not column.required:
        deleted = (text == DELETE).fill_null(value=False)
        if deleted.any():
            cleared = deleted.cast(pl.Int32) * BIT_OF[column.name]
            text = text.set(deleted, None)
    text = _normal(column.kind, text)
    wrong = _flaws(column, text, how)
    return _Cells(text, altered=True, wrong=wrong if wrong.any() else None, cleared=cleared)


def _codes(text: pl.Series) -> pl.Series:
    """Units as people write them (`Stk`, `шт`, `c62`) as codes; what means none stays."""
    codes = {word: units.code_of(word) for word in text.unique().drop_nulls()}
    return text.replace({word: code for word, code in codes.items() if code})


def _flaws(column: Column, cells: pl.Series, how: Check) -> pl.Series:
    wrong = cells.to_frame(column.name).select(_wrong(column, how)).to_series()
    if column.kind is not Kind.ARTICLE:
        return wrong
    return wrong | damaged(cells, digits_may_be_lost=how.digits_may_be_lost)


def _without_blank(
    frame: pl.DataFrame, wrong: dict[str, pl.Series], how: Check
) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Rows of nothing but blank cells are no rows; only a file with empty SKUs can have them."""
    if not frame["sku"].null_count():
        return frame, wrong
    blank = frame.select(
        pl.all_horizontal(pl.col(name).is_null() for name in how.columns)
    ).to_series()
    kept = {name: flaws.filter(~blank) for name, flaws in wrong.items()}
    return frame.filter(~blank), {name: flaws for name, flaws in kept.items() if flaws.any()}


def _normal(kind: Kind, text: pl.Series) -> pl.Series:
    """Other spellings that mean the same."""
    if kind is Kind.UNIT:
        return _codes(text)
    if kind in (Kind.CURRENCY, Kind.INCOTERM):
        return text.str.to_uppercase()
    if kind is Kind.DATE:
        dotted = text.str.to_date("%d.%m.%Y", strict=False).cast(pl.String)
        return text.zip_with(~(text.str.contains(_DOTTED) & dotted.is_not_null()), dotted)
    return text


def _with_points(good: pl.DataFrame, how: Check) -> pl.DataFrame:
    """Numbers as PostgreSQL reads them. Until here cells are as written, for the report."""
    if how.decimal == ".":
        return good
    numbers = [name for name in DECIMALS if name in how.columns]
    return good.with_columns(pl.col(numbers).str.replace(",", ".", literal=True))


def _wrong(column: Column, how: Check) -> pl.Expr:
    cell = pl.col(column.name)
    bad = _WRONG[column.kind](cell, column, how)
    required = column.required and (how.mode != "patch" or column.name == "sku")
    return (bad | (cell == "") | (cell == DELETE)).fill_null(value=required)


def _wrong_decimal(cell: pl.Expr, column: Column, how: Check) -> pl.Expr:
    bad = ~cell.str.contains(_DECIMAL[how.decimal])
    if how.decimal is None:
        bad = bad | cell.str.contains(_GROUP_OR_FRACTION)
    return bad if column.zero else bad | cell.str.contains(r"^[0.,]+$")


def _wrong_date(cell: pl.Expr, _: Column, __: Check) -> pl.Expr:
    day = cell.str.to_date("%Y-%m-%d", strict=False)
    right = cell.str.contains(_ISO) & day.is_not_null() & day.is_between(FIRST_DAY, LAST_DAY)
    return cell.is_not_null() & ~right.fill_null(value=False)


def _wrong_days(cell: pl.Expr, _: Column, __: Check) -> pl.Expr:
    days = cell.cast(pl.Int32, strict=False)
    return ~cell.str.contains(r"^[0-9]{1,4}$") | (days > LEAD_TIME_DAYS_MAX)


def _wrong_currency(cell: pl.Expr, _: Column, __: Check) -> pl.Expr:
    return ~cell.is_in(list(currencies()))


def _wrong_unit(cell: pl.Expr, _: Column, how: Check) -> pl.Expr:
    return ~cell.is_in(list(how.units))


def _wrong_text(cell: pl.Expr, column: Column, _: Check) -> pl.Expr:
    longest = column.chars_max
    # Bytes are cheap to count and never fewer than characters.
    long = (cell.str.len_bytes() > longest) & (cell.str.len_chars() > longest)
    return cell.str.contains(_SUSPECT_TEXT) | long


def _wrong_incoterm(cell: pl.Expr, column: Column, how: Check) -> pl.Expr:
    return ~cell.str.slice(0, 3).is_in(INCOTERMS) | _wrong_text(cell, column, how)


_WRONG: Mapping[Kind, Callable[[pl.Expr, Column, Check], pl.Expr]] = {
    Kind.ARTICLE: _wrong_text,
    Kind.TEXT: _wrong_text,
    Kind.UNIT: _wrong_unit,
    Kind.CURRENCY: _wrong_currency,
    Kind.DECIMAL: _wrong_decimal,
    Kind.DATE: _wrong_date,
    Kind.DAYS: _wrong_days,
    Kind.INCOTERM: _wrong_incoterm,
}


def _reversed(frame: pl.DataFrame) -> pl.Series:
    # ISO dates sort as texts.
    return frame.select(
        (pl.col("valid_to") < pl.col("valid_from")).fill_null(value=False)
    ).to_series()


def _reversed_errors(frame: pl.DataFrame, room: int) -> list[RowError]:
    rows = frame.head(max(room, 0)).select("row_no", "valid_to").iter_rows()
    message = MESSAGES["period_reversed"]
    return [RowError(row, "valid_to", "period_reversed", value, message) for row, value in rows]


def _explain(frame: pl.DataFrame, wrong: Mapping[str, pl.Series], how: Check) -> list[RowError]:
    errors: list[RowError] = []
    for name, flaws in wrong.items():
        cells = frame.filter(flaws).select("row_no", name, "cleared")
        bit = BIT_OF[name]
        for row, value, cleared in cells.head(max(how.errors_max - len(errors), 0)).iter_rows():
            code = "cannot_delete" if cleared & bit else code_of(BY_NAME[name], value, how.decimal)
            shown = None if value is None else value[:200]
            errors.append(RowError(row, name, code, shown, MESSAGES[code]))
    return errors


def _key_hashes(good: pl.DataFrame, skus: pl.Series) -> pl.Series:
    """Equal for rows of one SKU, unit, currency and minimum quantity, however it is written: rows
    that share a hash are looked at exactly.
    """
    # A patch leaves it blank where it means any line, or the first one of a new SKU.
    quantity = pl.col("min_quantity").cast(pl.Float64, strict=False).fill_null(1.0)
    parts = [pl.col("unit"), pl.col("currency"), quantity]
    mixed = sum((part.hash(seed) for part, seed in zip(parts, _SEEDS[1:], strict=True)), skus)
    return good.select(mixed.alias("key")).to_series()
