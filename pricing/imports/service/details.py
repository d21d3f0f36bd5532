"""What is beside the life of an upload: its comparison, its columns, rows typed by hand."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict
from pricing.imports import queries, views
from pricing.imports.compare.report import Report
from pricing.imports.queries import ImportRow
from pricing.imports.read import remembered
from pricing.imports.read.dialect import Dialect
from pricing.imports.rules import ReadingOptions
from pricing.imports.schemas import Diff, Finding, ImportView, NewPriceImport
from pricing.imports.service.life import begin, own
from pricing.imports.service.options import check_columns, checked_options


async def diff(
    session: AsyncSession,
    actor: Actor,
    import_id: UUID,
    *,
    kind: str | None = None,
    limit: int,
    cursor: str | None = None,
    sort: str | None = None,
) -> Diff:
    """What publishing changes, or changed. Raises NotFound, Conflict (not checked yet), Invalid."""
    page = queries.DIFF.page(limit, cursor, sort)
    found = await own(session, actor, import_id)
    report = msgspec.json.decode(found.report, type=Report)
    if found.state in {"published", "rolled_back"}:
        rows = await queries.published_diff(session, found, kind=kind, page=page)
    elif found.state in {"ready", "publishing"}:
        staged = await queries.staged_diff(session, found, kind=kind, page=page)
        if staged is None:
            raise Conflict("not_staged", "The comparison was lost; commit or upload again.")
        rows = staged
    else:
        raise Conflict("wrong_state", f"An upload that is {found.state} has no comparison.")
    return views.diff_view(report, *page.cut(rows))


async def findings(
    session: AsyncSession, actor: Actor, import_id: UUID, limit: int
) -> list[Finding]:
    """The first ones, in order of rows. Raises NotFound."""
    await own(session, actor, import_id)
    rows = await queries.errors_after(session, import_id, (-1, -1), limit)
    return [
        Finding(
            row=row.row,
            column=row.column,
            severity=row.severity,
            value=row.value,
            message=row.message,
            hint=row.hint,
        )
        for row in rows
    ]


async def remember_columns(
    session: AsyncSession,
    actor: Actor,
    import_id: UUID,
    columns: dict[str, str],
    now: datetime,
) -> ImportView:
    """Every next file with the header of this upload is read in this way. Raises NotFound, Invalid,
    Conflict (no header was read).
    """
    found = await own(session, actor, import_id)
    actor.require_capability("supplies")
    dialect = msgspec.json.decode(found.dialect, type=Dialect)
    if not dialect.header:
        raise Conflict("no_header", "No header was read from this file.")
    check_columns(columns)
    await _remember(session, actor, found, ReadingOptions(columns=columns), now)
    return views.import_view(found)


async def remember_reading(
    session: AsyncSession, actor: Actor, import_id: UUID, given: ReadingOptions, now: datetime
) -> ImportView:
    """The next files of this list are read in this way where they do not tell. Raises NotFound,
    Invalid.
    """
    found = await own(session, actor, import_id)
    actor.require_capability("supplies")
    await _remember(session, actor, found, checked_options(given, found.format), now)
    return views.import_view(found)


async def _remember(
    session: AsyncSession, actor: Actor, found: ImportRow, given: ReadingOptions, now: datetime
) -> None:
    header = msgspec.json.decode(found.dialect, type=Dialect).header
    if not header:
        given = msgspec.structs.replace(given, columns=None)
    supplier_id = actor.organisation_id
    await remembered.remember(session, supplier_id, found.list_id, given, header, now)


_ROW = msgspec.json.Encoder(decimal_format="number")


async def import_rows(
    session: AsyncSession,
    actor: Actor,
    data: NewPriceImport,
    rows: list[dict[str, str | Decimal]],
    now: datetime,
) -> UUID:
    """An upload of a few rows typed by hand; a worker takes it like any other. Texts are as typed,
    a Decimal has one reading. Raises as `begin` does.
    """
    begun = await begin(session, actor, data, now)
    content = b"\n".join(_ROW.encode(row) for row in rows)
    await queries.add_whole(session, begun.id, actor.organisation_id, content, now)
    return begun.id
