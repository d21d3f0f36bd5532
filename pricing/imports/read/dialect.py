"""How a text file is written: encoding, delimiter, decimal mark, and which column is which."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from marketplace.kernel.decimals import Mark
from pricing.imports.columns import BY_NAME, COLUMNS, REQUIRED
from pricing.imports.rules import COLUMNS_MAX

SAMPLE_BYTES = 256 << 10


class Unreadable(Exception):
    """The file as a whole cannot be read; `code` and the sentence go into the import's failure.
    `dialect` is what was detected all the same, so that columns can be mapped by hand.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.dialect: Dialect | None = None


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What was detected, and is reported. `columns` maps file columns to ours; others are ignored.

    assumed_utf8  nothing but ASCII was seen so far
    bom_bytes     what is skipped before the first row
    decimal       `.` or `,`; None where the numbers of the file prove neither
    header        names as in the file, in row `header_row`
    sheet         of a workbook, the one that is read; `sheets` are all that can be seen
    candidates    (encoding, how a line reads in it) where the encoding is unclear
    """

    encoding: str = "utf-8"
    assumed_utf8: bool = False
    bom_bytes: int = 0
    delimiter: str = ","
    decimal: Mark | None = None
    header: tuple[str, ...] = ()
    header_row: int = 1
    columns: dict[str, str] = {}
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    candidates: tuple[tuple[str, str], ...] = ()

    @property
    def ignored(self) -> tuple[str, ...]:
        return tuple(name for name in self.header if name not in self.columns)


def header_hash(header: Sequence[str]) -> bytes:
    """What a remembered column mapping is found by."""
    return hashlib.sha256("\x1f".join(header).encode()).digest()


def map_columns(
    header: Sequence[str], chosen: Mapping[str, str] | None, *, patch: bool = False
) -> dict[str, str]:
    """File column → our column: the chosen mapping first, then equal names, then synonyms.

    Raises Unreadable when there is no header, a name is twice, or a required column is missing
    (a patch needs only the SKU).
    """
    if len(header) > COLUMNS_MAX:
        raise Unreadable("too_many_columns", f"A file has at most {COLUMNS_MAX} columns.")
    named = {name: ours for name, ours in (chosen or {}).items() if name in header}
    found: dict[str, str] = {}
    for name in header:
        ours = named.get(name) or our_column(name)
        if ours is None or ours not in BY_NAME:
            continue
        if name not in named and ours in named.values():
            continue
        if ours in found.values():
            raise Unreadable("column_twice", f"Two columns are read as {ours}; map them by hand.")
        found[name] = ours
    needed = ("sku",) if patch else REQUIRED
    missing = [name for name in needed if name not in found.values()]
    if missing:
        seen = ", ".join(repr(name[:40]) for name in header[:20])
        raise Unreadable(
            "columns_missing",
            f"No column {', '.join(missing)} in the header; it reads {seen}. "
            "Rename the columns or map them.",
        )
    return found


def our_column(name: str) -> str | None:
    return _by_folded_name().get(_fold(name))


@cache
def _by_folded_name() -> Mapping[str, str]:
    words = ((column.name, (column.name, *column.synonyms.split())) for column in COLUMNS)
    found: dict[str, str] = {}
    for ours, names in words:
        for name in names:
            found.setdefault(_fold(name), ours)
    return found


def _fold(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in bare if c.isalnum())
