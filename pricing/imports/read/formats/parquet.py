"""Parquet, as many rows at a time as unpack to a bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from marketplace.kernel.decimals import Mark
from pricing.imports.columns import BY_NAME, DECIMALS
from pricing.imports.read.dialect import Dialect, Unreadable
from pricing.imports.read.formats.batch import RawBatch, Reading, cells_fingerprint
from pricing.imports.read.formats.parquet_pages import Unpacked, require_footer
from pricing.imports.read.formats.sieve import Gathering
from pricing.imports.rules import ROWS_MAX

BATCH_ROWS = 50_000
SAMPLE_ROWS = 5_000
"""Rows whose numbers may prove the decimal mark."""


class ParquetTable:
    """Raises Unreadable for what is no Parquet file or has too many rows. Pages are measured before
    they are unpacked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        require_footer(path)
        with _readable():
            self._schema = pl.read_parquet_schema(path)
            rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        if rows > ROWS_MAX:
            raise Unreadable("too_many_rows", f"A file has at most {ROWS_MAX:,} rows.")
        self.header = tuple(self._schema)

    def numbers(self, columns: Mapping[str, str]) -> Iterator[str]:
        """Numbers that are stored as text, in the decimal columns of the first rows."""
        texts = [
            name
            for name, ours in columns.items()
            if ours in DECIMALS and self._schema[name] == pl.String
        ]
        for first, rows in Unpacked(self._path, texts).spans(SAMPLE_ROWS):
            with _readable():
                frame = pl.scan_parquet(self._path).select(texts).slice(first, rows).collect()
            for name in texts:
                yield from frame[name].drop_nulls()
            return

    def batches(self, reading: Reading) -> Iterator[RawBatch]:
        """Batches of at most BATCH_ROWS; row numbers begin at 1."""
        dialect = reading.dialect
        ours = sorted(dialect.columns.values())
        scan = pl.scan_parquet(self._path).select(self._as_text(dialect))
        unpacked = Unpacked(self._path, dialect.columns)
        gathering = Gathering(reading.known)
        for first, rows in unpacked.spans(BATCH_ROWS):
            with _readable():
                frame = scan.slice(first, rows).collect()
            row_nos = pl.int_range(first + 1, first + 1 + rows, dtype=pl.Int32, eager=True)
            frame = frame.with_columns(row_nos.alias("row_no"))
            frame = frame.with_columns(cells_fingerprint(frame, ours, reading.seed))
            batch = gathering.take(frame, [], {}, last=first + rows >= unpacked.rows)
            if batch is not None:
                yield batch

    def _as_text(self, dialect: Dialect) -> list[pl.Expr]:
        """Our columns as text. What is too long anyway is cut before it is copied about."""
        columns = []
        for name, ours in dialect.columns.items():
            kind = self._schema[name]
            cell = pl.col(name)
            if kind.is_nested() or kind == pl.Binary:
                raise Unreadable(
                    "nested_column", f"The column {name[:40]!r} is no plain text or number."
                )
            if kind.is_float():
                # 15 significant digits are what a double keeps; NaN and infinity stay words.
                cell = cell.map_elements(_float_text, return_dtype=pl.String)
            elif isinstance(kind, pl.Datetime):
                cell = cell.cast(pl.Date).cast(pl.String)
            else:
                # A beginning of a text holds on to the whole of it; a new text does not.
                cell = cell.cast(pl.String).str.head(BY_NAME[ours].chars_max + 1) + ""
            if kind.is_numeric() and ours in DECIMALS:
                cell = _typed(cell, dialect.decimal)
            columns.append(cell.alias(ours))
        return columns


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as wrong:
        raise Unreadable("broken_parquet", "The file is no readable Parquet file.") from wrong


def _typed(cell: pl.Expr, decimal: Mark | None) -> pl.Expr:
    """`typed_text` for a whole column."""
    if decimal == ",":
        return cell.str.replace(".", ",", literal=True)
    if decimal is None:
        either = cell.str.contains(r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$")
        return pl.when(either).then(pl.concat_str(cell, pl.lit("0"))).otherwise(cell)
    return cell


def _float_text(value: float) -> str:
    text = f"{value:.15g}"
    return f"{value:.6f}".rstrip("0").rstrip(".") if "e-" in text else text
