"""What the later stages need of every row, on disk: a worker's memory does not grow with a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from io import SEEK_END, BytesIO

import polars as pl

PART_ROWS = 250_000
"""Rows that are compared with each other at once."""
FRAME_ROWS = 65_536
"""Rows that are written at once: a small frame costs as much as a large one."""


class Frames:
    """Data frames one after the other in a file without a name, which goes with the process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="price-upload-")  # noqa: SIM115  # lives as long
        self._places: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._places)

    def add(self, frame: pl.DataFrame) -> None:
        content = BytesIO()
        frame.write_ipc_stream(content)
        start = self._file.seek(0, SEEK_END)
        self._places.append((start, self._file.write(content.getbuffer())))

    def read(self, number: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        start, size = self._places[number]
        self._file.seek(start)
        wanted = None if columns is None else list(columns)
        return pl.read_ipc_stream(BytesIO(self._file.read(size)), columns=wanted)

    def close(self) -> None:
        self._file.close()


class KeptRows:
    """Frames of one schema with a `row_no` (Int32) and a column of 64-bit hashes, in file order."""

    def __init__(self, hashes: str) -> None:
        self._hashes = hashes
        self._written = Frames()
        self._waiting: list[pl.DataFrame] = []
        self._waiting_rows = 0
        self.rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        self._waiting.append(frame)
        self._waiting_rows += len(frame)
        self.rows += len(frame)
        if self._waiting_rows >= FRAME_ROWS:
            self._written.add(pl.concat(self._waiting))
            self._waiting, self._waiting_rows = [], 0

    def close(self) -> None:
        self._written.close()

    def hashes(self, rows: int) -> Iterator[pl.Series]:
        """All of them in file order, `rows` at a time."""
        held = pl.Series(dtype=pl.UInt64)
        for part in self._hash_parts():
            held = pl.concat([held, part])
            while len(held) >= rows:
                yield held.head(rows)
                held = held.slice(rows)
        if len(held):
            yield held

    def alike(self) -> pl.DataFrame:
        """The rows that share their hash with another, in file order."""
        twice = pl.concat(
            [
                pl.Series(dtype=pl.UInt64),
                *(part.filter(part == part.shift(-1)).unique() for part in self._sorted_parts()),
            ]
        )
        none = pl.DataFrame(schema={self._hashes: pl.UInt64, "row_no": pl.Int32})
        if not len(twice):
            return none
        is_one = pl.col(self._hashes).is_in(twice.implode())
        return pl.concat([none, *(frame.filter(is_one) for frame in self._frames())])

    def distinct(self) -> int:
        """How many different hashes there are."""
        return sum(1 + int((part != part.shift(-1)).sum()) for part in self._sorted_parts())

    def _sorted_parts(self) -> Iterator[pl.Series]:
        """All hashes, divided by their remainder so that equal ones come in the same part."""
        parts = 1 + self.rows // PART_ROWS
        for number in range(parts):
            hashes = (
                each if parts == 1 else each.filter(each % parts == number)
                for each in self._hash_parts()
            )
            part = pl.concat([pl.Series(dtype=pl.UInt64), *hashes])
            if len(part):
                yield part.sort()

    def _hash_parts(self) -> Iterator[pl.Series]:
        for frame in self._frames([self._hashes]):
            yield frame[self._hashes]

    def _frames(self, columns: list[str] | None = None) -> Iterator[pl.DataFrame]:
        for number in range(len(self._written)):
            yield self._written.read(number, columns)
        yield from (each if columns is None else each.select(columns) for each in self._waiting)
