"""Whether the texts of an XLSX part stay within what a workbook may hold, known before a library
reads it: that one keeps each event of the XML whole, and copies a shared string into all its cells.

Almost every program writes sheets in one way, which a few searches recognise. Any other part is
parsed; that takes several times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from xml.parsers import expat

from pricing.imports.read.dialect import Unreadable

CELL_CHARS_MAX = 4 * 32_767
"""Of one cell with its formula and phonetic text; a workbook allows 32,767 for each."""
TOKEN_BYTES_MAX = 4 << 20
"""Of a comment, or a tag with its attributes."""
SHEET_CHARS_MAX = 256 << 20
"""Of all cells: a string that is shared by many counts in each of them."""
PIECE_BYTES_MAX = 1 << 20
"""What a row, or a cell of a long row, surely fits in."""
CELL, SHARED_STRING = "c", "si"
_BLANK_NEAR_EQUALS = re.compile(rb"\s=|=\s")
_TEXTS = (b"v", b"is", b"t", b"f")
"""Elements of a cell whose text is read up to their end, whatever stands between."""
_SHARED_CELL = b't="s"'


class UsualSheet:
    """Follows a sheet piece by piece as long as it is written in the usual way: `<row r="1"><c
    r="A1" t="s"><v>0</v></c></row>` without blanks between, comments, CDATA or single quotes.
    """

    def __init__(self, *, is_sheet: bool) -> None:
        self.is_usual = is_sheet
        self.shared_cells = 0
        self._rest = b""
        self._has_rows = False

    def feed(self, piece: bytes) -> None:
        if self.is_usual:
            self.is_usual = self._follow(self._rest + piece)

    def end(self) -> None:
        rest = self._rest
        begins_well = rest.startswith(b"</sheetData>") or not self._has_rows
        self.is_usual = self.is_usual and begins_well and b"</c>" not in rest

    def _follow(self, text: bytes) -> bool:
        end = text.rfind(b"</row>") + 6
        if end < 6:
            self._rest = text
            return len(text) < PIECE_BYTES_MAX
        rows, self._rest = text[:end], text[end:]
        if self._has_rows and not rows.startswith(b'<row r="'):
            return False
        self._has_rows = True
        self.shared_cells += rows.count(_SHARED_CELL)
        if b"<!" in rows or b"='" in rows or rows.rfind(b"<?") > 3:
            return False
        if _BLANK_NEAR_EQUALS.search(rows) or any(
            rows.rfind(b"<" + name) > rows.rfind(b"</" + name + b">") for name in _TEXTS
        ):
            return False
        ended_cells, ended_rows = rows.count(b"</c>"), rows.count(b"</row>")
        return (
            ended_cells == rows.count(b'</c><c r="') + rows.count(b"</c></row>")
            and ended_rows == rows.count(b'</row><row r="') + 1
            and len(rows) < PIECE_BYTES_MAX * max(ended_cells, 1)
        )


class CellTexts:
    """Parses a part with cells, or the one with the shared strings, and notes the `lengths` of
    these. Raises Unreadable for a cell, all cells or a piece of XML that are too long.
    """

    def __init__(self, element: str, shared: Sequence[int] = ()) -> None:
        self.lengths: list[int] = []
        self._text = 0
        self._element = element
        self._shared = shared
        self._depth = 0
        self._open: int | None = None
        self._size = 0
        self._is_shared = False
        self._place = ""
        self._fed = 0
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self._fed += len(piece)
            self._parser.Parse(piece, False)
            if self._fed - self._parser.CurrentByteIndex > TOKEN_BYTES_MAX:
                raise too_long()
        self._parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, Any]) -> None:
        self._depth += 1
        if self._open is None and tag.rpartition("}")[2] == self._element:
            self._open, self._size = self._depth, 0
            self._is_shared, self._place = attributes.get("t") == "s", ""

    def _end(self, _: str) -> None:
        if self._depth == self._open:
            self._open = None
            if self._is_shared and self._place.isdecimal() and self._shared:
                place = int(self._place)
                self._size = self._shared[place] if place < len(self._shared) else 0
            if self._element == SHARED_STRING:
                self.lengths.append(self._size)
            self._text += self._size
            if self._text > SHEET_CHARS_MAX:
                raise Unreadable(
                    "unpacked_too_large",
                    f"The sheet's cells have more than {SHEET_CHARS_MAX >> 20} million characters.",
                )
        self._depth -= 1

    def _characters(self, text: str) -> None:
        # Between the cells there are no texts, so a long one is wrong there too.
        self._size += len(text)
        if self._is_shared:
            self._place = (self._place + text)[:20]
        if self._size > CELL_CHARS_MAX:
            raise too_long()


def too_long() -> Unreadable:
    return Unreadable("cell_too_long", "A cell is longer than a workbook may hold.")
