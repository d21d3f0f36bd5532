"""An XLSX archive: measured entry by entry before a spreadsheet library may open it, and where its
sheets hold formulas.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from pricing.imports.dialect import Unreadable
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
_CELL_ENDS = re.compile(rb"</(?:\w+:)?(?:c|si)>")
_TEXT_BEGINS = re.compile(rb"<(?:\w+:)?t[ >]")
_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
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


def measure(path: Path) -> frozenset[str]:
    """Inflate every entry once, keeping nothing, and return which of them hold formulas. The sizes
    an archive declares are its author's claim, so they are counted. Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > ARCHIVE_ENTRIES_MAX:
                raise Unreadable("too_many_entries", "The workbook holds too many parts.")
            names = [entry.filename for entry in entries]
            if _WORKBOOK not in names:
                raise Unreadable("broken_xlsx", _BROKEN)
            if "xl/vbaProject.bin" in names:
                raise Unreadable("macros", "Workbooks with macros are not taken.")
            if sum(entry.file_size for entry in entries) > SHEET_BYTES_MAX:
                raise _too_large()
            total = 0
            with_formulas = set()
            for entry in entries:
                size, has_formulas = _inflate(archive, entry)
                total += size
                if total > SHEET_BYTES_MAX:
                    raise _too_large()
                if has_formulas:
                    with_formulas.add(entry.filename)
    except _FAULTS as wrong:
        raise Unreadable("broken_xlsx", _BROKEN) from wrong
    return frozenset(with_formulas)


def formula_cells(
    path: Path, sheet: str, with_formulas: frozenset[str], *, first_column: int
) -> dict[int, list[int]]:
    """Where a sheet of a measured workbook holds formulas: row (from 1) → columns, counted from
    `first_column`. Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = _part_of(archive, sheet)
            if name not in with_formulas:
                return {}
            found = _Formulas(first_column)
            with archive.open(name) as part:
                while piece := part.read(_PIECE_BYTES):
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


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, bool]:
    """The entry's true size, and whether it holds formulas."""
    size, tail, has_formulas, has_huge_cell = 0, b"", False, False
    with archive.open(entry) as part:
        while piece := part.read(_PIECE_BYTES):
            size += len(piece)
            packed = max(entry.compress_size, 1)
            if size > SHEET_BYTES_MAX or (
                size > _RATIO_FROM_BYTES and size > packed * UNPACKED_RATIO_MAX
            ):
                raise _too_large()
            window = tail + piece
            if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
                raise Unreadable("broken_xlsx", "The workbook declares entities.")
            if len(piece) == _PIECE_BYTES and _is_inside_a_cell(entry.filename, piece):
                has_huge_cell = True
            has_formulas = has_formulas or _FORMULA.search(window) is not None
            tail = window[-_OVERLAP_BYTES:]
    if has_huge_cell:
        # Only now: of a whole archive that explodes the more telling limit is named.
        raise Unreadable("cell_too_long", "A cell is longer than a workbook may hold.")
    return size, has_formulas


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


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
