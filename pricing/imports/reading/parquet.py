"""Parquet, a slice of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from marketplace.kernel.decimals import Mark
from pricing.imports.dialect import Dialect, Unreadable
from pricing.imports.reading.batch import RawBatch, Reading, cells_fingerprint
from pricing.imports.reading.sieve import Gathering
from pricing.imports.rules import DECIMAL_COLUMNS, ROW_BYTES_MAX, ROWS_MAX

BATCH_ROWS = 50_000
SAMPLE_ROWS = 5_000
"""Rows whose numbers may prove the decimal mark."""
_PLAIN = (pl.String, pl.Date, pl.Boolean, pl.Categorical, pl.Decimal)


def parquet_header(path: Path) -> tuple[str, ...]:
    """Column names. Raises Unreadable for what is no Parquet file or has too many rows."""
    try:
        schema = pl.read_parquet_schema(path)
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as wrong:
        raise Unreadable("broken_parquet", "The file is no readable Parquet file.") from wrong
    if rows > ROWS_MAX:
        raise Unreadable("too_many_rows", f"A file has at most {ROWS_MAX:,} rows.")
    return tuple(schema)


def parquet_batches(path: Path, reading: Reading) -> Iterator[RawBatch]:
    """Batches of at most BATCH_ROWS; row numbers begin at 1. Raises Unreadable."""
    dialect = reading.dialect
    ours = sorted(dialect.columns.values())
    scan = pl.scan_parquet(path).select(_as_text(dialect, pl.read_parquet_schema(path)))
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    gathering = Gathering(reading.known)
    for offset in range(0, rows, BATCH_ROWS):
        try:
            frame = scan.slice(offset, BATCH_ROWS).collect()
        except pl.exceptions.PolarsError as wrong:
            raise Unreadable("broken_parquet", "The Parquet file is damaged.") from wrong
        row_nos = pl.int_range(offset + 1, offset + 1 + len(frame), dtype=pl.Int32, eager=True)
        frame = frame.with_columns(row_nos.alias("row_no"))
        frame = frame.with_columns(cells_fingerprint(frame, ours, reading.seed))
        batch = gathering.take(frame, [], {}, last=offset + BATCH_ROWS >= rows)
        if batch is not None:
            yield batch


def _as_text(dialect: Dialect, schema: dict[str, pl.DataType] | pl.Schema) -> list[pl.Expr]:
    """Our columns as text. Cells beyond any sense are cut before they are copied about."""
    columns = []
    for name, ours in dialect.columns.items():
        kind = schema[name]
        cell = pl.col(name)
        if kind.is_nested() or kind == pl.Binary:
            raise Unreadable(
                "nested_column", f"The column {name[:40]!r} is no plain text or number."
            )
        if kind == pl.String:
            cell = (
                pl.when(cell.str.len_bytes() <= ROW_BYTES_MAX).then(cell).otherwise(pl.lit("\x01"))
            )
        elif kind.is_float():
            # 15 significant digits are what a double keeps; NaN and infinity stay words.
            cell = cell.map_elements(_float_text, return_dtype=pl.String)
        elif isinstance(kind, pl.Datetime):
            cell = cell.cast(pl.Date).cast(pl.String)
        else:
            cell = cell.cast(pl.String)
        if kind.is_numeric() and ours in DECIMAL_COLUMNS:
            cell = _typed(cell, dialect.decimal)
        columns.append(cell.alias(ours))
    return columns


def parquet_numbers(path: Path, columns: Mapping[str, str]) -> Iterator[str]:
    """Numbers that are stored as text, in the decimal columns of the first rows."""
    schema = pl.read_parquet_schema(path)
    texts = [
        name
        for name, ours in columns.items()
        if ours in DECIMAL_COLUMNS and schema[name] == pl.String
    ]
    try:
        frame = pl.scan_parquet(path).select(texts).head(SAMPLE_ROWS).collect()
    except pl.exceptions.PolarsError as wrong:
        raise Unreadable("broken_parquet", "The Parquet file is damaged.") from wrong
    for name in texts:
        yield from frame[name].drop_nulls()


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
