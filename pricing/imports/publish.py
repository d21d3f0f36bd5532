"""Publishing as one transaction whose last word is the list's version number.

New lines carry a content number that nobody reads yet and ended lines keep answering for the old
one, so readers meet no lock and see the old list until the commit, and the new one afterwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pricing.imports.columns import LIST
from pricing.imports.compare import Report, effective
from pricing.imports.staging import Connection, Tables

WORK_MEMORY = "64MB"


class ListMoved(Exception):
    """Somebody else published to the list since this upload was validated."""


class Publication(NamedTuple):
    """What is published, by whom, on top of which version."""

    import_id: UUID
    list_id: UUID
    list_no: int
    mode: str
    validated_version: int
    published_by: UUID | None
    now: datetime


_INSERT = f"""INSERT INTO price_lines (list_no, since, row_no, fingerprint, {LIST})
    SELECT $1, $2, row_no, fingerprint, {LIST}
    FROM ({{effective}}) e {{where}} {{order}}"""  # noqa: S608  # constants only
_NOT_SAME = "e.op <> 'same'"
_NOT_LEFT = "NOT EXISTS (SELECT FROM {x} x WHERE x.sku = e.sku)"
# The index grows by far faster in its own order.
_ORDER = "ORDER BY sku, min_quantity"

# Each line is looked up by the index and changed in its place, however large the table is.
_END = """UPDATE price_lines SET until = $2 WHERE ctid = ANY (ARRAY(
    SELECT old.ctid FROM {g} g CROSS JOIN LATERAL (SELECT p.ctid FROM price_lines p
        WHERE p.list_no = $1 AND p.sku = g.sku AND p.until IS NULL
            AND p.min_quantity = g.min_quantity AND p.since = g.since AND p.row_no = g.row_no
        OFFSET 0) old))"""
# The same prices, written differently: from now on they are recognised as written last.
_RECOGNISE = """UPDATE price_lines l SET fingerprint = d.fingerprint
    FROM (SELECT * FROM {d} WHERE op = 'same'
        AND old_fingerprint IS DISTINCT FROM fingerprint) d
    CROSS JOIN LATERAL (SELECT p.ctid FROM price_lines p
        WHERE p.list_no = $1 AND p.sku = d.sku AND p.until IS NULL
            AND p.min_quantity = d.old_min_quantity AND p.since = d.old_since
            AND p.row_no = d.old_row
        OFFSET 0) old
    WHERE l.ctid = old.ctid"""


# The place of a line is joined in loops or by reading the lines of every list there is.
_IN_LOOPS = (
    "SET LOCAL enable_nestloop = on",
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_mergejoin = off",
)


async def lock_list(connection: Connection, publication: Publication) -> tuple[int, int, int]:
    """(version, content, newest content) of the list, which nobody else publishes to until this
    transaction ends. Raises ListMoved.
    """
    row = await connection.fetchrow(
        "SELECT version, content, last_content FROM price_lists WHERE id = $1 FOR NO KEY UPDATE",
        publication.list_id,
    )
    if row["version"] != publication.validated_version or row["content"] != row["last_content"]:
        raise ListMoved
    return row["version"], row["content"], row["last_content"]


async def write(
    connection: Connection, tables: Tables, publication: Publication, report: Report
) -> int:
    """Within a transaction of the caller: write the lines and switch the version, which is
    returned. Raises ListMoved.
    """
    await connection.execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
    version, _, newest = await lock_list(connection, publication)
    if report.nothing_changes:
        if publication.mode == "replace" and report.merged:
            await _recognise(connection, tables, publication)
        return version
    content = newest + 1
    conditions = [_NOT_SAME] if report.merged else []
    if report.held or report.rejected:
        conditions.append(_NOT_LEFT)
    told = _INSERT.replace("{effective}", effective(tables, merged=report.merged))
    told = told.replace("{where}", "WHERE " + " AND ".join(conditions) if conditions else "")
    told = told.replace("{order}", "" if report.sorted and not report.merged else _ORDER)
    if report.ended_lines:
        await connection.execute(tables.sql(_END), publication.list_no, content)
    await connection.execute(tables.sql(told), publication.list_no, content)
    if publication.mode == "replace" and report.same:
        await _recognise(connection, tables, publication)
    await _switch(connection, publication, version + 1, content, report)
    return version + 1


async def _recognise(connection: Connection, tables: Tables, publication: Publication) -> None:
    for setting in _IN_LOOPS:
        await connection.execute(setting)
    await connection.execute(tables.sql(_RECOGNISE), publication.list_no)


async def _switch(
    connection: Connection, publication: Publication, version: int, content: int, report: Report
) -> None:
    former = await connection.fetchval(
        "SELECT lines FROM price_versions WHERE list_id = $1 AND version = $2",
        publication.list_id,
        version - 1,
    )
    lines = (former or 0) + report.added + report.changed - report.ended_lines
    await connection.execute(
        """INSERT INTO price_versions (list_id, version, content, import_id, lines, skus,
            published_at, published_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        publication.list_id,
        version,
        content,
        publication.import_id,
        lines,
        report.skus,
        publication.now,
        publication.published_by,
    )
    await connection.execute(
        "UPDATE price_lists SET version = $2, content = $3, last_content = $3 WHERE id = $1",
        publication.list_id,
        version,
        content,
    )


_RETURNED = f"""INSERT INTO price_lines (list_no, since, row_no, {LIST})
    SELECT list_no, $3, row_number() OVER (ORDER BY sku, min_quantity, since, row_no), {LIST}
    FROM price_lines WHERE list_no = $1 AND since <= $2 AND until > $2"""  # noqa: S608  # constants only


async def settle(connection: Connection, list_id: UUID) -> None:
    """After a rollback the list shows an older content. Write that content anew as the newest one,
    so that the next upload can be compared with open lines alone. Readers notice nothing.
    """
    async with connection.transaction():
        row = await connection.fetchrow(
            "SELECT list_no, version, content, last_content FROM price_lists WHERE id = $1"
            " FOR NO KEY UPDATE",
            list_id,
        )
        shown, newest = row["content"], row["last_content"]
        if shown == newest:
            return
        content = newest + 1
        await connection.execute(
            "UPDATE price_lines SET until = $3 WHERE list_no = $1 AND until IS NULL AND since > $2",
            row["list_no"],
            shown,
            content,
        )
        await connection.execute(_RETURNED, row["list_no"], shown, content)
        await connection.execute(
            "UPDATE price_versions SET content = $3 WHERE list_id = $1 AND version = $2",
            list_id,
            row["version"],
            content,
        )
        await connection.execute(
            "UPDATE price_lists SET content = $2, last_content = $2 WHERE id = $1",
            list_id,
            content,
        )
