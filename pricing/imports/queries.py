"""Uploads as requests read and change them; the statements of the worker stand with its stages."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import DateTime, Integer, Numeric, String, Uuid, column, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.pages import Page, Sorting, rows_of
from pricing.imports.compare.tables import Tables, tables_of
from pricing.imports.rules import UNFINISHED, Format, Mode, OnError, State


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
_NAMES = ", ".join(
    f"{name}::text AS {name}" if name in _JSON else name for name in ImportRow.__struct_fields__
)
_SELECT = f"SELECT {_NAMES} FROM price_imports "


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


class Finding(NamedTuple):
    """One entry of the report; `n` numbers those of a row."""

    row: int
    n: int
    column: str | None
    code: str
    severity: str
    value: str | None
    message: str
    hint: str | None


class Reject(NamedTuple):
    """A row that was not taken, as JSON, with what was found in it."""

    row: int
    cells: str
    codes: str | None
    messages: str | None


async def errors_after(
    session: AsyncSession, import_id: UUID, after: tuple[int, int], limit: int
) -> list[Finding]:
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
    return [Finding(*row) for row in rows]


async def rejects_after(
    session: AsyncSession, import_id: UUID, after: int, limit: int
) -> list[Reject]:
    """Rows that were not taken, in their order."""
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
    return [Reject(*row) for row in rows]


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


def _diff(lines: str) -> str:
    return f"""SELECT *, coalesce(min_quantity, 1) AS from_quantity FROM ({lines}) diff
    WHERE CAST(:kind AS text) IS NULL OR kind = :kind"""


def _staged_diff(tables: Tables) -> str:
    """Before publishing: the staging tables know. x decides before s and d do."""
    return _diff(
        f"""SELECT CASE WHEN x.sku IS NOT NULL THEN 'held' WHEN d.op = 'change' THEN 'changed'
            ELSE 'added' END AS kind,
        s.sku, coalesce(d.min_quantity, s.min_quantity, 1) AS min_quantity,
        coalesce(d.unit, s.unit) AS unit, s.row_no, coalesce(d.currency, s.currency) AS currency,
        d.old_price, d.old_price_unit, coalesce(d.price, s.price) AS new_price,
        coalesce(d.price_unit, s.price_unit, 1) AS new_price_unit,
        (SELECT string_agg(e.code || ': ' || e.message, ' ') FROM price_import_errors e
            WHERE e.import_id = :id AND e.row_no = s.row_no AND e.severity = 'held') AS reason,
        0 AS since, s.row_no AS line
    FROM {tables.s} s LEFT JOIN {tables.d} d ON d.row_no = s.row_no
    LEFT JOIN (SELECT DISTINCT sku FROM {tables.x} WHERE reason = 'held') x ON x.sku = s.sku
    WHERE (d.op IS DISTINCT FROM 'same' OR x.sku IS NOT NULL)
        AND NOT EXISTS (SELECT FROM {tables.x} y WHERE y.sku = s.sku AND y.reason = 'error')
    UNION ALL
    SELECT 'removed', l.sku, l.min_quantity, l.unit, NULL, l.currency, l.price, l.price_unit,
        NULL, NULL, NULL, l.since, l.row_no
    FROM {tables.g} g JOIN price_lists pl ON pl.id = :list
    JOIN price_lines l ON l.list_no = pl.list_no AND l.sku = g.sku
        AND l.min_quantity = g.min_quantity AND l.since = g.since AND l.row_no = g.row_no
    WHERE NOT EXISTS (SELECT FROM {tables.d} d WHERE d.old_since = l.since
        AND d.old_row = l.row_no AND d.sku = l.sku AND d.op = 'change')"""
    )


# After publishing the lines themselves know, for ever.
_PUBLISHED_DIFF = _diff(
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
    FROM price_import_rejects r WHERE r.import_id = :id AND r.cells ->> 'reason' = 'held'"""
)


async def staged_diff(
    session: AsyncSession, found: ImportRow, *, kind: str | None, page: Page
) -> list[DiffRow] | None:
    """None when the staging tables are gone (PostgreSQL crashed); the next commit reads again."""
    tables = tables_of(found.id)
    if await session.scalar(text("SELECT to_regclass(:name)"), {"name": tables.s}) is None:
        return None
    rows = await session.execute(
        page.of(rows_of(_staged_diff(tables))),
        {"id": found.id, "list": found.list_id, "kind": kind},
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


class Shown(NamedTuple):
    """Which version and content a list shows."""

    version: int
    content: int


async def shown_by(session: AsyncSession, list_id: UUID, *, lock: bool = False) -> Shown:
    sql = "SELECT version, content FROM price_lists WHERE id = :id"
    sql += " FOR NO KEY UPDATE" if lock else ""
    return Shown(*(await session.execute(text(sql), {"id": list_id})).one())


class Version(NamedTuple):
    """What a version of a list shows, and the upload that brought it."""

    content: int
    import_id: UUID | None
    lines: int
    skus: int


async def find_version(session: AsyncSession, list_id: UUID, version: int) -> Version | None:
    rows = await session.execute(
        text(
            "SELECT content, import_id, lines, skus FROM price_versions"
            " WHERE list_id = :id AND version = :version"
        ),
        {"id": list_id, "version": version},
    )
    row = rows.one_or_none()
    return None if row is None else Version(*row)


async def show_version(
    session: AsyncSession,
    list_id: UUID,
    version: int,
    shows: Version,
    *,
    reverts: int,
    now: datetime,
    by: UUID,
) -> None:
    """A new version of a list that shows what an older one did."""
    values = {"list": list_id, "version": version, "content": shows.content}
    await session.execute(
        text(
            """INSERT INTO price_versions (list_id, version, content, import_id, reverts, lines,
                skus, published_at, published_by)
            VALUES (:list, :version, :content, :import, :reverts, :lines, :skus, :now, :user)"""
        ),
        values
        | {"import": shows.import_id, "lines": shows.lines, "skus": shows.skus}
        | {"reverts": reverts, "now": now, "user": by},
    )
    await session.execute(
        text("UPDATE price_lists SET version = :version, content = :content WHERE id = :list"),
        values,
    )


async def count_unfinished(session: AsyncSession, supplier_id: UUID) -> int:
    count = await session.scalar(
        text(
            "SELECT count(*) FROM price_imports WHERE supplier_id = :supplier"
            " AND state = ANY(:states)"
        ),
        {"supplier": supplier_id, "states": list(UNFINISHED)},
    )
    return int(count or 0)


class NewImport(msgspec.Struct, frozen=True, kw_only=True):
    """An announced upload; `reading` is JSON."""

    id: UUID
    supplier_id: UUID
    list_id: UUID
    created_by: UUID
    mode: Mode
    format: Format
    on_error: OnError
    dry_run: bool
    base_version: int | None
    sha256: str | None
    file_name: str | None
    reading: str
    created_at: datetime


async def insert(session: AsyncSession, new: NewImport) -> None:
    await session.execute(
        text(
            """INSERT INTO price_imports (id, supplier_id, list_id, created_by, mode, format,
                on_error, dry_run, base_version, sha256, file_name, reading, state, created_at)
            VALUES (:id, :supplier_id, :list_id, :created_by, :mode, :format, :on_error, :dry_run,
                :base_version, :sha256, :file_name, CAST(:reading AS jsonb), 'awaiting_upload',
                :created_at)"""
        ),
        msgspec.structs.asdict(new),
    )


async def commit(
    session: AsyncSession,
    import_id: UUID,
    by: UUID,
    *,
    removals: int | None,
    with_held: bool,
    now: datetime,
) -> None:
    """Hand a checked upload to the workers once more."""
    # With the odd rows in, everything is compared anew.
    state: State = "validating" if with_held else "publishing"
    await session.execute(
        text(
            """UPDATE price_imports SET commit_wanted = true, committed_by = :user, due_at = :now,
                state = :state, confirm_removals = :removals, accepts_held = :held
            WHERE id = :id"""
        ),
        {"id": import_id, "user": by, "now": now, "state": state}
        | {"removals": removals, "held": with_held},
    )


async def held_rows(session: AsyncSession, import_id: UUID) -> list[str]:
    """Each as a JSON object of its cells."""
    rows = await session.scalars(
        text(
            """SELECT CAST(cells -> 'cells' AS text) FROM price_import_rejects
            WHERE import_id = :id AND cells ->> 'reason' = 'held' ORDER BY row_no"""
        ),
        {"id": import_id},
    )
    return list(rows)


async def follow_up(session: AsyncSession, import_id: UUID, following: UUID) -> None:
    """`following` is the upload of the held rows."""
    await session.execute(
        text("UPDATE price_imports SET held_import_id = :following WHERE id = :id"),
        {"id": import_id, "following": following},
    )


async def cancel(session: AsyncSession, import_id: UUID, supplier_id: UUID, now: datetime) -> bool:
    """False where it is not in a state to be cancelled."""
    done = await session.execute(
        text(
            """UPDATE price_imports SET state = 'cancelled', due_at = NULL, lease_token = NULL,
                lease_until = NULL, ended_at = :now,
                stages = price_stage_entered(stages, NULL, :at)
            WHERE id = :id AND supplier_id = :supplier AND state = ANY(:states) RETURNING id"""
        ),
        {"id": import_id, "supplier": supplier_id, "now": now, "at": now.isoformat()}
        | {"states": list(UNFINISHED)},
    )
    return done.one_or_none() is not None


async def mark_rolled_back(session: AsyncSession, import_id: UUID, now: datetime) -> None:
    await session.execute(
        text("UPDATE price_imports SET state = 'rolled_back', ended_at = :now WHERE id = :id"),
        {"id": import_id, "now": now},
    )


_WHOLE = text("INSERT INTO price_import_chunks VALUES (:id, :supplier, 0, :bytes)")
_HAND_OVER = text(
    """UPDATE price_imports SET state = 'reading', due_at = :now, bytes_total = :size,
        sha256 = coalesce(:sha256, sha256), accepts_held = :accepts_held WHERE id = :id"""
)


async def add_whole(
    session: AsyncSession,
    import_id: UUID,
    supplier_id: UUID,
    content: bytes,
    now: datetime,
    *,
    sha256: str | None = None,
    accepts_held: bool = False,
) -> None:
    """A small file that was made here, handed to the workers at once."""
    values = {"id": import_id, "supplier": supplier_id, "bytes": content}
    await session.execute(_WHOLE, values)
    values = {"id": import_id, "now": now, "size": len(content), "sha256": sha256}
    await session.execute(_HAND_OVER, values | {"accepts_held": accepts_held})
