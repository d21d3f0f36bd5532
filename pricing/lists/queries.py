"""Every SELECT of price lists. Row-level security narrows each to what the caller may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
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
from pricing.imports.columns import LIST, listed
from pricing.lists.rates import Rate
from pricing.lists.rules import Combination, Line, ListKind, Offered
from pricing.lists.units import Unit

_LISTS_WITH_COUNTS = """l.id, l.list_no, l.supplier_id, l.name, l.kind, l.tier, l.partner_id,
        l.priority,
        l.state, l.version, l.content, l.created_at, v.published_at,
        coalesce(v.lines, 0) AS lines, coalesce(v.skus, 0) AS skus, o.name AS supplier
    FROM price_lists l
    CROSS JOIN LATERAL organisation_directory(ARRAY[l.supplier_id]) o
    LEFT JOIN price_versions v ON v.list_id = l.id AND v.version = l.version """
_LIST = f"SELECT {_LISTS_WITH_COUNTS}"


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


_LISTS = f"""SELECT l.supplier_id <> :reader AS of_others, {_LISTS_WITH_COUNTS}
    WHERE CAST(:supplier AS uuid) IS NULL OR l.supplier_id = :supplier"""
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


_LINE = f"SELECT {LIST}, since, until, row_no AS row FROM price_lines "
_OF_LIST = f"l.id, l.name AS list_name, l.kind, {listed('p')}, p.since, p.until, p.row_no AS row"
"""A list and one of its lines."""


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


_CURRENT = "l.version"
_KNOWN_AT = """(SELECT max(k.version) FROM price_versions k
    WHERE k.list_id = l.id AND k.published_at <= :known_at)"""


def _offered(version: str, skus: str) -> Statement:
    return Statement(
        f"""SELECT (SELECT combination FROM price_settings s
            WHERE s.supplier_id = :supplier) AS combination, l.priority, v.version, {_OF_LIST}
        FROM price_lists l
        JOIN price_versions v ON v.list_id = l.id AND v.version = {version}
        LEFT JOIN price_lines p ON p.list_no = l.list_no AND p.sku {skus}
            AND p.since <= v.content AND (p.until IS NULL OR p.until > v.content)
        WHERE l.supplier_id = :supplier AND l.state = 'active'
        ORDER BY l.id, p.min_quantity"""
    )


# The policies take ten times longer to plan than to run. Of one value PostgreSQL knows that a plan
# for any other is as good and keeps it; of an array it never does.
_OFFERED_NOW = _offered(_CURRENT, "= ANY(:skus)")
_OFFERED_THEN = _offered(_KNOWN_AT, "= ANY(:skus)")
_ONE_NOW = _offered(_CURRENT, "= :sku")
_ONE_THEN = _offered(_KNOWN_AT, "= :sku")


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
            name=row["list_name"],
            kind=row["kind"],
            version=row["version"],
            priority=row["priority"],
            lines=tuple(lines.get(key, ())),
        )
        for key, row in lists.items()
    ]
    return found, (rows[0]["combination"] if rows else None) or "rank"


def _line(row: Row | RowMapping) -> Line:
    return Line(**{name: row[name] for name in Line.__struct_fields__})


_HISTORY = f"""SELECT {_OF_LIST},
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


async def count_lists(session: AsyncSession, supplier_id: UUID) -> int:
    count = await session.scalar(
        text("SELECT count(*) FROM price_lists WHERE supplier_id = :supplier"),
        {"supplier": supplier_id},
    )
    return int(count or 0)


class NewListRow(msgspec.Struct, frozen=True, kw_only=True):
    """A list without any version."""

    id: UUID
    supplier_id: UUID
    name: str
    kind: ListKind
    tier: str | None
    partner_id: UUID | None
    priority: int
    created_at: datetime


async def insert_list(session: AsyncSession, new: NewListRow) -> None:
    await session.execute(
        text(
            """INSERT INTO price_lists (id, supplier_id, name, kind, tier, partner_id, priority,
                created_at)
            VALUES (:id, :supplier_id, :name, :kind, :tier, :partner_id, :priority, :created_at)"""
        ),
        msgspec.structs.asdict(new),
    )


async def update_list(
    session: AsyncSession,
    list_id: UUID,
    *,
    name: str | None,
    state: str | None,
    priority: int | None,
) -> None:
    """None leaves a column as it is."""
    await session.execute(
        text(
            """UPDATE price_lists SET name = coalesce(:name, name),
            state = coalesce(:state, state), priority = coalesce(:priority, priority)
            WHERE id = :id"""
        ),
        {"id": list_id, "name": name, "state": state, "priority": priority},
    )


async def organisation_exists(session: AsyncSession, organisation_id: UUID) -> bool:
    found = await session.scalar(
        text("SELECT count(*) FROM organisation_directory(ARRAY[CAST(:id AS uuid)])"),
        {"id": organisation_id},
    )
    return bool(found)


async def keep_rate(session: AsyncSession, rate: Rate, now: datetime) -> None:
    """Known from now on; the same rate again changes nothing."""
    await session.execute(
        text(
            """INSERT INTO exchange_rates (base, quote, on_date, rate, source, known_from)
            SELECT n.*, greatest(CAST(:now AS timestamptz),
                last.known_from + interval '1 microsecond')
            FROM (SELECT CAST(:base AS text) AS base, CAST(:quote AS text) AS quote,
                CAST(:on AS date) AS on_date, CAST(:rate AS numeric) AS rate,
                CAST(:source AS text) AS source) n
            LEFT JOIN LATERAL (SELECT e.rate, e.source, e.known_from FROM exchange_rates e
                WHERE (e.base, e.quote, e.on_date) = (n.base, n.quote, n.on_date)
                ORDER BY e.known_from DESC LIMIT 1) last ON true
            WHERE (n.rate, n.source) IS DISTINCT FROM (last.rate, last.source)"""
        ),
        {
            "base": rate.base,
            "quote": rate.quote,
            "on": rate.on_date,
            "rate": rate.rate,
            "source": rate.source,
            "now": now,
        },
    )


async def keep_settings(
    session: AsyncSession, supplier_id: UUID, combination: str, hold_change_percent: Decimal
) -> None:
    await session.execute(
        text(
            """INSERT INTO price_settings (supplier_id, combination, hold_change_percent)
            VALUES (:supplier, :combination, :percent) ON CONFLICT (supplier_id) DO UPDATE
            SET combination = excluded.combination,
                hold_change_percent = excluded.hold_change_percent"""
        ),
        {"supplier": supplier_id, "combination": combination, "percent": hold_change_percent},
    )


async def take_from_tier(session: AsyncSession, supplier_id: UUID, organisation_id: UUID) -> None:
    await session.execute(
        text(
            "DELETE FROM price_tier_members WHERE supplier_id = :supplier"
            " AND organisation_id = :organisation"
        ),
        {"supplier": supplier_id, "organisation": organisation_id},
    )


async def put_into_tier(
    session: AsyncSession, supplier_id: UUID, organisation_id: UUID, tier: str
) -> None:
    await session.execute(
        text(
            """INSERT INTO price_tier_members (supplier_id, organisation_id, tier)
            VALUES (:supplier, :organisation, :tier)
            ON CONFLICT (supplier_id, organisation_id) DO UPDATE SET tier = excluded.tier"""
        ),
        {"supplier": supplier_id, "organisation": organisation_id, "tier": tier},
    )


async def take_from_programme_tier(
    session: AsyncSession, operator_id: UUID, partner_id: UUID
) -> None:
    await session.execute(
        text(
            """DELETE FROM price_tier_members WHERE supplier_id = :operator
            AND organisation_id = :partner AND programme"""
        ),
        {"operator": operator_id, "partner": partner_id},
    )


async def put_into_programme_tier(
    session: AsyncSession, operator_id: UUID, partner_id: UUID, tier: str
) -> None:
    await session.execute(
        text(
            """INSERT INTO price_tier_members (supplier_id, organisation_id, tier, programme)
            VALUES (:operator, :partner, :tier, true)"""
        ),
        {"operator": operator_id, "partner": partner_id, "tier": tier},
    )
