"""Fingerprints of a list's current lines, by which the next upload skips what it already knows."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import polars as pl

from pricing.imports.staging import Connection

LINES_MIN = 20_000
"""Below that a full comparison costs nothing worth saving."""
_CURSOR_ROWS = 50_000


async def known_rows(connection: Connection, list_id: UUID, reading: str) -> pl.Series | None:
    """Sorted fingerprints of the current version, None unless it was read in the same way."""
    data = await connection.fetchval(
        """SELECT f.fingerprints FROM price_lists l
        JOIN price_versions v ON v.list_id = l.id AND v.version = l.version
        JOIN price_import_fingerprints f ON f.import_id = v.import_id
        WHERE l.id = $1 AND f.reading = $2 AND v.reverts IS NULL""",
        list_id,
        reading,
    )
    return None if data is None else pl.read_ipc(BytesIO(data))["f"]


async def remember(
    connection: Connection,
    list_id: UUID,
    supplier_id: UUID,
    reading: str,
    prints: pl.Series | None,
) -> None:
    """Keep the fingerprints of the version that is current in this transaction, read from its
    lines when `prints` is None. Those of older versions are of no more use.
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
    if prints is None:
        prints = await _of_lines(connection, row["list_no"])
    if prints is None:
        return
    file = BytesIO()
    ordered = prints.sort()
    first = (ordered != ordered.shift(1)).fill_null(value=True)
    pl.DataFrame({"f": ordered.filter(first)}).write_ipc(file)
    await connection.execute(
        "INSERT INTO price_import_fingerprints VALUES ($1, $2, $3, $4)",
        row["import_id"],
        supplier_id,
        reading,
        file.getvalue(),
    )


async def _of_lines(connection: Connection, list_no: int) -> pl.Series | None:
    """None when some line has none, so that a later upload compares everything."""
    parts: list[pl.Series] = []
    batch: list[int] = []
    async for (print_,) in connection.cursor(
        "SELECT fingerprint FROM price_lines WHERE list_no = $1 AND until IS NULL",
        list_no,
        prefetch=_CURSOR_ROWS,
    ):
        if print_ is None:
            return None
        batch.append(print_)
        if len(batch) == _CURSOR_ROWS:
            parts.append(pl.Series(batch, dtype=pl.Int64))
            batch = []
    parts.append(pl.Series(batch, dtype=pl.Int64))
    return pl.concat(parts).reinterpret(signed=False)
