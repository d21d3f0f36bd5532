"""Fingerprints of a list's current lines, by which the next upload skips what it already knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from uuid import UUID

import polars as pl

from pricing.imports.known import PART_ROWS, KnownRows, stored
from pricing.imports.staging import Connection
from pricing.imports.threads import in_thread

LINES_MIN = 20_000
"""Below that a full comparison costs nothing worth saving."""
_CURSOR_ROWS = 8_192
_PARTS = """SELECT f.fingerprints FROM price_lists l
    JOIN price_versions v ON v.list_id = l.id AND v.version = l.version
    JOIN price_import_fingerprints f ON f.import_id = v.import_id
    WHERE l.id = $1 AND f.reading = $2 AND v.reverts IS NULL ORDER BY f.n"""


async def known_rows(connection: Connection, list_id: UUID, reading: str) -> KnownRows | None:
    """The rows of the current version, None unless they are remembered as read in the same way.
    Whoever receives them closes them.
    """
    known = KnownRows()
    try:
        async with connection.transaction():
            # One snapshot: an upload that publishes meanwhile takes no part of it away.
            async for (part,) in connection.cursor(_PARTS, list_id, reading, prefetch=1):
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
    Those of older versions are of no more use.
    """
    row = await connection.fetchrow(
        """SELECT l.list_no, v.import_id, v.lines FROM price_lists l
        JOIN price_versions v ON v.list_id = l.id AND v.version = l.version WHERE l.id = $1""",
        list_id,
    )
    await connection.execute(
        """DELETE FROM price_import_fingerprints f USING price_imports i
        WHERE f.import_id = i.id AND i.list_id = $1""",
        list_id,
    )
    if row is None or row["import_id"] is None or row["lines"] < LINES_MIN:
        return
    parts = _of_lines(connection, row["list_no"]) if prints is None else _each(prints)
    n = 0
    async for part in parts:
        await connection.execute(
            """INSERT INTO price_import_fingerprints
                (import_id, supplier_id, reading, n, fingerprints) VALUES ($1, $2, $3, $4, $5)""",
            row["import_id"],
            supplier_id,
            reading,
            n,
            stored(part),
        )
        n += 1


async def _each(parts: Iterable[pl.Series]) -> AsyncIterator[pl.Series]:
    for part in parts:
        yield part


async def _of_lines(connection: Connection, list_no: int) -> AsyncIterator[pl.Series]:
    """None at all when some line has none, or shares it, so that a later upload compares
    everything.
    """
    current = "FROM price_lines WHERE list_no = $1 AND until IS NULL"
    twice = f"SELECT count(*) > count(DISTINCT fingerprint) {current}"
    if await connection.fetchval(twice, list_no):
        return
    batch: list[int] = []
    async for (print_,) in connection.cursor(
        f"SELECT fingerprint {current}", list_no, prefetch=_CURSOR_ROWS
    ):
        batch.append(print_)
        if len(batch) == PART_ROWS:
            yield pl.Series(batch, dtype=pl.Int64).reinterpret(signed=False)
            batch = []
    if batch:
        yield pl.Series(batch, dtype=pl.Int64).reinterpret(signed=False)
