"""Records of a CSV: lines, and lines that a quoted cell joins (RFC 4180)."""

from __future__ import annotations

import re
from bisect import bisect_right

import polars as pl

from pricing.imports.rules import ROW_BYTES_MAX

RECORD_BYTES_MAX = 4 * ROW_BYTES_MAX
"""How far the end of a quoted cell is looked for. A longer one is refused anyway, and a quotation
mark that is never closed must not take the rest of the file with it.
"""


def well_formed(delimiter: str) -> str:
    """A pattern of a record whose quoted cells are quoted as a whole."""
    sign = re.escape(delimiter)
    cell = rf'(?:"(?:[^"]|"")*"|[^"{sign}]*)'
    return rf"(?s)^\s*{cell}(?:{sign}{cell})*\s*$"


class Records:
    """Joins lines to records, for one delimiter."""

    def __init__(self, delimiter: str) -> None:
        self._record = re.compile(well_formed(delimiter))

    def join(self, lines: pl.Series, *, last: bool) -> tuple[pl.Series, str]:
        """The records of `lines`. The second value is the text of one that may go on in the lines
        to come, unless these are the `last` ones.
        """
        odd = lines.str.count_matches('"', literal=True) % 2 == 1
        if not odd.any():
            return lines, ""
        places, texts = odd.arg_true().to_list(), lines.to_list()
        ends = lines.str.len_bytes().cum_sum().to_list()
        records: list[str] = []
        begin = 0
        while begin < len(texts):
            # A record of several lines begins and ends in lines with an odd number of marks.
            at = bisect_right(places, begin - 1)
            if at == len(places):
                records += texts[begin:]
                break
            start = places[at]
            records += texts[begin:start]
            end = places[at + 1] if at + 1 < len(places) else None
            size = ends[end if end is not None else -1] - ends[start]
            if end is None and not last and size <= RECORD_BYTES_MAX:
                return pl.Series("raw", records, pl.String), "\n".join(texts[start:]) + "\n"
            record, begin = self._beginning(texts, start, end, size)
            records.append(record)
        return pl.Series("raw", records, pl.String), ""

    def _beginning(
        self, texts: list[str], start: int, end: int | None, size: int
    ) -> tuple[str, int]:
        """The record that begins in line `start`, and the line after it."""
        if end is not None and size <= RECORD_BYTES_MAX:
            joined = "\n".join(texts[start : end + 1])
            if self._record.match(joined):
                return joined, end + 1
        # A stray quotation mark spoils its own line, never the rest of the file.
        return texts[start], start + 1
