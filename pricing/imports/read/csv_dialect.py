"""How a CSV is written: its delimiter and its header, from its first bytes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from pricing.imports.columns import DECIMALS
from pricing.imports.read.dialect import SAMPLE_BYTES, Dialect, Unreadable, header_hash
from pricing.imports.read.encodings import Beginning
from pricing.imports.read.formats.records import Records
from pricing.imports.read.headers import Mappings, header_name, header_place, known_columns
from pricing.imports.rules import HEADER_ROWS_MAX, ReadingOptions

DELIMITERS = (",", ";", "\t", "|")
_LINES_MAX = 5_000
"""Of a sample: the first HEADER_ROWS_MAX records, however many lines their cells span."""
_SEPARATOR_LINE = re.compile(r"sep=(.)(?:\r\n|\r|\n)", re.I)
_FIXED = (b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0", b"%PDF")


class Table(NamedTuple):
    """The first records as one delimiter divides them."""

    delimiter: str
    rows: list[tuple[str, ...]]


class Sample(NamedTuple):
    """`skip_bytes`: a byte order mark, and a line that only names the delimiter."""

    encoding: Beginning
    skip_bytes: int
    tables: list[Table]

    def headers(self) -> Iterator[tuple[str, ...]]:
        """Every row that may be the header."""
        return (row for table in self.tables for row in table.rows if any(row))


def take_sample(
    first: bytes,
    encoding: Beginning,
    *,
    whole: bool,
    given: ReadingOptions,
    remembered: ReadingOptions,
) -> Sample:
    """The beginning of a file as each possible delimiter divides it. Raises Unreadable for what is
    no text table.
    """
    if first.startswith(_FIXED) or first[:2] == b"\x1f\x8b":
        raise Unreadable("not_csv", "This is a packed or binary file; name its format.")
    whole = whole and len(first) <= SAMPLE_BYTES
    skip = encoding.bom_bytes
    usual = dict.fromkeys((remembered.delimiter or ",", *DELIMITERS))
    signs = (given.delimiter,) if given.delimiter else tuple(usual)
    decoder = codecs.getincrementaldecoder(encoding.encoding)("replace")
    text = decoder.decode(first[skip:SAMPLE_BYTES], whole)
    if match := _SEPARATOR_LINE.match(text):
        skip += len(match.group().encode(encoding.encoding))
        text = text[match.end() :]
        signs = signs if given.delimiter else (match.group(1),)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    full = lines if whole or len(lines) == 1 else lines[:-1]
    head = next((line for line in full if line.strip()), "")
    if not head:
        raise Unreadable("empty_file", "The file is empty.")
    if "\x00" in head:
        raise Unreadable("nul_byte", "The header holds zero bytes; this is no text file.")
    return Sample(encoding, skip, [_table(full[:_LINES_MAX], sign) for sign in signs])


def dialect_of(
    sample: Sample,
    given: ReadingOptions,
    remembered: Mappings,
    *,
    patch: bool,
    usual_row: int | None,
) -> Dialect:
    """The delimiter under which the header names most of our columns. Raises Unreadable."""
    best: tuple[tuple[int, int, int], Table, int] | None = None
    for table in sample.tables:
        chosen = [given.columns or remembered.get(header_hash(row)) for row in table.rows]
        place = header_place(
            table.rows, chosen, header_row=given.header_row, usual_row=usual_row, patch=patch
        )
        header = table.rows[place]
        like = sum(1 for row in table.rows[place:] if len(row) == len(header))
        known = known_columns(header, chosen[place])
        score = (len(known), like if len(header) > 1 else 0, len(header))
        if best is None or score > best[0]:
            best = score, table, place
    assert best is not None, "there is no delimiter"
    _, table, place = best
    return Dialect(
        encoding=sample.encoding.encoding,
        assumed_utf8=not sample.encoding.proven,
        bom_bytes=sample.skip_bytes,
        delimiter=table.delimiter,
        header=table.rows[place],
        header_row=place + 1,
    )


def _table(lines: Sequence[str], delimiter: str) -> Table:
    records, _ = Records(delimiter).join(pl.Series("raw", lines, pl.String), last=False)
    rows = [_cells(record, delimiter) for record in records.head(HEADER_ROWS_MAX)]
    return Table(delimiter, rows or [_cells(lines[0], delimiter)])


def _cells(record: str, delimiter: str) -> tuple[str, ...]:
    try:
        cells = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    except csv.Error:  # a cell longer than the reader takes: no header
        cells = [record[:100]]
    return tuple(header_name(cell) for cell in cells)


def csv_numbers(sample: bytes, dialect: Dialect) -> Iterator[str]:
    """What stands in the decimal columns of a CSV's first bytes. A row that is cut off or broken
    proves nothing and may be among them.
    """
    text = sample[dialect.bom_bytes :].decode(dialect.encoding, "replace")
    names = [dialect.columns.get(name) for name in dialect.header]
    places = [place for place, name in enumerate(names) if name in DECIMALS]
    lines = io.StringIO(text.replace("\x00", ""), newline="")
    rows = csv.reader(lines, delimiter=dialect.delimiter)
    try:
        for cells in rows:
            yield from (cells[place] for place in places if place < len(cells))
    except csv.Error:  # a cell longer than the reader takes
        return
