"""Which rows of a file the current version holds already, told by their fingerprints.

Most files come again in the order they had. So a row is looked for where it must stand then, next
around that place, and only what is left is looked for everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import cast

import polars as pl

from pricing.imports.read.kept import Frames

PART_ROWS = 65_536
"""Fingerprints that are stored, read and searched together."""
AROUND_BEFORE, AROUND_AFTER = 8_192, 49_152
"""How far from its place a row is looked for, in rows, before it is looked for everywhere."""
_IN_PLACE = 0.9
"""With fewer of the rows in their places, others were put in or taken out before them."""


class KnownRows:
    """The fingerprints of one version, all different, in the order of its file and on disk; and
    which of them the new file holds again.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._parts = Frames()
        self._held: dict[int, pl.Series] = {}
        self._again: list[pl.Series] = []
        self._next = 0
        self._lost = False

    def add(self, part: bytes) -> None:
        """The next PART_ROWS, or the last ones, as they were `stored`."""
        fingerprints = pl.read_ipc_stream(BytesIO(part))["fingerprint"]
        assert self.rows % PART_ROWS == 0, "a part after the last one"
        self.rows += len(fingerprints)
        self._parts.add(fingerprints.to_frame())
        self._again.append(pl.repeat(value=False, n=len(fingerprints), eager=True))

    def close(self) -> None:
        self._parts.close()

    def follow(self, fingerprints: pl.Series) -> pl.Series:
        """A mask of the next rows of the file: which are known, and stand about where they stood.
        Of the others `find` knows more.
        """
        expected = self._between(self._next, self._next + len(fingerprints))
        same = fingerprints.head(len(expected)) == expected
        if same.sum() < len(fingerprints) * _IN_PLACE:
            return self._look_around(fingerprints)
        self._mark(same.arg_true() + self._next)
        self._next += len(fingerprints)
        return same.extend_constant(value=False, n=len(fingerprints) - len(same))

    def find(self, fingerprints: pl.Series) -> pl.Series:
        """A mask of any rows: which are known, wherever they stood."""
        rows = _numbered(fingerprints)
        parts = enumerate(self._all_parts())
        found = pl.concat(_matches(rows, part, n * PART_ROWS) for n, part in parts).sort("row")
        self._mark(found["place"])
        if self._lost:
            # The order goes on where the last row stood that was found.
            self._go_on(found, len(fingerprints))
        return _mask(found, len(fingerprints))

    def holds(self, fingerprints: pl.Series) -> int:
        """How many of these rows are known."""
        known = (fingerprints.is_in(part.implode()).sum() for part in self._all_parts())
        return sum(int(rows) for rows in known)

    @property
    def missing(self) -> int:
        """How many of the fingerprints the file has not held so far."""
        return self.rows - sum(int(again.sum()) for again in self._again)

    def missing_parts(self) -> Iterator[pl.Series]:
        """These fingerprints."""
        for again, part in zip(self._again, self._all_parts(), strict=True):
            if not again.all():
                yield part.filter(~again)

    def _look_around(self, fingerprints: pl.Series) -> pl.Series:
        first = max(self._next - AROUND_BEFORE, 0)
        there = self._between(first, self._next + len(fingerprints) + AROUND_AFTER)
        found = _matches(_numbered(fingerprints), there, first).sort("row")
        self._mark(found["place"])
        self._lost = len(found) * 2 < len(fingerprints)
        if not self._lost:
            self._go_on(found, len(fingerprints))
        return _mask(found, len(fingerprints))

    def _go_on(self, found: pl.DataFrame, rows: int) -> None:
        if len(found):
            row, place = found.row(-1)
            self._next = min(place + rows - row, self.rows)

    def _mark(self, places: pl.Series) -> None:
        if not len(places):
            return
        first, last = cast(int, places.min()), cast(int, places.max())
        for number in range(first // PART_ROWS, last // PART_ROWS + 1):
            begin = number * PART_ROWS
            inside = places.filter((places >= begin) & (places < begin + PART_ROWS))
            self._again[number].scatter(inside - begin, values=True)

    def _between(self, first: int, end: int) -> pl.Series:
        """Fingerprints by place; there are none beyond the last."""
        end = min(end, self.rows)
        if first >= end:
            return pl.Series("fingerprint", dtype=pl.UInt64)
        numbers = range(first // PART_ROWS, (end - 1) // PART_ROWS + 1)
        held = self._held
        self._held = {n: held[n] if n in held else self._part(n) for n in numbers}
        return pl.concat(self._held.values()).slice(first - numbers[0] * PART_ROWS, end - first)

    def _part(self, number: int) -> pl.Series:
        return self._parts.read(number)["fingerprint"]

    def _all_parts(self) -> Iterator[pl.Series]:
        return (self._part(number) for number in range(len(self._parts)))


def stored(fingerprints: pl.Series) -> bytes:
    """A part as it is kept between two uploads."""
    stream = BytesIO()
    fingerprints.rename("fingerprint").to_frame().write_ipc_stream(stream)
    return stream.getvalue()


def _numbered(fingerprints: pl.Series) -> pl.DataFrame:
    return fingerprints.rename("fingerprint").to_frame().with_row_index("row")


def _matches(rows: pl.DataFrame, there: pl.Series, first: int) -> pl.DataFrame:
    """`row` and `place` of rows whose fingerprint is among those `there`, from place `first` on."""
    places = pl.int_range(first, first + len(there), dtype=pl.UInt32, eager=True)
    known = pl.DataFrame({"fingerprint": there, "place": places})
    return rows.join(known, on="fingerprint").select("row", "place")


def _mask(found: pl.DataFrame, rows: int) -> pl.Series:
    nothing = pl.repeat(value=False, n=rows, eager=True)
    return nothing.scatter(found["row"], values=True)
