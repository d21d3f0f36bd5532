"""Which rows of a file are looked at: what the current version holds already was right when it
came, and the others are gathered until there are enough of them to be worth a look.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import polars as pl

from pricing.imports.check.checks import RowError
from pricing.imports.read.formats.batch import RawBatch
from pricing.imports.read.known import KnownRows

# Looking at a few rows costs as much as looking at some thousands.
LOOKED_AT_ROWS_MIN = 5_000
GATHERED_ROWS_MAX = 131_072
GATHERED_BYTES_MAX = 1 << 20
# Where known rows come in another order, most of what is gathered falls through in the end, and
# each search of the whole list takes its time.
MOVED_ROWS_MIN = 50_000
MOVED_BYTES_MAX = 4 << 20


class Sieved(NamedTuple):
    """`rows` to look at, the numbers and fingerprints of all rows since the last time, and how
    many of these are known.
    """

    rows: pl.DataFrame
    row_nos: pl.Series
    fingerprints: pl.Series
    unchanged: int


class Sieve:
    """Frames with `row_no`, `fingerprint` and any texts, in file order."""

    def __init__(self, known: KnownRows | None) -> None:
        self._known = known
        self._all: list[pl.DataFrame] = []
        self._gathered: list[pl.DataFrame] = []
        self._unchanged = 0
        self.mostly_known = False
        self._mostly_moved = False

    def take(self, rows: pl.DataFrame, *, last: bool) -> Sieved | None:
        """None as long as rows are gathered; after the `last` of them nothing is left."""
        self._all.append(rows.select("row_no", "fingerprint"))
        self._gathered.append(rows if self._known is None else self._strangers(rows, self._known))
        if not last and self._gathers():
            return None
        return self._sieved()

    def _strangers(self, rows: pl.DataFrame, known: KnownRows) -> pl.DataFrame:
        mask = known.follow(rows["fingerprint"])
        followed = int(mask.sum())
        self._unchanged += followed
        self.mostly_known = followed * 2 > len(rows)
        # A filtered column of texts holds on to all of them; a new one has only its own.
        return rows.filter(~mask).with_columns(pl.col(pl.String) + "")

    def _gathers(self) -> bool:
        rows_min, bytes_max = LOOKED_AT_ROWS_MIN, GATHERED_BYTES_MAX
        if self._mostly_moved:
            rows_min, bytes_max = MOVED_ROWS_MIN, MOVED_BYTES_MAX
        return (
            sum(map(len, self._gathered)) < rows_min
            and sum(map(len, self._all)) < GATHERED_ROWS_MAX
            and sum(rows.estimated_size() for rows in self._gathered) < bytes_max
        )

    def _sieved(self) -> Sieved:
        rows, whole = pl.concat(self._gathered), pl.concat(self._all)
        unchanged = self._unchanged
        if self._known is not None and len(rows):
            moved = self._known.find(rows["fingerprint"])
            found = int(moved.sum())
            unchanged += found
            self._mostly_moved = found * 2 > len(rows)
            rows = rows.filter(~moved)
        self._all, self._gathered, self._unchanged = [], [], 0
        return Sieved(rows, whole["row_no"], whole["fingerprint"], unchanged)


class Gathering:
    """Batches of rows whose faults are seen before they are sieved."""

    def __init__(self, known: KnownRows | None) -> None:
        self._sieve = Sieve(known)
        self._errors: list[RowError] = []
        self._rejects: dict[int, Any] = {}

    def take(
        self,
        rows: pl.DataFrame,
        errors: list[RowError],
        rejects: dict[int, Any],
        *,
        last: bool = False,
    ) -> RawBatch | None:
        """`rows` as a sieve takes them; a column `raw` is what failed rows are shown as."""
        self._errors += errors
        self._rejects |= rejects
        sieved = self._sieve.take(rows, last=last)
        if sieved is None:
            return None
        told, self._errors = self._errors, []
        kept, self._rejects = self._rejects, {}
        return RawBatch(
            sieved.rows.drop("raw", strict=False),
            len(sieved.row_nos) + len(kept),
            sieved.row_nos,
            sieved.fingerprints,
            sieved.unchanged,
            told,
            kept,
            sieved.rows["raw"] if "raw" in sieved.rows.columns else None,
        )
