"""Reading: chunks of the stored file → batches → checks → staging, two batches in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any

import polars as pl

from marketplace.kernel.statements import Connection
from pricing.imports.check.checks import Check, Checked, RowError, check
from pricing.imports.columns import NAMES
from pricing.imports.compare.queries import staging
from pricing.imports.compare.tables import as_text, tables_of
from pricing.imports.read import encodings, opening
from pricing.imports.read.dialect import Dialect, Unreadable
from pricing.imports.read.encodings import Unclear, Unrecognised
from pricing.imports.read.formats import Gunzip, RawBatch, Reading
from pricing.imports.read.formats.unpack import MAGIC
from pricing.imports.read.kept import KeptRows
from pricing.imports.read.known import KnownRows
from pricing.imports.read.opening import FEED_BYTES, Ask, Source
from pricing.imports.rules import ERRORS_KEPT_MAX, REJECTED_BYTES_MAX, ROWS_MAX
from pricing.imports.threads import in_thread

# A batch in work takes most of a worker's memory and one processor; suppliers take turns by batch.
PARSING_AT_ONCE = 2

OpenFile = Callable[[], AsyncIterator[bytes]]
"""The stored file from its beginning."""


class Intake:
    """Everything the following stages need to know of the rows; what grows with them is on disk."""

    def __init__(self) -> None:
        self.rows = self.unchanged = self.staged = self.invalid = self.bytes_done = 0
        self.errors: list[RowError] = []
        self.rejects: dict[int, Any] = {}
        self.bad_skus: set[str] = set()
        self.dialect = Dialect()
        self.seed = 0
        self.sorted = True
        self.zero_prices = False
        self._prints = KeptRows("fingerprint")
        self._keys = KeptRows("key")
        self._skus = KeptRows("sku")
        self._last_sku = ""
        self._rejected_bytes = 0

    def add(self, batch: RawBatch, checked: Checked) -> None:
        self.rows += batch.rows - checked.blank
        self.unchanged += batch.unchanged
        self.staged += len(checked.good)
        self.invalid += len(batch.rejects) + len(checked.bad_rows)
        room = ERRORS_KEPT_MAX - len(self.errors)
        self.errors += [*batch.errors, *checked.errors][: max(room, 0)]
        self._keep_rejects(batch, checked)
        self.bad_skus.update(checked.bad_rows["sku"].drop_nulls())
        good = checked.good
        self._prints.add(pl.DataFrame({"fingerprint": batch.fingerprints, "row_no": batch.row_nos}))
        self._keys.add(pl.DataFrame({"key": checked.keys, "row_no": good["row_no"]}))
        # Rows of a SKU mostly stand together, and one of them is enough to count it.
        begins = (checked.skus != checked.skus.shift(1)).fill_null(value=True)
        skus = pl.DataFrame({"sku": checked.skus, "row_no": good["row_no"]})
        self._skus.add(skus.filter(begins))
        self._watch_order(good)

    def _keep_rejects(self, batch: RawBatch, checked: Checked) -> None:
        bad = checked.bad_rows
        if batch.raw is not None:
            raw = pl.DataFrame({"row_no": batch.frame["row_no"], "raw": batch.raw})
            bad = bad.select("row_no").join(raw, on="row_no", how="left")
        else:
            bad = bad.select("row_no", *NAMES)
        for row, told in batch.rejects.items():
            texts = told["cells"].values() if "cells" in told else told.values()
            self._keep_reject(row, told, sum(len(text) for text in texts if text))
        sizes = bad.select(pl.sum_horizontal(pl.col(pl.String).str.len_bytes())).to_series()
        for told, size in zip(bad.iter_rows(named=True), sizes, strict=True):
            row = told.pop("row_no")
            if not self._keep_reject(row, told if "raw" in told else {"cells": told}, size or 0):
                return

    def _keep_reject(self, row: int, told: dict[str, Any], size: int) -> bool:
        self._rejected_bytes += size
        room = len(self.rejects) < ERRORS_KEPT_MAX and self._rejected_bytes <= REJECTED_BYTES_MAX
        if room:
            self.rejects[row] = told
        return room

    def _watch_order(self, good: pl.DataFrame) -> None:
        if good.is_empty():
            return
        skus = good["sku"]
        self.sorted = self.sorted and skus[0] >= self._last_sku and skus.is_sorted()
        self._last_sku = skus[-1]
        self.zero_prices = self.zero_prices or bool(good["price"].str.contains(r"^[0.]+$").any())

    def fingerprints(self, rows: int) -> Iterator[pl.Series]:
        """Of every well-formed row in file order, `rows` at a time."""
        return self._prints.hashes(rows)

    def repeated_rows(self, known: KnownRows | None) -> tuple[list[int], int]:
        """Rows whose text stood in the file before, in file order, and how many of them are
        `known` ones.
        """
        alike = self._prints.alike()
        again = alike.filter(~pl.col("fingerprint").is_first_distinct())
        of_known = 0 if known is None or again.is_empty() else known.holds(again["fingerprint"])
        return again["row_no"].to_list(), of_known

    def doubtful_rows(self) -> pl.Series:
        """Rows that share SKU, unit, currency and minimum quantity with another."""
        return self._keys.alike()["row_no"]

    def skus_count(self) -> int:
        return self._skus.distinct()

    def close(self) -> None:
        for kept in (self._prints, self._keys, self._skus):
            kept.close()


async def run(
    connection: Connection,
    source: Source,
    open_file: OpenFile,
    *,
    turns: asyncio.Semaphore,
    ask: Ask,
    progress: Callable[[Intake], Awaitable[None]],
) -> Intake:
    """Read the whole file into staging; `progress` is told after every batch. Raises Unreadable.
    Whoever receives the result closes it.
    """
    try:
        return await _attempt(connection, source, open_file, turns, ask, progress)
    except Unrecognised:
        # Not UTF-8 after all: look at the whole file, and begin anew.
        encoding = await _recognised(source, open_file)
    source = source._replace(recognised=encoding)
    return await _attempt(connection, source, open_file, turns, ask, progress)


async def _recognised(source: Source, open_file: OpenFile) -> str:
    sample = encodings.Sample()
    async for piece, _ in _unpacked(open_file()):
        await in_thread(sample.add, piece)
    sample.end()
    try:
        return await in_thread(encodings.recognise, sample, source.remembered.encoding)
    except Unclear as unclear:
        raise opening.unclear_encoding(unclear) from None


async def _attempt(
    connection: Connection,
    source: Source,
    open_file: OpenFile,
    turns: asyncio.Semaphore,
    ask: Ask,
    progress: Callable[[Intake], Awaitable[None]],
) -> Intake:
    intake = Intake()
    tables = tables_of(source.import_id)
    await staging.create(connection, tables)
    plain = _counted(_unpacked(open_file()), intake)

    async def store(rows: bytes) -> None:
        if rows:
            await staging.copy_rows(connection, tables, rows)
        await progress(intake)

    try:
        async with (
            asyncio.TaskGroup() as both,
            aclosing(_looked_at(source, plain, intake, turns, ask)) as batches,
        ):
            storing: asyncio.Task[None] | None = None
            async for rows in batches:
                # One batch is stored while the next one is looked at, and no third one waits.
                if storing is not None:
                    await storing
                storing = both.create_task(store(rows))
    except BaseException as wrong:
        intake.close()
        if isinstance(wrong, BaseExceptionGroup):
            raise _first(wrong) from None
        raise
    return intake


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The reason among its consequences."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return _first(error)
        if isinstance(error, (Unreadable, Unrecognised)):
            return error
    return group.exceptions[0]


async def _unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[bytes, int]]:
    """Plain pieces with the stored bytes each took; gzip is seen by its first bytes."""
    gunzip: Gunzip | None = None
    first = True
    async for chunk in chunks:
        if first and chunk[:2] == MAGIC:
            gunzip = Gunzip()
        first = False
        if gunzip is None:
            yield chunk, len(chunk)
            continue
        taken = len(chunk)
        for piece in await in_thread(gunzip.feed, chunk):
            yield piece, taken
            taken = 0
    if gunzip is not None:
        gunzip.end()


async def _counted(
    pieces: AsyncIterator[tuple[bytes, int]], intake: Intake
) -> AsyncIterator[bytes]:
    """Pieces of about FEED_BYTES."""
    held: list[bytes] = []
    size = 0
    async for piece, taken in pieces:
        held.append(piece)
        size += len(piece)
        intake.bytes_done += taken
        if size >= FEED_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


async def _looked_at(
    source: Source,
    plain: AsyncIterator[bytes],
    intake: Intake,
    turns: asyncio.Semaphore,
    ask: Ask,
) -> AsyncGenerator[bytes, None]:
    """Good rows as texts for staging. Nothing else of a batch outlives its turn."""

    def begin(reading: Reading) -> None:
        intake.dialect, intake.seed = reading.dialect, reading.seed

    def look(make: Callable[[], RawBatch | None], how: Check) -> bytes | None:
        batch = make()
        if batch is None:
            return None
        checked = check(batch.frame, how)
        intake.add(batch, checked)
        return as_text(checked.good)

    async with aclosing(opening.batches(source, plain, ask, begin)) as feeds:
        async for make, how in feeds:
            async with turns:
                rows = await in_thread(look, make, how)
            if intake.rows > ROWS_MAX:
                raise Unreadable("too_many_rows", f"A file has at most {ROWS_MAX:,} rows.")
            if rows is not None:
                yield rows
