"""Every statement of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Integer, RowMapping, String, Uuid, column, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.pages import Page, Sorting, rows_of
from marketplace.kernel.statements import Connection

VOCABULARY_MAX = 100_000
_ITEM = """SELECT i.id, i.sku, i.gtin, i.name, i.names::text AS names, i.description, i.kind,
        i.unit, i.category_id, i.scheme, i.list_version, i.code, i.state, i.created_at"""
_LANGUAGES = ("english", "german", "french", "spanish", "russian")


async def find_item(session: AsyncSession, item_id: UUID) -> RowMapping | None:
    rows = await session.execute(text(_ITEM + " FROM items i WHERE i.id = :id"), {"id": item_id})
    return rows.mappings().one_or_none()


def _word_query(place: int) -> str:
    """A word as the beginning of a word as written, or as any form of it in a known language."""
    forms = [f"to_tsquery('simple', quote_literal(:w{place}) || ':*')"]
    forms += [f"plainto_tsquery('{language}', :w{place})" for language in _LANGUAGES]
    return f"({' || '.join(forms)})"


_ITEM_ID = column("id", Uuid)
ITEMS = Sorting(
    _ITEM_ID,
    default="relevance",
    relevance=column("rank", String),
    name=column("name", String),
    sku=column("sku", String),
    created_at=_ITEM_ID,
)


async def browse_items(
    session: AsyncSession,
    words: Sequence[str],
    *,
    number: str = "",
    filters: dict[str, Any],
    page: Page,
) -> Sequence[RowMapping]:
    """By relevance: with words the best match first, else by name; an item whose SKU or GTIN is
    `number` before all: the text search reads `2520e4` in a SKU as a number and finds it under no
    word. `filters` may name category (its branches included), supplier, scheme, code (its branches
    included), kind, and owner: what this organisation added, retired items too.
    """
    values: dict[str, Any] = {f"w{n}": word for n, word in enumerate(words)}
    matching = " && ".join(_word_query(n) for n in range(len(words)))
    rank = "lower(i.name)"
    conditions = [] if "owner" in filters else ["i.state = 'active'"]
    if words:
        named = "(i.sku = :number OR i.gtin = :number)"
        rank = f"to_char(1 - ts_rank(i.search, {matching}), 'FM0.000000')"
        rank = f"CASE WHEN {named} THEN '0' ELSE {rank} END"
        conditions.append(f"(i.search @@ ({matching}) OR {named})")
        values["number"] = number
    conditions += [_FILTERS[name] for name in filters]
    values |= filters
    told = _ITEM + ", " + rank + " AS rank FROM items i WHERE " + " AND ".join(conditions)
    rows = await session.execute(page.of(rows_of(told)), values)
    return rows.mappings().all()


_CHANGEABLE = {
    "names": "CAST(:names AS jsonb)",
    "category_id": "CAST(:category_id AS uuid)",
} | {
    name: f":{name}"
    for name in (
        "name", "sku", "gtin", "description", "kind", "scheme", "list_version", "code", "state",
    )
}  # fmt: skip


async def update_item(session: AsyncSession, item_id: UUID, values: dict[str, Any]) -> None:
    """Set some of the columns that may change."""
    changes = ", ".join(f"{column} = {_CHANGEABLE[column]}" for column in values)
    await session.execute(
        text(f"UPDATE items SET {changes} WHERE id = :id"),  # words of this file
        values | {"id": item_id},
    )


async def owner_of_item(session: AsyncSession, item_id: UUID, *, lock: bool) -> UUID | None:
    """The organisation that added it; with `lock` its row is held until the transaction ends, and
    row-level security shows it to that organisation and the operator only.
    """
    sql = "SELECT organisation_id FROM items WHERE id = :id" + (" FOR UPDATE" if lock else "")
    found: UUID | None = await session.scalar(text(sql), {"id": item_id})
    return found


async def is_owner(session: AsyncSession, item_id: UUID, organisation_id: UUID) -> bool:
    found = await session.scalar(
        text("SELECT true FROM items WHERE id = :id AND organisation_id = :owner"),
        {"id": item_id, "owner": organisation_id},
    )
    return found is not None


_FILTERS = {
    "category": """i.category_id IN (WITH RECURSIVE branch AS (
        SELECT id FROM categories WHERE id = :category
        UNION SELECT c.id FROM categories c JOIN branch b ON c.parent_id = b.id)
        SELECT id FROM branch)""",
    "supplier": """EXISTS (SELECT FROM price_lists l CROSS JOIN LATERAL (
            SELECT m.sku FROM sku_mappings m WHERE m.supplier_id = l.supplier_id
                AND m.item_id = i.id AND m.state = 'confirmed' UNION SELECT i.sku) n
        JOIN price_lines p ON p.list_no = l.list_no AND p.sku = n.sku
            AND p.since <= l.content AND (p.until IS NULL OR p.until > l.content)
        WHERE l.supplier_id = :supplier AND l.state = 'active')""",
    "scheme": "i.scheme = :scheme",
    "code": """(i.code = :code OR i.code IN (WITH RECURSIVE branch AS (
        SELECT scheme, list_version, code FROM classifications WHERE code = :code
        UNION SELECT c.scheme, c.list_version, c.code FROM classifications c JOIN branch b
            ON c.parent_code = b.code AND c.scheme = b.scheme
            AND c.list_version = b.list_version) SELECT code FROM branch))""",
    "kind": "i.kind = :kind",
    "owner": "i.organisation_id = :owner",
}


async def vocabulary(session: AsyncSession, word: str) -> list[str]:
    """Known words about as long as `word`."""
    rows = await session.execute(
        text(
            """SELECT word FROM search_words
            WHERE char_length(word) BETWEEN :shortest AND :longest OR word LIKE :prefix
            LIMIT :limit"""
        ),
        {
            "shortest": len(word) - 2,
            "longest": len(word) + 2,
            "prefix": word.replace("%", "").replace("_", "") + "%",
            "limit": VOCABULARY_MAX,
        },
    )
    return list(rows.scalars())


async def categories(session: AsyncSession) -> Sequence[RowMapping]:
    rows = await session.execute(
        text("SELECT id, parent_id, name, names::text AS names FROM categories ORDER BY name, id")
    )
    return rows.mappings().all()


_CODE = column("code", String)
CODES = Sorting(_CODE, default="code", code=_CODE, name=column("name", String))


async def codes(
    session: AsyncSession,
    *,
    scheme: str,
    list_version: str | None,
    parent: str | None,
    q: str | None,
    language: str,
    page: Page,
) -> Sequence[RowMapping]:
    """Codes below `parent` (None: the top), or of any depth whose name or code matches `q`."""
    rows = await session.execute(
        page.of(
            rows_of(
                """SELECT c.scheme, c.list_version, c.code, c.parent_code, c.depth,
                coalesce(n.name, c.code) AS name
            FROM classifications c LEFT JOIN LATERAL (
                SELECT name FROM classification_names n WHERE n.scheme = c.scheme
                    AND n.list_version = c.list_version AND n.code = c.code
                ORDER BY n.language <> :language, n.language LIMIT 1) n ON true
            WHERE c.scheme = :scheme
                AND c.list_version = coalesce(:version, (SELECT max(list_version)
                    FROM classifications WHERE scheme = :scheme))
                AND CASE WHEN CAST(:q AS text) IS NULL
                    THEN c.parent_code IS NOT DISTINCT FROM :parent
                    ELSE n.name ILIKE '%' || :q || '%' OR c.code LIKE :q || '%' END"""
            )
        ),
        {
            "scheme": scheme,
            "version": list_version,
            "parent": parent,
            "q": None if q is None else q.replace("%", "").replace("_", ""),
            "language": language,
        },
    )
    return rows.mappings().all()


UNITS = Sorting(_CODE, default="code", code=_CODE, name=column("name", String))


async def units(session: AsyncSession, page: Page) -> Sequence[RowMapping]:
    units = "SELECT code, name, symbol, base_code, factor FROM units"
    rows = await session.execute(page.of(rows_of(units)))
    return rows.mappings().all()


async def unit_bases(session: AsyncSession, names: Sequence[str]) -> dict[str, RowMapping]:
    """Unit as written → its base and factor, where known; common short names count too."""
    rows = await session.execute(
        text(
            """SELECT n.name AS written, u.base_code, u.factor
            FROM unnest(CAST(:names AS text[])) n (name)
            LEFT JOIN unit_aliases a ON a.alias = lower(n.name)
            JOIN units u ON u.code = coalesce(a.code, n.name)
            WHERE u.base_code IS NOT NULL"""
        ),
        {"names": list(names)},
    )
    return {row["written"]: row for row in rows.mappings()}


async def sellers(session: AsyncSession, item_id: UUID, sku: str) -> Sequence[RowMapping]:
    """(supplier, name, SKUs) of those whose lists the caller may buy from and that name the item.
    What a supplier said about its SKU goes before equal spelling.
    """
    rows = await session.execute(
        text(
            """WITH named AS (
                SELECT supplier_id, sku FROM sku_mappings
                WHERE item_id = :item AND state = 'confirmed'
                UNION SELECT DISTINCT l.supplier_id, CAST(:sku AS text) FROM price_lists l
                WHERE NOT EXISTS (SELECT FROM sku_mappings m
                    WHERE m.supplier_id = l.supplier_id AND m.sku = :sku)),
            selling AS (
                SELECT DISTINCT n.supplier_id, n.sku FROM named n
                JOIN price_lists l ON l.supplier_id = n.supplier_id AND l.state = 'active'
                JOIN price_lines p ON p.list_no = l.list_no AND p.sku = n.sku
                    AND p.since <= l.content AND (p.until IS NULL OR p.until > l.content))
            SELECT s.supplier_id, max(o.name) AS name, array_agg(s.sku ORDER BY s.sku) AS skus
            FROM selling s
            CROSS JOIN LATERAL organisation_directory(ARRAY[s.supplier_id]) o
            WHERE o.state = 'active' GROUP BY s.supplier_id"""
        ),
        {"item": item_id, "sku": sku},
    )
    return rows.mappings().all()


_SKU = column("sku", String)
MAPPINGS = Sorting(
    _SKU,
    default="sku",
    sku=_SKU,
    item_name=column("item_name", String),
    method=column("method", String),
    state=column("state", String),
    similarity=column("similarity", Integer),
    nullable=["similarity"],
)


async def mappings(
    session: AsyncSession, supplier_id: UUID, *, state: str | None, page: Page
) -> Sequence[RowMapping]:
    mappings = """SELECT m.sku, m.item_id, i.name AS item_name, m.method, m.state, m.similarity
        FROM sku_mappings m JOIN items i ON i.id = m.item_id
        WHERE m.supplier_id = :supplier AND (CAST(:state AS text) IS NULL OR m.state = :state)"""
    rows = await session.execute(
        page.of(rows_of(mappings)), {"supplier": supplier_id, "state": state}
    )
    return rows.mappings().all()


async def unmapped_lines(session: AsyncSession, list_id: UUID, limit: int) -> Sequence[RowMapping]:
    """SKUs with a name and no mapping yet."""
    rows = await session.execute(
        text(
            """SELECT DISTINCT ON (p.sku) p.sku, p.name FROM price_lists l
            JOIN price_lines p ON p.list_no = l.list_no AND p.name IS NOT NULL
                AND p.since <= l.content AND (p.until IS NULL OR p.until > l.content)
            WHERE l.id = :list AND NOT EXISTS (SELECT FROM sku_mappings m
                WHERE m.supplier_id = l.supplier_id AND m.sku = p.sku)
            ORDER BY p.sku LIMIT :limit"""
        ),
        {"list": list_id, "limit": limit},
    )
    return rows.mappings().all()


async def items_with_any_word(
    session: AsyncSession,
    words: Sequence[str],
    *,
    scheme: str | None,
    code: str | None,
    limit: int,
) -> list[tuple[str, str]]:
    """(id, name) of items that share a word, those that share most first."""
    if not words:
        return []
    matching = " || ".join(_word_query(n) for n in range(len(words)))
    values: dict[str, Any] = {f"w{n}": word for n, word in enumerate(words)}
    told = f"""SELECT i.id::text AS id, i.name FROM items i
        WHERE i.state = 'active' AND i.search @@ ({matching})
            AND (CAST(:scheme AS text) IS NULL OR i.scheme = :scheme)
            AND (CAST(:code AS text) IS NULL OR i.code = :code)
        ORDER BY ts_rank(i.search, {matching}) DESC LIMIT :limit"""  # own words only
    rows = await session.execute(
        text(told), values | {"scheme": scheme, "code": code, "limit": limit}
    )
    return [(row["id"], row["name"]) for row in rows.mappings()]


async def insert_item(session: AsyncSession, values: dict[str, Any]) -> None:
    """`values`: all columns of a new item, `names` as JSON."""
    await session.execute(
        text(
            """INSERT INTO items (id, organisation_id, sku, gtin, name, names, description, kind,
                unit, category_id, scheme, list_version, code, created_at)
            VALUES (:id, :organisation, :sku, :gtin, :name, CAST(:names AS jsonb), :description,
                :kind, :unit, :category, :scheme, :list_version, :code, :now)"""
        ),
        values,
    )


async def insert_category(
    session: AsyncSession, category_id: UUID, parent_id: UUID | None, name: str, names: str
) -> None:
    """`names` as JSON."""
    await session.execute(
        text(
            """INSERT INTO categories (id, parent_id, name, names)
            VALUES (:id, :parent, :name, CAST(:names AS jsonb))"""
        ),
        {"id": category_id, "parent": parent_id, "name": name, "names": names},
    )


class NewMapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which item a supplier's SKU is, decided or proposed."""

    supplier_id: UUID
    sku: str
    item_id: UUID
    method: str
    state: str
    similarity: int | None
    created_at: datetime


async def keep_mapping(session: AsyncSession, new: NewMapping) -> None:
    """In place of the one before; a decision on what was proposed keeps the proposal's method."""
    await session.execute(
        text(
            """INSERT INTO sku_mappings (supplier_id, sku, item_id, method, state, similarity,
                created_at)
            VALUES (:supplier_id, :sku, :item_id, :method, :state, :similarity, :created_at)
            ON CONFLICT (supplier_id, sku) DO UPDATE SET item_id = excluded.item_id,
                state = excluded.state,
                method = CASE WHEN sku_mappings.item_id = excluded.item_id
                    THEN sku_mappings.method ELSE excluded.method END"""
        ),
        msgspec.structs.asdict(new),
    )


# Nothing that somebody has decided by hand is decided again.
_MAP_EQUAL_SKUS = """INSERT INTO sku_mappings (supplier_id, sku, item_id, method, state, created_at)
    SELECT $1::uuid, i.sku, i.id, 'exact', 'confirmed', now()
    FROM items i CROSS JOIN LATERAL (SELECT 1 FROM price_lines l
        WHERE l.list_no = $2 AND l.sku = i.sku AND l.until IS NULL LIMIT 1) l
    ON CONFLICT (supplier_id, sku) DO NOTHING"""
_MAP_EQUAL_GTINS = """INSERT INTO sku_mappings (supplier_id, sku, item_id, method, state,
        created_at)
    SELECT DISTINCT ON (l.sku) $1::uuid, l.sku, i.id, 'gtin', 'confirmed', now()
    FROM items i CROSS JOIN LATERAL (SELECT l.sku FROM price_lines l
        WHERE l.list_no = $2 AND l.until IS NULL
            AND l.sku IN (i.gtin, lpad(i.gtin, 14, '0'), ltrim(i.gtin, '0')) LIMIT 1) l
    WHERE i.gtin IS NOT NULL
    ON CONFLICT (supplier_id, sku) DO NOTHING"""


async def map_list(connection: Connection, supplier_id: UUID, list_id: UUID) -> None:
    """Confirm what is certain for the current lines of a list: equal SKU, equal GTIN."""
    list_no = await connection.fetchval("SELECT list_no FROM price_lists WHERE id = $1", list_id)
    for statement in (_MAP_EQUAL_SKUS, _MAP_EQUAL_GTINS):
        await connection.execute(statement, supplier_id, list_no)


async def codes_of(session: AsyncSession, scheme: str, list_version: str) -> list[str]:
    codes = await session.scalars(
        text("SELECT code FROM classifications WHERE scheme = :scheme AND list_version = :version"),
        {"scheme": scheme, "version": list_version},
    )
    return list(codes)


async def keep_codes(
    session: AsyncSession,
    scheme: str,
    list_version: str,
    tree: Mapping[str, tuple[str | None, int]],
) -> None:
    """`tree`: code → the one above it, and its depth."""
    await session.execute(
        text(
            """INSERT INTO classifications (scheme, list_version, code, parent_code, depth)
            SELECT :scheme, :version, e.* FROM unnest(CAST(:codes AS text[]),
                CAST(:parents AS text[]), CAST(:depths AS integer[])) e
            ON CONFLICT (scheme, list_version, code)
            DO UPDATE SET parent_code = excluded.parent_code, depth = excluded.depth"""
        ),
        {
            "scheme": scheme,
            "version": list_version,
            "codes": list(tree),
            "parents": [parent for parent, _ in tree.values()],
            "depths": [depth for _, depth in tree.values()],
        },
    )


async def keep_code_names(
    session: AsyncSession, scheme: str, list_version: str, language: str, names: Mapping[str, str]
) -> None:
    await session.execute(
        text(
            """INSERT INTO classification_names (scheme, list_version, code, language, name)
            SELECT :scheme, :version, e.code, :language, e.name
            FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[])) e (code, name)
            ON CONFLICT (scheme, list_version, code, language)
            DO UPDATE SET name = excluded.name"""
        ),
        {
            "scheme": scheme,
            "version": list_version,
            "language": language,
            "codes": list(names),
            "names": list(names.values()),
        },
    )


async def keep_units(
    session: AsyncSession, list_version: str, units: Mapping[str, tuple[str, str]]
) -> None:
    """`units`: code → name and symbol; what is known of conversions stays."""
    await session.execute(
        text(
            """INSERT INTO units (code, name, symbol, list_version)
            SELECT e.code, e.name, e.symbol, :version FROM unnest(CAST(:codes AS text[]),
                CAST(:names AS text[]), CAST(:symbols AS text[])) e (code, name, symbol)
            ON CONFLICT (code) DO UPDATE SET name = excluded.name, symbol = excluded.symbol,
                list_version = excluded.list_version"""
        ),
        {
            "version": list_version,
            "codes": list(units),
            "names": [name for name, _ in units.values()],
            "symbols": [symbol for _, symbol in units.values()],
        },
    )


# CPV is written with and without its check digit: `42122000-0` and `42122000` are one code.
_UNKNOWN_CODES = text(
    """WITH named AS (SELECT n.place, n.scheme, n.list_version, n.code FROM unnest(
            CAST(:schemes AS text[]), CAST(:versions AS text[]), CAST(:codes AS text[]))
            WITH ORDINALITY AS n (scheme, list_version, code, place))
    SELECT n.place - 1 AS place FROM named n
    WHERE EXISTS (SELECT FROM classifications c WHERE c.scheme = n.scheme
            AND (n.list_version = '' OR c.list_version = n.list_version))
        AND NOT EXISTS (SELECT FROM classifications c WHERE c.scheme = n.scheme
            AND (n.list_version = '' OR c.list_version = n.list_version)
            AND (c.code = n.code OR n.scheme = 'CPV' AND split_part(c.code, '-', 1) = n.code))
    ORDER BY 1"""
)


async def unknown_codes(
    session: AsyncSession, schemes: list[str], versions: list[str], codes: list[str]
) -> list[int]:
    """The places of codes that their lists do not have; an empty version means any."""
    values = {"schemes": schemes, "versions": versions, "codes": codes}
    return [int(place) for place in (await session.execute(_UNKNOWN_CODES, values)).scalars()]
