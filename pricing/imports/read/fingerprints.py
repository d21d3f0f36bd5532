"""Fingerprints of a list's current lines, by which the next upload skips what it already knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from uuid import UUID

import polars as pl

from marketplace.kernel.statements import Connection
from pricing.imports.read import queries
from pricing.imports.read.known import PART_ROWS, KnownRows, stored
from pricing.imports.threads import in_thread

LINES_MIN = 20_000
"""Below that a full comparison costs nothing worth saving."""


async def known_rows(connection: Connection, list_id: UUID, reading: str) -> KnownRows | None:
    """The rows of the current version, None unless they are remembered as read in the same way.
    Whoever receives them closes them.
    """
    known = KnownRows()
    try:
        async with aclosing(queries.known_parts(connection, list_id, reading)) as parts:
            async for part in parts:
                await in_thread(known.add, part)
    except BaseException:
        known.close()
        raise
    if known.rows:
        return known
    known.close()
    return None


async def remember(
    connection: Connection,
    list_id: UUID,
    supplier_id: UUID,
    reading: str,
    prints: Iterable[pl.Series] | None,
) -> None:
    """Keep the fingerprints of the version that is current in this transaction: `prints`, which
    must be those of its lines, each once, in parts of PART_ROWS; read from the lines when None.
    """
    current = await queries.current_of(connection, list_id)
    await queries.forget_parts(connection, list_id)
    if current is None or current.import_id is None or current.lines < LINES_MIN:
        return
    parts = _of_lines(connection, current.list_no) if prints is None else _each(prints)
    n = 0
    async for part in parts:
        await queries.keep_part(
            connection, current.import_id, supplier_id, reading, n, stored(part)
        )
        n += 1


async def _each(parts: Iterable[pl.Series]) -> AsyncIterator[pl.Series]:
    for part in parts:
        yield part


async def _of_lines(connection: Connection, list_no: int) -> AsyncIterator[pl.Series]:
    """None at all when some line has none, or shares it, so that a later upload compares
    everything.
    """
    if not await queries.fingerprints_differ(connection, list_no):
        return
    batch: list[int] = []
    async for fingerprint in queries.fingerprints_of_lines(connection, list_no):
        batch.append(fingerprint)
        if len(batch) == PART_ROWS:
            yield pl.Series(batch, dtype=pl.Int64).reinterpret(signed=False)
            batch = []
    if batch:
        yield pl.Series(batch, dtype=pl.Int64).reinterpret(signed=False)
