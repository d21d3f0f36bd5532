"""How large the pages of a Parquet file become when they are unpacked, known before any is read.

A page is unpacked as a whole, and a few kilobytes of the file may become gigabytes. Sizes stand in
the footer and before each page (parquet.thrift of the Apache Parquet format, in Thrift's compact
protocol); of both only the few numbers needed here are read. A reader allocates what they say, so a
file that lies is only damaged.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from pricing.imports.read.dialect import Unreadable

FOOTER_BYTES_MAX = 16 << 20
"""A hundred columns in 500 row groups take ten of them."""
CHUNKS_MAX = 100_000
"""Columns times row groups: their descriptions are held in memory."""
PAGES_MAX = 200_000
"""Five million rows in pages of 2,500, of every column there is."""
UNPACKED_BYTES_MAX = 64 << 20
"""Of the pages that are unpacked together: the usual size of one is a mebibyte."""
_MAGIC = b"PAR1"
_DEPTH_MAX = 32

Wanted: TypeAlias = "dict[int, Wanted | None]"
"""Fields of a struct by their numbers: None for a number or a text, else those of the structs."""

_FOOTER: Wanted = {
    2: {4: None, 5: None},  # schema: name, num_children
    4: {1: {3: {7: None, 9: None, 11: None}}, 3: None},  # row_groups: columns, num_rows
}
_PAGE: Wanted = {1: None, 2: None, 3: None, 5: {1: None}, 8: {1: None}}
_DICTIONARY_PAGE = 2


class Page(NamedTuple):
    """`rows` is 0 for a dictionary, which belongs to all pages of its row group."""

    rows: int
    size: int


class Unpacked:
    """What unpacking a range of rows takes, in some columns of a file. Raises Unreadable."""

    def __init__(self, path: Path, names: Iterable[str]) -> None:
        with _content(path) as content:
            try:
                self.rows, groups = _groups(content, frozenset(names))
                self._columns = _columns(content, groups)
            except (IndexError, KeyError, TypeError, UnicodeDecodeError, RecursionError):
                raise _broken() from None

    def spans(self, rows_max: int) -> Iterator[tuple[int, int]]:
        """(first row from 0, how many): all rows in order, as many at once as may be unpacked."""
        first = 0
        while first < self.rows:
            rows = min(rows_max, self.rows - first)
            while self.size(first, rows) > UNPACKED_BYTES_MAX:
                if rows == 1:
                    raise Unreadable(
                        "page_too_large",
                        f"Some rows lie in pages of more than {UNPACKED_BYTES_MAX >> 20} MiB in "
                        "all: a cell is too long, or the file was written in too large pieces. "
                        "Write pages of one MiB.",
                    )
                rows = (rows + 1) // 2
            yield first, rows
            first += rows

    def size(self, first: int, rows: int) -> int:
        return sum(column.size(first, first + rows) for column in self._columns)


def require_footer(path: Path) -> None:
    """Raises Unreadable for no Parquet file, and for one whose description alone is too large."""
    with _content(path) as content:
        _footer_size(content)


def _content(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file
            raise _broken() from None


def _footer_size(content: mmap.mmap) -> int:
    size = int.from_bytes(content[-8:-4], "little")
    if content[-4:] != _MAGIC or size + 12 > len(content):
        raise _broken()
    if size > FOOTER_BYTES_MAX:
        raise Unreadable(
            "too_many_entries", "The file describes too many pieces; write larger row groups."
        )
    return size


class _Column:
    """Pages of one column in the order of rows."""

    def __init__(self, groups: Sequence[Sequence[Page]]) -> None:
        pages = [page for group in groups for page in group if page.rows]
        self._ends = list(accumulate(page.rows for page in pages))
        self._sizes = [0, *accumulate(page.size for page in pages)]
        self._group_ends = list(accumulate(sum(page.rows for page in group) for group in groups))
        dictionaries = (sum(page.size for page in group if not page.rows) for group in groups)
        self._dictionaries = [0, *accumulate(dictionaries)]

    def size(self, first: int, end: int) -> int:
        return _between(self._ends, self._sizes, first, end) + _between(
            self._group_ends, self._dictionaries, first, end
        )


def _between(ends: list[int], sizes: list[int], first: int, end: int) -> int:
    """The size of everything that has a part in the rows from `first` to before `end`."""
    last = min(bisect_left(ends, end) + 1, len(ends))
    return sizes[last] - sizes[min(bisect_right(ends, first), last)]


class _Chunk(NamedTuple):
    """Where one row group holds a column."""

    column: str
    begin: int
    end: int
    rows: int


def _groups(content: mmap.mmap, wanted: frozenset[str]) -> tuple[int, list[list[_Chunk]]]:
    """The number of rows, and where each row group holds the wanted columns."""
    footer = _Thrift(content, len(content) - 8 - _footer_size(content)).struct(_FOOTER)
    places = [(n, name) for n, name in enumerate(_leaves(footer[2])) if name in wanted]
    filled = [group for group in footer[4] if group[3]]
    groups = [
        [_chunk(content, name, group[1][place][3], group[3]) for place, name in places]
        for group in filled
    ]
    return sum(group[3] for group in filled), groups


def _leaves(schema: list[dict[int, Any]]) -> Iterator[str]:
    """For each column that holds values, in file order, the column of the table it is a part of."""
    to_come: list[int] = []  # of each open group of columns
    name = ""
    for element in schema[1:]:
        if not to_come:
            name = bytes(element[4]).decode()
        if children := element.get(5, 0):
            to_come.append(children)
            continue
        yield name
        while to_come:
            to_come[-1] -= 1
            if to_come[-1]:
                break
            to_come.pop()


def _chunk(content: mmap.mmap, column: str, about: dict[int, int], rows: int) -> _Chunk:
    # No dictionary is written as 0 too: nothing but the magic stands there.
    begin = about.get(11) or about[9]
    end = begin + about[7]
    if not 0 < begin <= end <= len(content) or rows < 0:
        raise _broken()
    return _Chunk(column, begin, end, rows)


def _columns(content: mmap.mmap, groups: list[list[_Chunk]]) -> list[_Column]:
    pages: dict[str, list[list[Page]]] = {}
    count = 0
    for group in groups:
        for chunk in group:
            found = []
            for page in _pages(content, chunk):
                found.append(page)
                count += 1
                if count > PAGES_MAX:
                    raise Unreadable("too_many_entries", "The file has too many small pages.")
            if sum(page.rows for page in found) != chunk.rows:
                raise _broken()
            pages.setdefault(chunk.column, []).append(found)
    return [_Column(each) for each in pages.values()]


def _pages(content: mmap.mmap, chunk: _Chunk) -> Iterator[Page]:
    place = chunk.begin
    while place < chunk.end:
        header = _Thrift(content, place)
        page = header.struct(_PAGE)
        packed, unpacked = page[3], page[2]
        rows = 0 if page[1] == _DICTIONARY_PAGE else (page.get(5) or page[8])[1]
        if min(packed, unpacked, rows) < 0:
            raise _broken()
        place = header.place + packed
        yield Page(rows, max(packed, unpacked))


class _Thrift:
    """Reads wanted fields, and skips the others without a copy. Raises IndexError at the end of
    the file, KeyError for an unknown type.
    """

    def __init__(self, content: mmap.mmap, place: int) -> None:
        self._content = content
        self.place = place
        self._structs = 0

    def struct(self, wanted: Wanted, depth: int = 0) -> dict[int, Any]:
        """Field number → number, bytes, struct or list of them."""
        found: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._number()
            if field in wanted:
                found[field] = self._value(head & 15, wanted[field], depth + 1)
            else:
                self._skip(head & 15, depth + 1)
        return found

    def _value(self, kind: int, wanted: Wanted | None, depth: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._number()
        if kind == 8:
            size = self._size()
            return self._content[self.place - size : self.place]
        if wanted is not None and kind == 12:
            return self.struct(wanted, depth)
        if wanted is not None and kind in (9, 10):
            size, inner = self._list()
            self._structs += size
            if self._structs > CHUNKS_MAX:
                raise Unreadable("too_many_entries", "The file has too many columns or row groups.")
            return [self._value(inner, wanted, depth) for _ in range(size)]
        raise KeyError(kind)

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _DEPTH_MAX:
            raise RecursionError
        if kind == 12:
            while head := self._byte():
                if not head >> 4:
                    self._number()
                self._skip(head & 15, depth + 1)
        elif kind in (9, 10):
            size, inner = self._list()
            self._skip_elements(size, (inner,), depth + 1)
        elif kind == 11:
            size = self._varint()
            kinds = self._byte() if size else 0
            self._skip_elements(size, (kinds >> 4, kinds & 15), depth + 1)
        elif kind == 8:
            self._size()
        elif kind in (4, 5, 6):
            self._varint()
        else:
            self.place += _FIXED[kind]

    def _skip_elements(self, size: int, kinds: tuple[int, ...], depth: int) -> None:
        # In a list or map a truth value takes a byte of its own.
        for _ in range(size):
            for kind in kinds:
                self._skip(3 if kind in (1, 2) else kind, depth)

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        return (head >> 4 if head >> 4 != 15 else self._varint()), head & 15

    def _size(self) -> int:
        """Of a text, which is passed over."""
        size = self._varint()
        if self.place + size > len(self._content):
            raise IndexError
        self.place += size
        return size

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise IndexError

    def _byte(self) -> int:
        byte = self._content[self.place]
        self.place += 1
        return byte


_FIXED = {1: 0, 2: 0, 3: 1, 7: 8, 13: 16}
"""Bytes of a truth value (none: its kind says it), a byte, a floating-point number, a UUID."""


def _broken() -> Unreadable:
    return Unreadable("broken_parquet", "The Parquet file is damaged.")
