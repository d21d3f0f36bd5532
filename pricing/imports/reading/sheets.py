"""XLSX: the archive is measured entry by entry before a spreadsheet library may open it."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine as calamine

from marketplace.kernel.decimals import Mark, typed_text
from pricing.imports.cells import MESSAGES
from pricing.imports.checks import RowError
from pricing.imports.dialect import Unreadable
from pricing.imports.reading.batch import RawBatch, Reading, cells_fingerprint, frame_of
from pricing.imports.reading.sieve import Gathering
from pricing.imports.rules import (
    ARCHIVE_ENTRIES_MAX,
    COLUMNS_MAX,
    DECIMAL_COLUMNS,
    SHEET_BYTES_MAX,
    SHEET_ROWS_MAX,
    UNPACKED_RATIO_MAX,
)

BATCH_ROWS = 20_000
SAMPLE_ROWS = 5_000
"""Rows whose numbers may prove the decimal mark: a few milliseconds of reading."""
FORMULAS_KEPT_MAX = 10_000
_PIECE_BYTES = 1 << 20
_RATIO_FROM_BYTES = 16 << 20
_FORMULA = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]{0,200}><f[ >/]')
_OVERLAP_BYTES = 512
_CELL_ENDS = re.compile(rb"</(?:\w+:)?(?:c|si)>")
_TEXT_BEGINS = re.compile(rb"<(?:\w+:)?t[ >]")


class Sheet:
    """The first sheet of a workbook that has passed the measure. Raises Unreadable."""

    def __init__(self, path: Path) -> None:
        self.formulas = measured(path)
        try:
            workbook = calamine.CalamineWorkbook.from_path(str(path))
            self._sheet = workbook.get_sheet_by_index(0)
        except (calamine.CalamineError, IndexError, OSError) as wrong:
            raise Unreadable("broken_xlsx", "The file is no readable XLSX workbook.") from wrong
        if self._sheet.total_height > SHEET_ROWS_MAX:
            raise Unreadable(
                "too_many_rows",
                f"A sheet has at most {SHEET_ROWS_MAX:,} rows here; use CSV or Parquet for more.",
            )
        if self._sheet.total_width > COLUMNS_MAX:
            raise Unreadable("too_many_columns", f"A sheet has at most {COLUMNS_MAX} columns.")
        self._offset = (self._sheet.start or (0, 0))[0]
        self._rows: Iterator[list[Any]] = self._sheet.iter_rows()
        self._place = self._offset

    def header(self) -> tuple[str, ...]:
        """The first row that is not blank."""
        for cells in self._rows:
            self._place += 1
            if any(cell != "" for cell in cells):
                return tuple(cell_text(cell) or "" for cell in cells)
        raise Unreadable("empty_file", "The first sheet is empty.")

    def numbers(self, columns: Mapping[str, str], header: Sequence[str]) -> Iterator[str]:
        """Numbers that are written as text, in the decimal columns of the first rows."""
        first = list(islice(self._rows, SAMPLE_ROWS))
        self._rows = chain(first, self._rows)
        places = [n for n, name in enumerate(header) if columns.get(name) in DECIMAL_COLUMNS]
        for row in first:
            yield from (row[n] for n in places if n < len(row) and isinstance(row[n], str))

    def batches(self, reading: Reading) -> Iterator[RawBatch]:
        """Batches of at most BATCH_ROWS; row numbers are those of the sheet."""
        ours = sorted(reading.dialect.columns.values())
        names = [reading.dialect.columns.get(name) for name in reading.dialect.header]
        columns = {n: name for n, name in enumerate(names) if name is not None}
        gathering = Gathering(reading.known)
        rows = list(islice(self._rows, BATCH_ROWS))
        while rows:
            first = self._place + 1
            self._place += len(rows)
            following = list(islice(self._rows, 1))
            frame, errors, rejects = self._taken(rows, first, columns, reading.dialect.decimal)
            frame = frame.with_columns(cells_fingerprint(frame, ours, reading.seed))
            batch = gathering.take(frame, errors, rejects, last=not following)
            if batch is not None:
                yield batch
            rows = following + list(islice(self._rows, BATCH_ROWS - 1)) if following else []

    def _taken(
        self,
        rows: list[list[Any]],
        first: int,
        columns: dict[int, str],
        decimal: Mark | None,
    ) -> tuple[pl.DataFrame, list[RowError], dict[int, Any]]:
        """Rows as text columns, and what is wrong with the others."""
        cells: list[dict[str, str | None]] = []
        row_nos: list[int] = []
        errors: list[RowError] = []
        rejects: dict[int, Any] = {}
        for number, row in enumerate(rows, first):
            texts = {
                name: _cell(name, row[n], decimal) for n, name in columns.items() if n < len(row)
            }
            if not any(texts.values()):
                continue
            formula = next((n for n in self.formulas.get(number, ()) if n in columns), None)
            if formula is not None:
                name = columns[formula]
                errors.append(
                    RowError(number, name, "formula", texts.get(name), MESSAGES["formula"])
                )
                rejects[number] = {"cells": texts}
                continue
            cells.append(texts)
            row_nos.append(number)
        return frame_of(cells, row_nos, sorted(columns.values())), errors, rejects


def measured(path: Path) -> dict[int, list[int]]:
    """Inflate every entry once, keeping nothing, and return where the first sheets hold formulas
    (row → columns, from 0). The sizes an archive declares are its author's claim, so they are
    counted. Raises Unreadable.
    """
    formulas: dict[int, list[int]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > ARCHIVE_ENTRIES_MAX:
                raise Unreadable("too_many_entries", "The workbook holds too many parts.")
            names = [entry.filename for entry in entries]
            if "xl/workbook.xml" not in names:
                raise Unreadable("broken_xlsx", "The file is no readable XLSX workbook.")
            if "xl/vbaProject.bin" in names:
                raise Unreadable("macros", "Workbooks with macros are not taken.")
            if sum(entry.file_size for entry in entries) > SHEET_BYTES_MAX:
                raise _too_large()
            first = min((n for n in names if n.startswith("xl/worksheets/sheet")), default=None)
            total = 0
            for entry in entries:
                total += _inflate(archive, entry, formulas if entry.filename == first else None)
                if total > SHEET_BYTES_MAX:
                    raise _too_large()
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError) as wrong:
        raise Unreadable("broken_xlsx", "The file is no readable XLSX workbook.") from wrong
    return formulas


def _inflate(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, formulas: dict[int, list[int]] | None
) -> int:
    size, tail, kept, has_huge_cell = 0, b"", 0, False
    with archive.open(entry) as part:
        while piece := part.read(_PIECE_BYTES):
            size += len(piece)
            packed = max(entry.compress_size, 1)
            if size > SHEET_BYTES_MAX or (
                size > _RATIO_FROM_BYTES and size > packed * UNPACKED_RATIO_MAX
            ):
                raise _too_large()
            if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                raise Unreadable("broken_xlsx", "The workbook declares entities.")
            if len(piece) == _PIECE_BYTES and _is_inside_a_cell(entry.filename, piece):
                has_huge_cell = True
            if formulas is None:
                continue
            window = tail + piece
            for match in _FORMULA.finditer(window):
                row, column = int(match.group(2)), _column(match.group(1))
                if kept < FORMULAS_KEPT_MAX and column not in formulas.setdefault(row, []):
                    formulas[row].append(column)
                    kept += 1
            if kept >= FORMULAS_KEPT_MAX:
                raise Unreadable("formula", "The sheet is full of formulas; export values.")
            tail = window[-_OVERLAP_BYTES:]
    if has_huge_cell:
        # Only now: of a whole archive that explodes the more telling limit is named.
        raise Unreadable("cell_too_long", "A cell is longer than a workbook may hold.")
    return size


def _is_inside_a_cell(part: str, piece: bytes) -> bool:
    """Whether nothing of a mebibyte but the text of one cell is to be seen: a workbook allows
    32,767 characters, and the library would hold five times what it finds.
    """
    if not part.lower().startswith(("xl/worksheets/", "xl/sharedstrings")):
        return False
    if _CELL_ENDS.search(piece):
        return False
    return b"<" not in piece or _TEXT_BEGINS.search(piece) is not None


def _too_large() -> Unreadable:
    return Unreadable(
        "unpacked_too_large",
        f"Unpacked it is larger than {SHEET_BYTES_MAX >> 20} MiB, or more than "
        f"{UNPACKED_RATIO_MAX} times its packed size.",
    )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _cell(name: str, cell: Any, decimal: Mark | None) -> str | None:
    """A number of the spreadsheet has one reading, in whatever way its texts are written."""
    text = cell_text(cell)
    if text is None or name not in DECIMAL_COLUMNS or isinstance(cell, str):
        return text
    return typed_text(text, decimal)


def cell_text(cell: Any) -> str | None:
    """What a person would have written into a text file; blank is None."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        # A spreadsheet keeps 15 significant digits; more is noise of the binary form.
        text = f"{cell:.15g}"
        return f"{cell:.9f}".rstrip("0") if "e-" in text else text
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, (date, time, timedelta)):
        return str(cell)
    return str(cell)
