"""An XLSX archive: measured entry by entry before a spreadsheet library may open it, and where its
sheets hold formulas.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat

from pricing.imports.read.dialect import Unreadable
from pricing.imports.read.formats.workbook_text import (
    CELL,
    SHARED_STRING,
    SHEET_CHARS_MAX,
    CellTexts,
    UsualSheet,
)
from pricing.imports.rules import (
    ARCHIVE_ENTRIES_MAX,
    SHEET_BYTES_MAX,
    UNPACKED_RATIO_MAX,
)

FORMULAS_KEPT_MAX = 10_000
_PIECE_BYTES = 1 << 20
_RATIO_FROM_BYTES = 16 << 20
_OVERLAP_BYTES = 64
_FORMULA = re.compile(rb"<(?:\w{1,20}:)?f[\s>/]")
_SHEETS = "xl/worksheets/"
_SHARED_STRINGS = "xl/sharedStrings.xml"
_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_READ_WHOLE = frozenset(each.lower() for each in (_WORKBOOK, _RELATIONS, "xl/styles.xml"))
_WHOLE_BYTES_MAX = 32 << 20
"""Of a part without cells: the styles of a workbook that was copied together for years have ten."""
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_BROKEN = "The file is no readable XLSX workbook."
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    NotImplementedError,
    RuntimeError,
    ElementTree.ParseError,
    expat.ExpatError,
    KeyError,
)


class Measured(NamedTuple):
    """What is known of a workbook before a library may open it.

    with_formulas   parts that hold formulas
    usual           sheets that are written as almost every program does it → cells that show a
                    shared string
    shared          how long each of the shared strings is
    """

    with_formulas: frozenset[str]
    usual: Mapping[str, int]
    shared: Sequence[int]


def measure(path: Path) -> Measured:
    """Inflate every entry once, keeping nothing. The sizes an archive declares are its author's
    claim, so they are counted. Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_names([entry.filename for entry in entries])
            if sum(entry.file_size for entry in entries) > SHEET_BYTES_MAX:
                raise _too_large()
            total = 0
            with_formulas = set()
            usual = {}
            for entry in entries:
                size, has_formulas, sheet = _inflate(archive, entry)
                total += size
                if total > SHEET_BYTES_MAX:
                    raise _too_large()
                if has_formulas:
                    with_formulas.add(entry.filename)
                if sheet.is_usual:
                    usual[entry.filename] = sheet.shared_cells
            # Only now: of a whole archive that explodes the more telling limit is named.
            shared = _shared_strings(archive)
    except _FAULTS as wrong:
        raise Unreadable("broken_xlsx", _BROKEN) from wrong
    return Measured(frozenset(with_formulas), usual, shared)


def require_bounded(path: Path, sheet: str, measured: Measured) -> None:
    """Raises Unreadable where the cells of a sheet are too long, one or all together."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, sheet)
            cells, longest = measured.usual.get(part), max(measured.shared, default=0)
            if cells is None or cells * longest > SHEET_CHARS_MAX:
                with closing(_pieces(archive, part)) as pieces:
                    CellTexts(CELL, measured.shared).feed(pieces)
    except _FAULTS as wrong:
        raise Unreadable("broken_xlsx", _BROKEN) from wrong


def _check_names(names: list[str]) -> None:
    """Raises Unreadable."""
    if len(names) > ARCHIVE_ENTRIES_MAX:
        raise Unreadable("too_many_entries", "The workbook holds too many parts.")
    # Of two that differ in case only, one reader takes the first and another one the last.
    if _WORKBOOK not in names or len({name.lower() for name in names}) < len(names):
        raise Unreadable("broken_xlsx", _BROKEN)
    if "xl/vbaproject.bin" in {name.lower() for name in names}:
        raise Unreadable("macros", "Workbooks with macros are not taken.")


def _shared_strings(archive: zipfile.ZipFile) -> list[int]:
    names = {name.lower(): name for name in archive.namelist()}
    part = names.get(_SHARED_STRINGS.lower())
    if part is None:
        return []
    texts = CellTexts(SHARED_STRING)
    with closing(_pieces(archive, part)) as pieces:
        texts.feed(pieces)
    return texts.lengths


def _pieces(archive: zipfile.ZipFile, part: str) -> Generator[bytes, None, None]:
    """Whoever stops in between closes it."""
    with archive.open(part) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def formula_cells(
    path: Path, sheet: str, measured: Measured, *, first_column: int
) -> dict[int, list[int]]:
    """Where a sheet of a measured workbook holds formulas: row (from 1) → columns, counted from
    `first_column`. Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = _part_of(archive, sheet)
            if name not in measured.with_formulas:
                return {}
            found = _Formulas(first_column)
            with closing(_pieces(archive, name)) as pieces:
                for piece in pieces:
                    found.feed(piece)
            return found.cells
    except _FAULTS as wrong:
        raise Unreadable("broken_xlsx", _BROKEN) from wrong


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The entry that holds a sheet: names and entries are tied by the workbook's relations."""
    book, relations = (_xml(archive, name) for name in (_WORKBOOK, _RELATIONS))
    ids = {node.get("name"): _attribute(node, "id") for node in book if node.tag.endswith("}sheet")}
    targets = {node.get("Id"): node.get("Target", "") for node in relations}
    target = targets[ids[sheet]]
    whole = PurePosixPath("/xl") / target
    return str(whole).lstrip("/")


def _xml(archive: zipfile.ZipFile, name: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(archive.read(name)).iter())  # noqa: S314  # holds no DTD


def _attribute(node: ElementTree.Element, name: str) -> str | None:
    """An attribute of whatever namespace: strict and transitional workbooks have different ones."""
    return next((value for key, value in node.items() if key.endswith("}" + name)), None)


class _Formulas:
    """Cells with formulas in a sheet's XML, however it writes its elements and attributes."""

    def __init__(self, first_column: int) -> None:
        self.cells: dict[int, list[int]] = {}
        self._first_column = first_column
        self._row = self._column = 0
        self._kept = 0
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartElementHandler = self._start

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(piece, False)

    def _start(self, tag: str, attributes: dict[str, Any]) -> None:
        name = tag.rpartition("}")[2]
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = -1
        elif name == "c":
            match = _REFERENCE.fullmatch(attributes.get("r", ""))
            # A cell without a reference follows the one before it.
            self._column = _column(match.group(1)) if match else self._column + 1
            self._row = int(match.group(2)) if match else self._row
        elif name == "f":
            columns = self.cells.setdefault(self._row, [])
            columns.append(self._column - self._first_column)
            self._kept += 1
            if self._kept >= FORMULAS_KEPT_MAX:
                raise Unreadable("formula", "The sheet is full of formulas; export values.")


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, bool, UsualSheet]:
    """The entry's true size, whether it holds formulas, and how it is written."""
    size, tail, has_formulas = 0, b"", False
    packed = max(entry.compress_size, 1)
    is_xml = entry.filename.endswith((".xml", ".rels"))
    size_max = _WHOLE_BYTES_MAX if entry.filename.lower() in _READ_WHOLE else SHEET_BYTES_MAX
    sheet = UsualSheet(is_sheet=entry.filename.startswith(_SHEETS))
    with closing(_pieces(archive, entry.filename)) as pieces:
        for piece in pieces:
            size += len(piece)
            if size > size_max or (size > _RATIO_FROM_BYTES and size > packed * UNPACKED_RATIO_MAX):
                raise _too_large()
            window = tail + piece
            # XML in UTF-16 would hide from these searches.
            is_wide = is_xml and not tail and b"\0" in piece[:4]
            if is_wide or b"<!DOCTYPE" in window or b"<!ENTITY" in window:
                raise Unreadable("broken_xlsx", "The workbook has entities or is not in UTF-8.")
            has_formulas = has_formulas or _FORMULA.search(window) is not None
            sheet.feed(piece)
            tail = window[-_OVERLAP_BYTES:]
    sheet.end()
    return size, has_formulas, sheet


def _too_large() -> Unreadable:
    return Unreadable(
        "unpacked_too_large",
        f"Unpacked it is larger than {SHEET_BYTES_MAX >> 20} MiB, or more than "
        f"{UNPACKED_RATIO_MAX} times its packed size.",
    )


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
