"""The lines and versions that publishing writes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from marketplace.kernel.statements import Connection
from pricing.imports.columns import LIST
from pricing.imports.compare.queries.rows import effective
from pricing.imports.compare.report import Report
from pricing.imports.compare.tables import Tables

WORK_MEMORY = "64MB"
"""For sorting and hashing millions of lines; a worker publishes few lists at once."""


class Shown(NamedTuple):
    """A list at its version; `newest` is the newest content there is, shown or not."""

    list_no: int
    version: int
    content: int
    newest: int


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a list, as it is stored."""

    list_id: UUID
    version: int
    content: int
    import_id: UUID
    lines: int
    skus: int
    published_at: datetime
    published_by: UUID | None


async def lock_list(connection: Connection, list_id: UUID) -> Shown:
    """Nobody else publishes to it until this transaction ends."""
    row = await connection.fetchrow(
        "SELECT list_no, version, content, last_content FROM price_lists WHERE id = $1"
        " FOR NO KEY UPDATE",
        list_id,
    )
    return Shown(*row)


async def enlarge_memory(connection: Connection) -> None:
    """For the rest of the transaction."""
    await connection.execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")


async def end_lines(connection: Connection, tables: Tables, list_no: int, content: int) -> None:
    """Each line is looked up by the index and changed in its place, however large the table is."""
    await connection.execute(
        f"""UPDATE price_lines SET until = $2 WHERE ctid = ANY (ARRAY(
        SELECT old.ctid FROM {tables.g} g CROSS JOIN LATERAL (SELECT p.ctid FROM price_lines p
            WHERE p.list_no = $1 AND p.sku = g.sku AND p.until IS NULL
                AND p.min_quantity = g.min_quantity AND p.since = g.since AND p.row_no = g.row_no
            OFFSET 0) old))""",
        list_no,
        content,
    )


async def insert_lines(
    connection: Connection, tables: Tables, list_no: int, content: int, report: Report
) -> None:
    conditions = ["e.op <> 'same'"] if report.merged else []
    if report.held or report.rejected:
        conditions.append(f"NOT EXISTS (SELECT FROM {tables.x} x WHERE x.sku = e.sku)")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    # The index grows by far faster in its own order.
    order = "" if report.sorted and not report.merged else "ORDER BY sku, min_quantity"
    await connection.execute(
        f"""INSERT INTO price_lines (list_no, since, row_no, fingerprint, {LIST})
        SELECT $1, $2, row_no, fingerprint, {LIST}
        FROM ({effective(tables, merged=report.merged)}) e {where} {order}""",
        list_no,
        content,
    )


async def recognise(connection: Connection, tables: Tables, list_no: int) -> None:
    """The same prices, written differently: from now on they are recognised as written last."""
    # The place of a line is joined in loops or by reading the lines of every list there is.
    await connection.execute("SET LOCAL enable_nestloop = on")
    await connection.execute("SET LOCAL enable_hashjoin = off")
    await connection.execute("SET LOCAL enable_mergejoin = off")
    await connection.execute(
        f"""UPDATE price_lines l SET fingerprint = d.fingerprint
        FROM (SELECT * FROM {tables.d} WHERE op = 'same'
            AND old_fingerprint IS DISTINCT FROM fingerprint) d
        CROSS JOIN LATERAL (SELECT p.ctid FROM price_lines p
            WHERE p.list_no = $1 AND p.sku = d.sku AND p.until IS NULL
                AND p.min_quantity = d.old_min_quantity AND p.since = d.old_since
                AND p.row_no = d.old_row
            OFFSET 0) old
        WHERE l.ctid = old.ctid""",
        list_no,
    )


async def count_lines(connection: Connection, list_id: UUID, version: int) -> int:
    """Of a version; none before the first one."""
    lines: int | None = await connection.fetchval(
        "SELECT lines FROM price_versions WHERE list_id = $1 AND version = $2", list_id, version
    )
    return lines or 0


async def switch(connection: Connection, new: Version) -> None:
    await connection.execute(
        """INSERT INTO price_versions (list_id, version, content, import_id, lines, skus,
            published_at, published_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *msgspec.structs.astuple(new),
    )
    await connection.execute(
        "UPDATE price_lists SET version = $2, content = $3, last_content = $3 WHERE id = $1",
        new.list_id,
        new.version,
        new.content,
    )


async def repeat_content(connection: Connection, list_id: UUID, shown: Shown) -> None:
    """Write the shown content anew, as the newest one."""
    content = shown.newest + 1
    await connection.execute(
        "UPDATE price_lines SET until = $3 WHERE list_no = $1 AND until IS NULL AND since > $2",
        shown.list_no,
        shown.content,
        content,
    )
    await connection.execute(
        f"""INSERT INTO price_lines (list_no, since, row_no, {LIST})
        SELECT list_no, $3, row_number() OVER (ORDER BY sku, min_quantity, since, row_no), {LIST}
        FROM price_lines WHERE list_no = $1 AND since <= $2 AND until > $2""",
        shown.list_no,
        shown.content,
        content,
    )
    await connection.execute(
        "UPDATE price_versions SET content = $3 WHERE list_id = $1 AND version = $2",
        list_id,
        shown.version,
        content,
    )
    await connection.execute(
        "UPDATE price_lists SET content = $2, last_content = $2 WHERE id = $1", list_id, content
    )
