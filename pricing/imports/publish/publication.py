"""Publishing as one transaction whose last word is the list's version number.

New lines carry a content number that nobody reads yet and ended lines keep answering for the old
one, so readers meet no lock and see the old list until the commit, and the new one afterwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from marketplace.kernel.statements import Connection
from pricing.imports.compare.report import Report
from pricing.imports.compare.tables import Tables
from pricing.imports.publish import queries
from pricing.imports.rules import Mode


class ListMoved(Exception):
    """Somebody else published to the list since this upload was validated."""


class Publication(NamedTuple):
    """What is published, by whom, on top of which version."""

    import_id: UUID
    list_id: UUID
    mode: Mode
    validated_version: int
    published_by: UUID | None
    now: datetime


async def write(
    connection: Connection, tables: Tables, publication: Publication, report: Report
) -> int:
    """Within a transaction of the caller: write the lines and switch the version, which is
    returned. Raises ListMoved.
    """
    shown = await queries.lock_list(connection, publication.list_id)
    if shown.version != publication.validated_version or shown.content != shown.newest:
        raise ListMoved
    await queries.enlarge_memory(connection)
    if report.nothing_changes:
        if publication.mode == "replace" and report.merged:
            await queries.recognise(connection, tables, shown.list_no)
        return shown.version
    content = shown.newest + 1
    if report.ended_lines:
        await queries.end_lines(connection, tables, shown.list_no, content)
    await queries.insert_lines(connection, tables, shown.list_no, content, report)
    if publication.mode == "replace" and report.same:
        await queries.recognise(connection, tables, shown.list_no)
    former = await queries.count_lines(connection, publication.list_id, shown.version)
    version = queries.Version(
        list_id=publication.list_id,
        version=shown.version + 1,
        content=content,
        import_id=publication.import_id,
        lines=former + report.added + report.changed - report.ended_lines,
        skus=report.skus,
        published_at=publication.now,
        published_by=publication.published_by,
    )
    await queries.switch(connection, version)
    return version.version


async def settle(connection: Connection, list_id: UUID) -> None:
    """After a rollback the list shows an older content. Write that content anew as the newest one,
    so that the next upload can be compared with open lines alone. Readers notice nothing.
    """
    async with connection.transaction():
        shown = await queries.lock_list(connection, list_id)
        if shown.content != shown.newest:
            await queries.repeat_content(connection, list_id, shown)
