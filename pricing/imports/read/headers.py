"""Where the table begins: titles and notes above the header are skipped, or asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pricing.imports.columns import BY_NAME, REQUIRED
from pricing.imports.read.dialect import Unreadable, our_column

Row = Sequence[str]

Mappings = Mapping[bytes, Mapping[str, str]]
"""Remembered mappings by the hash of their header."""


def header_place(
    rows: Sequence[Row],
    chosen: Sequence[Mapping[str, str] | None],
    *,
    header_row: int | None,
    usual_row: int | None,
    patch: bool,
) -> int:
    """The index of the header among the first rows of a table. Raises Unreadable.

    chosen      for each row: how its columns are to be read if it is the header
    header_row  the one its uploader named, from 1
    usual_row   the one of an earlier file, for when the columns tell nothing
    """
    if header_row is not None:
        if header_row > len(rows) or not any(rows[header_row - 1]):
            raise Unreadable("no_header_row", f"Row {header_row} of the file is empty.")
        return header_row - 1
    needed = frozenset(("sku",) if patch else REQUIRED)
    known = [known_columns(row, names) for row, names in zip(rows, chosen, strict=True)]
    complete = next((place for place, found in enumerate(known) if needed <= found), None)
    if complete is not None:
        return complete
    if usual_row is not None and usual_row <= len(rows) and any(rows[usual_row - 1]):
        return usual_row - 1
    # Nothing fits: the error then shows the row that looks most like a header.
    most = max(map(len, known), default=0)
    if most >= 2:
        return next(place for place, found in enumerate(known) if len(found) == most)
    filled = [sum(1 for cell in row if cell) for row in rows]
    widest = max(filled, default=0)
    if not widest:
        raise Unreadable("empty_file", "The file is empty.")
    return next(place for place, cells in enumerate(filled) if cells * 2 >= widest)


def known_columns(row: Row, names: Mapping[str, str] | None) -> frozenset[str]:
    """Our columns that a row names."""
    found = ((names or {}).get(name) or our_column(name) for name in row if name)
    return frozenset(name for name in found if name in BY_NAME)


def header_name(cell: str) -> str:
    """A header cell as it is shown and mapped: on one line."""
    return " ".join(cell.replace("\ufeff", "").split())
