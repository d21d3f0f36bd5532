"""Every SELECT of uploads for requests; the worker's set statements stand with their stages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import DateTime, Integer, Numeric, RowMapping, String, Uuid, column, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.pages import Page, Sorting, rows_of
from pricing.imports.rules import Format, Mode, OnError, State
from pricing.imports.staging import tables_of


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One upload as stored; `dialect`, `report` and `stages` are JSON texts."""

    id: UUID
    supplier_id: UUID
    list_id: UUID
    mode: Mode
    format: Format
    on_error: OnError
    dry_run: bool
    base_version: int | None
    sha256: str | None
    file_name: str | None
    state: State
    stages: str
    failure_code: str | None
    failure_detail: str | None
    dialect: str
    report: str
    rows_read: int
    rows_valid: int
    rows_invalid: int
    rows_applied: int
    rows_unchanged: int
    rows_held: int
    bytes_done: int
    bytes_total: int
    validated_version: int | None
    version: int | None
    held_import_id: UUID | None
    commit_wanted: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


_JSON = ("stages", "dialect", "report")
_SELECT = "SELECT {names} FROM price_imports ".replace(
    "{names}",
    ", ".join(
        f"{name}::text AS {name}" if name in _JSON else name for name in ImportRow.__struct_fields__
    ),
)


async def find(session: AsyncSession, import_id: UUID, *, lock: bool = False) -> ImportRow | None:
    told = _SELECT + "WHERE id = :id" + (" FOR UPDATE" if lock else "")
    row = (await session.execute(text(told), {"id": import_id})).mappings().one_or_none()
    return None if row is None else ImportRow(**row)


_IMPORT_ID = column("id", Uuid)
IMPORTS = Sorting(
    _IMPORT_ID,
    created_at=_IMPORT_ID,
    state=column("state", String),
    file_name=column("file_name", String),
    ended_at=column("ended_at", DateTime(timezone=True)),
    nullable=["file_name", "ended_at"],
)


async def browse(
    session: AsyncSession,
    supplier_id: UUID,
    *,
    list_id: UUID | None,
    state: str | None,
    page: Page,
) -> list[ImportRow]:
    """One more than the page holds when there are more."""
    imports = (
        _SELECT
        + """WHERE supplier_id = :supplier AND (CAST(:list AS uuid) IS NULL OR list_id = :list)
        AND (CAST(:state AS text) IS NULL OR state = :state)"""
    )
    values = {"supplier": supplier_id, "list": list_id, "state": state}
    rows = await session.execute(page.of(rows_of(imports)), values)
    return [ImportRow(**row) for row in rows.mappings()]


async def errors_after(
    session: AsyncSession, import_id: UUID, after: tuple[int, int], limit: int
) -> Sequence[RowMapping]:
    """Findings in order of rows."""
    rows = await session.execute(
        text(
            """SELECT row_no, n, "column", code, severity, value, message, hint
            FROM price_import_errors WHERE import_id = :id
            AND (row_no, n) > (CAST(:row AS integer), CAST(:n AS integer))
            ORDER BY row_no, n LIMIT :limit"""
        ),
        {"id": import_id, "row": after[0], "n": after[1], "limit": limit},
    )
    return rows.mappings().all()


async def rejects_after(
    session: AsyncSession, import_id: UUID, after: int, limit: int
) -> Sequence[RowMapping]:
    """Rows that were not taken, with what was found in them."""
    rows = await session.execute(
        text(
            """SELECT r.row_no, r.cells::text AS cells,
                (SELECT string_agg(DISTINCT concat_ws(':', e."column", e.code), ' ')
                    FROM price_import_errors e
                    WHERE e.import_id = r.import_id AND e.row_no = r.row_no) AS codes,
                (SELECT string_agg(concat_ws(' ', e.message, e.hint), ' ' ORDER BY e.n)
                    FROM price_import_errors e
                    WHERE e.import_id = r.import_id AND e.row_no = r.row_no) AS messages
            FROM price_import_rejects r WHERE r.import_id = :id AND r.row_no > :after
            ORDER BY r.row_no LIMIT :limit"""
        ),
        {"id": import_id, "after": after, "limit": limit},
    )
    return rows.mappings().all()


class DiffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a diff; prices are None on the side where the line does not exist.

    `from_quantity`, `since` and `line` tell apart the lines of one SKU: a ladder has several of one
    quantity, each for its own period.
    """

    kind: str
    sku: str
    min_quantity: Decimal | None
    unit: str | None
    row_no: int | None
    currency: str | None
    old_price: Decimal | None
    old_price_unit: Decimal | None
    new_price: Decimal | None
    new_price_unit: Decimal | None
    reason: str | None
    from_quantity: Decimal
    since: int
    line: int


_DIFF_SKU = column("sku", String)
_DIFF_KIND = column("kind", String)
DIFF = Sorting(
    _DIFF_SKU,
    _DIFF_KIND,
    column("from_quantity", Numeric),
    column("since", Integer),
    column("line", Integer),
    default="sku",
    sku=_DIFF_SKU,
    kind=_DIFF_KIND,
)
_DIFF = """SELECT *, coalesce(min_quantity, 1) AS from_quantity FROM ({lines}) diff
    WHERE CAST(:kind AS text) IS NULL OR kind = :kind"""

# Before publishing: the staging tables know. x decides before s and d do.
_STAGED_DIFF = _DIFF.replace(
    "{lines}",
    """SELECT CASE WHEN x.sku IS NOT NULL THEN 'held' WHEN d.op = 'change' THEN 'changed'
            ELSE 'added' END AS kind,
        s.sku, coalesce(d.min_quantity, s.min_quantity, 1) AS min_quantity,
        coalesce(d.unit, s.unit) AS unit, s.row_no, coalesce(d.currency, s.currency) AS currency,
        d.old_price, d.old_price_unit, coalesce(d.price, s.price) AS new_price,
        coalesce(d.price_unit, s.price_unit, 1) AS new_price_unit,
        (SELECT string_agg(e.code || ': ' || e.message, ' ') FROM price_import_errors e
            WHERE e.import_id = :id AND e.row_no = s.row_no AND e.severity = 'held') AS reason,
        0 AS since, s.row_no AS line
    FROM {s} s {join} LEFT JOIN (SELECT DISTINCT sku FROM {x} WHERE reason = 'held') x
        ON x.sku = s.sku
    WHERE ({op} IS DISTINCT FROM 'same' OR x.sku IS NOT NULL)
        AND NOT EXISTS (SELECT FROM {x} y WHERE y.sku = s.sku AND y.reason = 'error')
    UNION ALL
    SELECT 'removed', l.sku, l.min_quantity, l.unit, NULL, l.currency, l.price, l.price_unit,
        NULL, NULL, NULL, l.since, l.row_no
    FROM {g} g JOIN price_lists pl ON pl.id = :list
    JOIN price_lines l ON l.list_no = pl.list_no AND l.sku = g.sku
        AND l.min_quantity = g.min_quantity AND l.since = g.since AND l.row_no = g.row_no
    {not_changed}""",
)
_JOIN = "LEFT JOIN {d} d ON d.row_no = s.row_no"
_NO_JOIN = """LEFT JOIN (SELECT NULL::integer AS row_no, NULL::text AS op, NULL::text AS unit,
    NULL::text AS currency, NULL::numeric AS min_quantity, NULL::numeric AS old_price,
    NULL::numeric AS old_price_unit, NULL::numeric AS price, NULL::numeric AS price_unit) d
    ON false"""
_NOT_CHANGED = """WHERE NOT EXISTS (SELECT FROM {d} d WHERE d.old_since = l.since
    AND d.old_row = l.row_no AND d.sku = l.sku AND d.op = 'change')"""

# Afterwards: the lines themselves know, for ever.
_PUBLISHED_DIFF = _DIFF.replace(
    "{lines}",
    """SELECT CASE WHEN o.sku IS NULL THEN 'added' ELSE 'changed' END AS kind, n.sku,
        n.min_quantity, n.unit, n.row_no, n.currency, o.price AS old_price,
        o.price_unit AS old_price_unit, n.price AS new_price, n.price_unit AS new_price_unit,
        NULL::text AS reason, n.since, n.row_no AS line
    FROM price_lines n LEFT JOIN LATERAL (
        SELECT * FROM price_lines o WHERE o.list_no = n.list_no AND o.sku = n.sku
            AND o.min_quantity = n.min_quantity AND o.unit = n.unit AND o.currency = n.currency
            AND o.until = :content
        ORDER BY o.valid_from IS NOT DISTINCT FROM n.valid_from DESC LIMIT 1) o ON true
    WHERE n.list_no = :list_no AND n.since = :content
        AND (CAST(:after AS text) IS NULL OR n.sku >= :after)
    UNION ALL
    SELECT 'removed', o.sku, o.min_quantity, o.unit, NULL, o.currency, o.price, o.price_unit,
        NULL, NULL, NULL, o.since, o.row_no
    FROM price_lines o WHERE o.list_no = :list_no AND o.until = :content
        AND (CAST(:after AS text) IS NULL OR o.sku >= :after)
        AND NOT EXISTS (SELECT FROM price_lines n WHERE n.list_no = o.list_no AND n.sku = o.sku
            AND n.min_quantity = o.min_quantity AND n.unit = o.unit AND n.currency = o.currency
            AND n.since = :content)
    UNION ALL
    SELECT 'held', r.cells -> 'cells' ->> 'sku',
        CAST(r.cells -> 'cells' ->> 'min_quantity' AS numeric), r.cells -> 'cells' ->> 'unit',
        r.row_no, r.cells -> 'cells' ->> 'currency', NULL, NULL,
        CAST(r.cells -> 'cells' ->> 'price' AS numeric),
        CAST(coalesce(r.cells -> 'cells' ->> 'price_unit', '1') AS numeric),
        (SELECT string_agg(e.code || ': ' || e.message, ' ') FROM price_import_errors e
            WHERE e.import_id = :id AND e.row_no = r.row_no AND e.severity = 'held'),
        0, r.row_no
    FROM price_import_rejects r WHERE r.import_id = :id AND r.cells ->> 'reason' = 'held'""",
)


async def staged_diff(
    session: AsyncSession, found: ImportRow, *, merged: bool, kind: str | None, page: Page
) -> list[DiffRow] | None:
    """None when the staging tables are gone (PostgreSQL crashed); the next commit reads again."""
    tables = tables_of(found.id)
    if await session.scalar(text("SELECT to_regclass(:name)"), {"name": tables.s}) is None:
        return None
    told = _STAGED_DIFF.replace("{join}", _JOIN if merged else _NO_JOIN)
    told = told.replace("{op}", "d.op").replace("{not_changed}", _NOT_CHANGED if merged else "")
    rows = await session.execute(
        page.of(rows_of(tables.sql(told))), {"id": found.id, "list": found.list_id, "kind": kind}
    )
    return [DiffRow(**row) for row in rows.mappings()]


async def published_diff(
    session: AsyncSession, found: ImportRow, *, kind: str | None, page: Page
) -> list[DiffRow]:
    where = await session.execute(
        text(
            """SELECT l.list_no, coalesce(v.content, -1) AS content FROM price_lists l
            LEFT JOIN price_versions v ON v.list_id = l.id AND v.version = :version
                AND v.import_id = :id WHERE l.id = :list"""
        ),
        {"id": found.id, "list": found.list_id, "version": found.version},
    )
    values = {"id": found.id, "kind": kind, "after": None} | dict(where.mappings().one())
    if page.after is not None and page.sort == "sku":
        values["after"] = page.after[0]  # spares the index the lines of the pages before
    rows = await session.execute(page.of(rows_of(_PUBLISHED_DIFF)), values)
    return [DiffRow(**row) for row in rows.mappings()]


async def list_version(session: AsyncSession, list_id: UUID, *, lock: bool = False) -> RowMapping:
    told = "SELECT version, content, last_content FROM price_lists WHERE id = :id"
    told += " FOR NO KEY UPDATE" if lock else ""
    return (await session.execute(text(told), {"id": list_id})).mappings().one()


async def version_row(session: AsyncSession, list_id: UUID, version: int) -> RowMapping | None:
    rows = await session.execute(
        text("SELECT * FROM price_versions WHERE list_id = :id AND version = :version"),
        {"id": list_id, "version": version},
    )
    return rows.mappings().one_or_none()


async def remembered_columns(
    session: AsyncSession, supplier_id: UUID, header: bytes
) -> dict[str, str] | None:
    found = await session.scalar(
        text(
            "SELECT columns::text FROM column_mappings"
            " WHERE supplier_id = :supplier AND header_hash = :header"
        ),
        {"supplier": supplier_id, "header": header},
    )
    return None if found is None else msgspec.json.decode(found, type=dict[str, str])
