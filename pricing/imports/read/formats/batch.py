"""What every reader hands on, and how a row is recognised in the next upload."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import polars as pl

from pricing.imports.check.cells import MESSAGES
from pricing.imports.check.checks import RowError
from pricing.imports.read.dialect import Dialect
from pricing.imports.read.known import KnownRows

MESSAGES_OF_ROWS = {
    "wrong_column_count": "The row has another number of cells than the header.",
    "malformed_quoting": "A quotation mark stands where none may stand.",
    "row_too_long": "The row is too long.",
    "nul_byte": "The row holds zero bytes.",
    "wrong_encoding": "The row holds bytes that are no text in the file's encoding.",
    "repeated_key": "The line names a column twice.",
    "malformed_json": "The line is no JSON object of plain values.",
}


class Reading(NamedTuple):
    """How a file is to be read.

    known     rows that the current version already holds, or None
    """

    dialect: Dialect
    seed: int
    known: KnownRows | None = None


class RawBatch(NamedTuple):
    """`frame` has `row_no`, `fingerprint` and the file's mapped columns as text.

    rows          rows read, good or bad, blank ones left out
    fingerprints  of every well-formed row, with `row_nos` beside, known ones included
    unchanged     how many of them are known and therefore not in `frame`
    rejects       row → what the file said, for the failed-rows file
    raw           row_no → the raw row, for rows in `frame` (a series by position)
    """

    frame: pl.DataFrame
    rows: int
    row_nos: pl.Series
    fingerprints: pl.Series
    unchanged: int
    errors: list[RowError]
    rejects: dict[int, Any]
    raw: pl.Series | None = None


def fingerprint_seed(mode: str, dialect: Dialect) -> int:
    """The same row text means the same price only when it is read in the same way. Where it stood
    does not matter.
    """
    place = Dialect(columns=dialect.columns, header=dialect.header)
    way = msgspec.structs.replace(place, delimiter=dialect.delimiter, decimal=dialect.decimal)
    told = msgspec.json.encode([pl.__version__, mode, way])
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "big") >> 1


def row_error(row: int, code: str, value: str | None = None) -> RowError:
    message = MESSAGES_OF_ROWS.get(code) or MESSAGES[code]
    return RowError(row, None, code, None if value is None else value[:200], message)


def frame_of(
    rows: list[dict[str, str | None]], row_nos: list[int], ours: list[str]
) -> pl.DataFrame:
    """Rows of cells as text columns."""
    columns: Mapping[str, list[str | None]] = {
        name: [row.get(name) for row in rows] for name in ours
    }
    return pl.DataFrame(
        {"row_no": row_nos, **columns},
        schema={"row_no": pl.Int32, **dict.fromkeys(ours, pl.String)},
    )


def cells_fingerprint(frame: pl.DataFrame, ours: list[str], seed: int) -> pl.Series:
    """The fingerprint of rows that have no text of their own."""
    told = pl.concat_str([pl.col(name).fill_null("") for name in ours], separator="\x1f")
    return frame.select(told.hash(seed).alias("fingerprint")).to_series()
