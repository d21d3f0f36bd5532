"""Every SELECT of price lists. Row-level security narrows each to what the caller may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import (
    Boolean,
    DateTime,
    Integer,
    Numeric,
    RowMapping,
    String,
    Uuid,
    column,
    quoted_name,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.pages import Page, Sorting, rows_of
from marketplace.kernel.statements import Row, Source, Statement
from pricing.lists.rates import Rate
from pricing.lists.rules import Combination, Line, ListKind, Offered
from pricing.lists.units import Unit

_LIST = """SELECT l.id, l.list_no, l.supplier_id, l.name, l.kind, l.tier, l.partner_id, l.priority,
        l.state, l.version, l.content, l.created_at, v.published_at,
        coalesce(v.lines, 0) AS lines, coalesce(v.skus, 0) AS skus, o.name AS supplier
    FROM price_lists l
    CROSS JOIN LATERAL organisation_directory(ARRAY[l.supplier_id]) o
    LEFT JOIN price_versions v ON v.list_id = l.id AND v.version = l.version """


class ListRow(msgspec.Struct, frozen=True, kw_only=True):
    """A price list with the counts of its current version."""

    id: UUID
    list_no: int
    supplier_id: UUID
    supplier: str
    name: str
    kind: ListKind
    tier: str | None
    partner_id: UUID | None
    priority: int
    state: str
    version: int
    content: int
    created_at: datetime
    published_at: datetime | None
    lines: int
    skus: int


async def find_list(session: AsyncSession, list_id: UUID) -> ListRow | None:
    row = (await session.execute(text(_LIST + "WHERE l.id = :id"), {"id": list_id})).mappings()
    found = row.one_or_none()
    return None if found is None else ListRow(**found)


_LISTS = (
    _LIST.replace("SELECT ", "SELECT l.supplier_id <> :reader AS of_others, ", 1)
    + "WHERE CAST(:supplier AS uuid) IS NULL OR l.supplier_id = :supplier"
)
_LIST_ID = column("id", Uuid)
LISTS = Sorting(
    _LIST_ID,
    default="own_first",
    own_first=column("of_others", Boolean),
    created_at=_LIST_ID,
    name=column("name", String),
    kind=column("kind", String),
    priority=column("priority", Integer),
    published_at=column("published_at", DateTime(timezone=True)),
    nullable=["published_at"],
)
"""By default the reader's own lists, then those of others, each in order of age."""


async def browse_lists(
    session: AsyncSession, reader_id: UUID, *, supplier_id: UUID | None, page: Page
) -> tuple[list[ListRow], str | None]:
    """One page and the cursor of the next."""
    found = await session.execute(
        page.of(rows_of(_LISTS)), {"reader": reader_id, "supplier": supplier_id}
    )
    rows, more = page.cut(found.mappings().all())
    fields = ListRow.__struct_fields__
    return [ListRow(**{name: row[name] for name in fields}) for row in rows], more


_VERSION = column("version", Integer)
VERSIONS = Sorting(
    _VERSION,
    default="-version",
    version=_VERSION,
    published_at=_VERSION,
    lines=column("lines", Integer),
    skus=column("skus", Integer),
)


async def versions_of(session: AsyncSession, list_id: UUID, page: Page) -> Sequence[RowMapping]:
    """One more than the page holds when there are more."""
    versions = """SELECT version, lines, skus, import_id, reverts, published_at
        FROM price_versions WHERE list_id = :list"""
    rows = await session.execute(page.of(rows_of(versions)), {"list": list_id})
    return rows.mappings().all()


async def content_of(session: AsyncSession, list_id: UUID, version: int) -> int | None:
    content: int | None = await session.scalar(
        text("SELECT content FROM price_versions WHERE list_id = :list AND version = :version"),
        {"list": list_id, "version": version},
    )
    return content


_LINE = """SELECT sku, supplier_sku, name, unit, currency, price, price_unit, min_quantity,
        valid_from, valid_to, lead_time_days, pack_size, moq, incoterm, since, until,
        row_no AS row FROM price_lines """


_LINE_SKU = column("sku", String)
LINES = Sorting(
    _LINE_SKU,
    column("min_quantity", Numeric),
    column("since", Integer),
    column(quoted_name("row", quote=True), Integer),
    default="sku",
    sku=_LINE_SKU,
)
"""By SKU only: a list has up to millions of lines, and this order has an index."""


async def lines_of(
    session: AsyncSession, list_no: int, content: int, *, sku: str | None, page: Page
) -> list[Line]:
    """Lines of one content, one more than the page holds when there are more."""
    lines = (
        _LINE
        + """WHERE list_no = :list AND since <= :content AND (until IS NULL OR until > :content)
            AND (CAST(:only AS text) IS NULL OR sku = :only)"""
    )
    rows = await session.execute(
        page.of(rows_of(lines)), {"list": list_no, "content": content, "only": sku}
    )
    return [Line(**row) for row in rows.mappings()]


_OFFERED = """SELECT (SELECT combination FROM price_settings s
            WHERE s.supplier_id = :supplier) AS combination,
        l.id, l.name, l.kind, l.priority, v.version, p.sku, p.supplier_sku,
        p.name AS line_name, p.unit, p.currency, p.price, p.price_unit, p.min_quantity,
        p.valid_from, p.valid_to, p.lead_time_days, p.pack_size, p.moq, p.incoterm, p.since,
        p.until, p.row_no
    FROM price_lists l
    JOIN price_versions v ON v.list_id = l.id AND v.version = {version}
    LEFT JOIN price_lines p ON p.list_no = l.list_no AND p.sku = ANY(:skus)
        AND p.since <= v.content AND (p.until IS NULL OR p.until > v.content)
    WHERE l.supplier_id = :supplier AND l.state = 'active'
    ORDER BY l.id, p.min_quantity"""
_CURRENT = "l.version"
_KNOWN_AT = """(SELECT max(k.version) FROM price_versions k
    WHERE k.list_id = l.id AND k.published_at <= :known_at)"""
# The policies take ten times longer to plan than to run. Of one value PostgreSQL knows that a plan
# for any other is as good and keeps it; of an array it never does.
_ONE_SKU = _OFFERED.replace("= ANY(:skus)", "= :sku")
_OFFERED_NOW = Statement(_OFFERED.replace("{version}", _CURRENT))
_OFFERED_THEN = Statement(_OFFERED.replace("{version}", _KNOWN_AT))
_ONE_NOW = Statement(_ONE_SKU.replace("{version}", _CURRENT))
_ONE_THEN = Statement(_ONE_SKU.replace("{version}", _KNOWN_AT))


async def offered(
    source: Source, supplier_id: UUID, skus: Iterable[str], known_at: datetime | None
) -> tuple[list[Offered], Combination]:
    """The supplier's lists that the caller may see, each with its lines of `skus`, in the version
    that was current at `known_at` (None: now), and how the supplier combines them.
    """
    wanted = list(skus)
    values: dict[str, object] = {"supplier": supplier_id}
    values |= {"sku": wanted[0]} if len(wanted) == 1 else {"skus": wanted}
    if known_at is None:
        statement = _ONE_NOW if len(wanted) == 1 else _OFFERED_NOW
    else:
        statement = _ONE_THEN if len(wanted) == 1 else _OFFERED_THEN
        values["known_at"] = known_at
    rows = await statement.rows(source, **values)
    lists: dict[UUID, Row] = {}
    lines: dict[UUID, list[Line]] = {}
    for row in rows:
        lists.setdefault(row["id"], row)
        if row["sku"] is not None:
            lines.setdefault(row["id"], []).append(_line(row))
    found = [
        Offered(
            id=row["id"],
            name=row["name"],
            kind=row["kind"],
            version=row["version"],
            priority=row["priority"],
            lines=tuple(lines.get(key, ())),
        )
        for key, row in lists.items()
    ]
    return found, (rows[0]["combination"] if rows else None) or "rank"


def _line(row: Row) -> Line:
    return Line(
        sku=row["sku"],
        supplier_sku=row["supplier_sku"],
        name=row["line_name"],
        unit=row["unit"],
        currency=row["currency"],
        price=row["price"],
        price_unit=row["price_unit"],
        min_quantity=row["min_quantity"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        lead_time_days=row["lead_time_days"],
        pack_size=row["pack_size"],
        moq=row["moq"],
        incoterm=row["incoterm"],
        since=row["since"],
        until=row["until"],
        row=row["row_no"],
    )


_HISTORY = """SELECT l.id, l.name, l.kind, p.sku, p.supplier_sku, p.name AS line_name, p.unit,
        p.currency, p.price, p.price_unit, p.min_quantity, p.valid_from, p.valid_to,
        p.lead_time_days, p.pack_size, p.moq, p.incoterm, p.since, p.until, p.row_no,
        v.version, v.published_at AS known_from, n.published_at AS known_to
    FROM price_lists l
    JOIN price_versions v ON v.list_id = l.id
    LEFT JOIN price_versions n ON n.list_id = l.id AND n.version = v.version + 1
    JOIN price_lines p ON p.list_no = l.list_no AND p.sku = ANY(:skus)
        AND p.since <= v.content AND (p.until IS NULL OR p.until > v.content)
    WHERE l.supplier_id = :supplier AND l.state <> 'archived'
        AND (CAST(:known_at AS timestamptz) IS NULL
             OR v.published_at <= :known_at AND (n.published_at IS NULL
                                                 OR n.published_at > :known_at))
        AND (CAST(:on AS date) IS NULL OR ((p.valid_from IS NULL OR p.valid_from <= :on)
                                           AND (p.valid_to IS NULL OR p.valid_to >= :on)))
    ORDER BY v.published_at DESC, l.id, p.sku, p.min_quantity, p.valid_from, p.row_no
    LIMIT :limit"""


async def history(
    session: AsyncSession,
    supplier_id: UUID,
    skus: Iterable[str],
    *,
    known_at: datetime | None,
    on: date | None,
    limit: int,
) -> list[tuple[RowMapping, Line]]:
    """What was known when: one row for each line of each version, newest knowledge first."""
    rows = await session.execute(
        text(_HISTORY),
        {
            "supplier": supplier_id,
            "skus": list(skus),
            "known_at": known_at,
            "on": on,
            "limit": limit,
        },
    )
    return [(row, _line(row)) for row in rows.mappings()]


async def reads_any_list(session: AsyncSession, supplier_id: UUID) -> bool:
    """Whether the session may see a list of this supplier."""
    found = await session.scalar(
        text("SELECT EXISTS (SELECT FROM price_lists WHERE supplier_id = :supplier)"),
        {"supplier": supplier_id},
    )
    return bool(found)


# Pairs are few and days are many, so each pair's newest row is looked up.
_NEWEST_RATES = Statement(
    """WITH RECURSIVE pairs AS (
        (SELECT base, quote FROM exchange_rates ORDER BY base, quote LIMIT 1)
        UNION ALL SELECT n.base, n.quote FROM pairs p CROSS JOIN LATERAL (
            SELECT e.base, e.quote FROM exchange_rates e
            WHERE (e.base, e.quote) > (p.base, p.quote) ORDER BY e.base, e.quote LIMIT 1) n)
    SELECT r.base, r.quote, r.on_date, r.rate, r.source FROM pairs p CROSS JOIN LATERAL (
        SELECT e.* FROM exchange_rates e
        WHERE e.base = p.base AND e.quote = p.quote AND e.on_date <= :on
            AND e.known_from <= coalesce(CAST(:known_at AS timestamptz), 'infinity')
        ORDER BY e.on_date DESC, e.known_from DESC LIMIT 1) r"""
)


async def newest_rates(source: Source, on: date, known_at: datetime | None) -> list[Rate]:
    """The newest rate of each pair on or before `on`, as known at `known_at` (None: now)."""
    rows = await _NEWEST_RATES.rows(source, on=on, known_at=known_at)
    return [Rate(**row) for row in rows]


async def all_rates(
    session: AsyncSession,
    *,
    currency: str | None,
    on: date | None,
    known_at: datetime | None,
    limit: int,
) -> Sequence[RowMapping]:
    """As known at `known_at` (None: now), newest first: of each pair and day the last one known."""
    rows = await session.execute(
        text(
            """SELECT DISTINCT ON (on_date, base, quote) base, quote, on_date, rate, source,
                known_from
            FROM exchange_rates
            WHERE (CAST(:currency AS text) IS NULL OR :currency IN (base, quote))
                AND (CAST(:on AS date) IS NULL OR on_date <= :on)
                AND known_from <= coalesce(CAST(:known_at AS timestamptz), 'infinity')
            ORDER BY on_date DESC, base, quote, known_from DESC LIMIT :limit"""
        ),
        {"currency": currency, "on": on, "known_at": known_at, "limit": limit},
    )
    return rows.mappings().all()


# The words people use for a unit count as its code.
_UNITS = Statement(
    """SELECT n.name AS written, u.code, coalesce(u.base_code, u.code) AS base,
        coalesce(u.factor, 1) AS factor
    FROM unnest(CAST(:names AS text[])) n (name)
    LEFT JOIN units exact ON exact.code = n.name
    LEFT JOIN unit_aliases a ON a.alias = lower(n.name)
    JOIN units u ON u.code = coalesce(exact.code, a.code, upper(n.name))"""
)


async def units_by_name(source: Source, names: Iterable[str]) -> dict[str, Unit]:
    """Units by the name they were asked for; what no list knows is missing."""
    rows = await _UNITS.rows(source, names=list(names))
    return {row["written"]: Unit(row["code"], row["base"], row["factor"]) for row in rows}


async def settings_of(session: AsyncSession, supplier_id: UUID) -> RowMapping | None:
    rows = await session.execute(
        text(
            "SELECT combination, hold_change_percent FROM price_settings"
            " WHERE supplier_id = :supplier"
        ),
        {"supplier": supplier_id},
    )
    return rows.mappings().one_or_none()


_SKU_OF_ITEM = Statement("SELECT sku, unit FROM items WHERE id = :id")
_MAPPED_SKUS = Statement(
    """SELECT sku FROM sku_mappings WHERE supplier_id = :supplier AND item_id = :item
    AND state = 'confirmed' ORDER BY sku"""
)
_MAPPING_OF_SKU = Statement(
    "SELECT item_id FROM sku_mappings WHERE supplier_id = :supplier AND sku = :sku"
)


async def skus_of_item(
    source: Source, supplier_id: UUID, item_id: UUID
) -> tuple[list[str], str] | None:
    """The SKUs under which the supplier may offer the item, and the item's unit; None when there is
    no such item.
    """
    item = await _SKU_OF_ITEM.row(source, id=item_id)
    if item is None or item["sku"] is None:
        return None
    sku = item["sku"]
    rows = await _MAPPED_SKUS.rows(source, supplier=supplier_id, item=item_id)
    mapped = [row["sku"] for row in rows]
    decided = await _MAPPING_OF_SKU.row(source, supplier=supplier_id, sku=sku)
    rejected = None if decided is None else decided["item_id"]
    # The supplier's own decision about this very SKU goes before equal spelling.
    skus = mapped if sku in mapped or rejected is not None else [sku, *mapped]
    return skus, item["unit"]
