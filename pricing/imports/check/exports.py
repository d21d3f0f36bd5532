"""Findings as a file: JSON Lines of errors, or the failed rows themselves, ready to correct."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

import msgspec

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.decimals import typed_text
from marketplace.kernel.spreadsheets import harmless
from pricing.imports import queries
from pricing.imports.columns import DECIMALS, NAMES
from pricing.imports.queries import ImportRow
from pricing.imports.read.dialect import Dialect

PAGE_ROWS = 2_000
XLSX_ROWS_MAX = 100_000
ERROR_COLUMNS = ("error_row", "error_codes", "error_messages")
# XML 1.0 knows no other control characters.
_NOT_IN_XML = {code: None for code in range(32) if code not in (9, 10, 13)}


async def error_lines(database: Database, actor: Actor, import_id: UUID) -> AsyncIterator[bytes]:
    """One JSON object a line, in order of rows."""
    after = (-1, -1)
    while True:
        async with database.transaction(actor) as session:
            rows = await queries.errors_after(session, import_id, after, PAGE_ROWS)
        for row in rows:
            yield (
                msgspec.json.encode(
                    {
                        "row": row.row,
                        "column": row.column,
                        "code": row.code,
                        "severity": row.severity,
                        "value": row.value,
                        "message": row.message,
                        "hint": row.hint,
                    }
                )
                + b"\n"
            )
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].row, rows[-1].n


async def failed_rows_csv(
    database: Database, actor: Actor, found: ImportRow
) -> AsyncIterator[bytes]:
    """The failed rows in the delimiter and with the columns of the file, and error columns."""
    dialect = _dialect(found)
    yield _csv_line([*dialect.header, *ERROR_COLUMNS], dialect.delimiter)
    async for cells in _failed_rows(database, actor, found.id, dialect):
        yield _csv_line(cells, dialect.delimiter)


def _csv_line(cells: list[str], delimiter: str) -> bytes:
    """Header cells come from the uploaded file too, so every cell of every line is made safe."""
    line = io.StringIO()
    writer = csv.writer(line, delimiter=delimiter, lineterminator="\n")
    writer.writerow([harmless(cell) for cell in cells])
    return line.getvalue().encode()


def _dialect(found: ImportRow) -> Dialect:
    dialect = msgspec.json.decode(found.dialect, type=Dialect)
    if dialect.header:
        return dialect
    return Dialect(header=NAMES, columns={name: name for name in NAMES})


async def _failed_rows(
    database: Database, actor: Actor, import_id: UUID, dialect: Dialect
) -> AsyncIterator[list[str]]:
    after = -1
    while True:
        async with database.transaction(actor) as session:
            rows = await queries.rejects_after(session, import_id, after, PAGE_ROWS)
        for row in rows:
            cells = _cells(msgspec.json.decode(row.cells), dialect)
            yield [*cells, str(row.row), row.codes or "", row.messages or ""]
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].row


def _cells(told: dict[str, Any], dialect: Dialect) -> list[str]:
    """Cells in the order of the header, whatever form the row was kept in."""
    raw = told.get("raw")
    if isinstance(raw, str):
        if raw.lstrip().startswith("{"):
            return _from_json(raw, dialect)
        cells = next(csv.reader([raw], delimiter=dialect.delimiter), [])
        return (cells + [""] * len(dialect.header))[: len(dialect.header)]
    ours = told.get("cells", {})
    named = [ours.get(dialect.columns.get(name, name)) for name in dialect.header]
    texts = ["" if cell is None else str(cell) for cell in named]
    if "reason" not in told:
        return texts
    names = [dialect.columns.get(name) for name in dialect.header]
    return [
        typed_text(text, dialect.decimal) if name in DECIMALS else text
        for name, text in zip(names, texts, strict=True)
    ]


def _from_json(raw: str, dialect: Dialect) -> list[str]:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return [raw, *[""] * (len(dialect.header) - 1)]
    values = found if isinstance(found, dict) else {}
    return ["" if values.get(n) is None else str(values[n]) for n in dialect.header]


async def failed_rows_xlsx(database: Database, actor: Actor, found: ImportRow) -> bytes:
    """The same as a workbook, at most XLSX_ROWS_MAX rows."""
    dialect = _dialect(found)
    rows = [[*dialect.header, *ERROR_COLUMNS]]
    async for cells in _failed_rows(database, actor, found.id, dialect):
        rows.append(cells)
        if len(rows) > XLSX_ROWS_MAX:
            break
    return workbook(rows)


def workbook(rows: list[list[str]]) -> bytes:
    """A one-sheet XLSX of texts (ECMA-376, inline strings): texts never run as formulas."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in _PARTS.items():
            archive.writestr(name, _XML + body)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write((_XML + _SHEET_OPEN).encode())
            for line in _sheet_rows(rows):
                sheet.write(line.encode())
            sheet.write(b"</sheetData></worksheet>")
    return file.getvalue()


def _sheet_rows(rows: list[list[str]]) -> Iterator[str]:
    for number, cells in enumerate(rows, 1):
        inside = "".join(
            f'<c r="{_column(n)}{number}" t="inlineStr"><is><t xml:space="preserve">'
            f"{escape(cell.translate(_NOT_IN_XML))}</t></is></c>"
            for n, cell in enumerate(cells)
            if cell
        )
        yield f'<row r="{number}">{inside}</row>'


def _column(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_OPEN = f'<worksheet xmlns="{_MAIN}"><sheetData>'
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{_RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELS}"><sheets>'
        '<sheet name="Rows" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{_RELS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}
