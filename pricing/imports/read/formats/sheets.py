"""XLSX: the sheet people see first, in rows of typed cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine as calamine

from marketplace.kernel.decimals import Mark, typed_text
from pricing.imports.check.cells import MESSAGES
from pricing.imports.check.checks import RowError
from pricing.imports.columns import ARTICLE_NUMBERS, DECIMALS
from pricing.imports.read.dialect import Dialect, Unreadable, header_hash
from pricing.imports.read.formats.batch import RawBatch, Reading, cells_fingerprint, frame_of
from pricing.imports.read.formats.sieve import Gathering
from pricing.imports.read.formats.workbook import formula_cells, measure, require_bounded
from pricing.imports.read.headers import Mappings, header_name, header_place
from pricing.imports.rules import (
    COLUMNS_MAX,
    HEADER_ROWS_MAX,
    SHEET_ROWS_MAX,
    ReadingOptions,
)

BATCH_ROWS = 20_000
SAMPLE_ROWS = 5_000
"""Rows whose numbers may prove the decimal mark: a few milliseconds of reading."""
SHEETS_NAMED_MAX = 20
_TIMES = (date, time, timedelta)


class Sheet:
    """The first visible sheet in the order of the tabs, or the one that is `wanted`, of a workbook
    that has passed the measure; an earlier choice, `remembered`, counts if that sheet is there.
    Raises Unreadable.
    """

    def __init__(self, path: Path, *, wanted: str | None, remembered: str | None) -> None:
        measured = measure(path)
        try:
            workbook = calamine.CalamineWorkbook.from_path(str(path))
            self.name, self.visible = _chosen(workbook, wanted, remembered)
            require_bounded(path, self.name, measured)
            self._sheet = workbook.get_sheet_by_name(self.name)
        except (calamine.CalamineError, OSError) as wrong:
            raise Unreadable("broken_xlsx", "The file is no readable XLSX workbook.") from wrong
        if self._sheet.total_height > SHEET_ROWS_MAX:
            raise Unreadable(
                "too_many_rows",
                f"A sheet has at most {SHEET_ROWS_MAX:,} rows here; use CSV or Parquet for more.",
            )
        if self._sheet.total_width > COLUMNS_MAX:
            raise Unreadable("too_many_columns", f"A sheet has at most {COLUMNS_MAX} columns.")
        # Rows come from the first one on, cells from the first column that is used.
        _, first_column = self._sheet.start or (0, 0)
        self.formulas = formula_cells(path, self.name, measured, first_column=first_column)
        self._rows: Iterator[list[Any]] = self._sheet.iter_rows()
        self._place = 0
        self._first = list(islice(self._rows, HEADER_ROWS_MAX))

    def headers(self) -> list[tuple[str, ...]]:
        """Every row that may be the header."""
        return [tuple(header_name(cell_text(cell) or "") for cell in row) for row in self._first]

    def dialect(
        self,
        given: ReadingOptions,
        remembered: Mappings,
        *,
        patch: bool,
        usual_row: int | None,
    ) -> Dialect:
        """The header, found or named; what follows it are the rows."""
        rows = self.headers()
        chosen = [given.columns or remembered.get(header_hash(row)) for row in rows]
        try:
            place = header_place(
                rows, chosen, header_row=given.header_row, usual_row=usual_row, patch=patch
            )
        except Unreadable as wrong:
            wrong.dialect = Dialect(sheet=self.name, sheets=self.visible)
            raise
        self._place = place + 1
        self._rows = chain(self._first[place + 1 :], self._rows)
        self._first = []
        return Dialect(
            header=rows[place],
            header_row=self._place,
            sheet=self.name,
            sheets=self.visible,
        )

    def numbers(self, columns: Mapping[str, str], header: Sequence[str]) -> Iterator[str]:
        """Numbers that are written as text, in the decimal columns of the first rows."""
        first = list(islice(self._rows, SAMPLE_ROWS))
        self._rows = chain(first, self._rows)
        places = [n for n, name in enumerate(header) if columns.get(name) in DECIMALS]
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
            fault = self._fault(number, row, columns)
            if fault is not None:
                name, code = fault
                errors.append(RowError(number, name, code, texts.get(name), MESSAGES[code]))
                rejects[number] = {"cells": texts}
                continue
            cells.append(texts)
            row_nos.append(number)
        return frame_of(cells, row_nos, sorted(columns.values())), errors, rejects

    def _fault(
        self, number: int, row: list[Any], columns: dict[int, str]
    ) -> tuple[str, str] | None:
        """(our column, code) of what only the typed cells of a row tell."""
        for place in self.formulas.get(number, ()):
            if place in columns:
                return columns[place], "formula"
        for place, name in columns.items():
            if name in ARTICLE_NUMBERS and place < len(row) and isinstance(row[place], _TIMES):
                return name, "damaged_sku"
        return None


def _chosen(
    workbook: calamine.CalamineWorkbook, wanted: str | None, remembered: str | None
) -> tuple[str, tuple[str, ...]]:
    """The sheet to read, and all that can be seen. A hidden one is read when it is named."""
    tables = [
        sheet for sheet in workbook.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    visible = tuple(
        sheet.name for sheet in tables if sheet.visible == calamine.SheetVisibleEnum.Visible
    )[:SHEETS_NAMED_MAX]
    if wanted is not None:
        if wanted in {sheet.name for sheet in tables}:
            return wanted, visible
        shown = ", ".join(repr(name[:40]) for name in visible)
        wrong = Unreadable("no_such_sheet", f"There is no sheet {wanted!r}; there are {shown}.")
        wrong.dialect = Dialect(sheets=visible)
        raise wrong
    if not visible:
        raise Unreadable("no_visible_sheet", "Every sheet of the workbook is hidden; name one.")
    return (remembered if remembered in visible else visible[0]), visible


def _cell(name: str, cell: Any, decimal: Mark | None) -> str | None:
    """A number of the spreadsheet has one reading, in whatever way its texts are written."""
    text = cell_text(cell)
    if text is None or name not in DECIMALS or isinstance(cell, str):
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
