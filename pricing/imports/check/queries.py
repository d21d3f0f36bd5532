"""Findings as they are stored, and the candidates for odd prices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from marketplace.kernel.statements import Connection
from pricing.imports.check.checks import RowError
from pricing.imports.columns import BIT_OF
from pricing.imports.compare.queries.rows import effective, first_reasons
from pricing.imports.compare.report import Subject
from pricing.imports.compare.tables import Tables
from pricing.imports.rules import DELETE, ERRORS_KEPT_MAX

BATCH = 5_000
PEERS_MIN = 2
CURSOR_ROWS = 5_000

_CELLS = ", ".join(
    f"'{name}', CASE WHEN s.cleared & {bit} <> 0 THEN '{DELETE}' ELSE s.{name}::text END"
    for name, bit in BIT_OF.items()
)


class Changed(NamedTuple):
    """A row that changes a price."""

    row: int
    sku: str
    price: Decimal
    price_unit: Decimal
    old_price: Decimal
    old_price_unit: Decimal


class Zero(NamedTuple):
    """A new row whose price is zero."""

    row: int
    sku: str


class BesidePeers(NamedTuple):
    """A row and what other suppliers typically ask: `peer_price` for one unit."""

    row: int
    sku: str
    price: Decimal
    price_unit: Decimal
    peer_unit: Decimal
    peer_price: Decimal


async def clear(connection: Connection, import_id: UUID) -> None:
    await connection.execute("DELETE FROM price_import_errors WHERE import_id = $1", import_id)
    await connection.execute("DELETE FROM price_import_rejects WHERE import_id = $1", import_id)


async def write_errors(
    connection: Connection,
    import_id: UUID,
    supplier_id: UUID,
    numbered: Iterable[tuple[RowError, int]],
) -> None:
    """Several entries of one row are numbered."""
    iterator = iter(numbered)
    while batch := list(islice(iterator, BATCH)):
        await connection.execute(
            """INSERT INTO price_import_errors (import_id, supplier_id, row_no, n, "column", code,
                severity, value, message, hint)
            SELECT $1, $2, e.* FROM unnest($3::int[], $4::int[], $5::text[], $6::text[],
                $7::text[], $8::text[], $9::text[], $10::text[]) e
            ON CONFLICT DO NOTHING""",
            import_id,
            supplier_id,
            [e.row for e, _ in batch],
            [n for _, n in batch],
            [e.column for e, _ in batch],
            [e.code for e, _ in batch],
            [e.severity for e, _ in batch],
            [_storable(e.value) for e, _ in batch],
            [e.message for e, _ in batch],
            [e.hint for e, _ in batch],
        )


def _storable(text: str | None) -> str | None:
    """PostgreSQL's text holds no zero bytes; a picture of one keeps the report honest."""
    return None if text is None else text.replace("\x00", "\u2400")


async def write_rejects(
    connection: Connection, import_id: UUID, supplier_id: UUID, rejects: dict[int, Any]
) -> None:
    iterator = iter(rejects.items())
    while batch := list(islice(iterator, BATCH)):
        await connection.execute(
            """INSERT INTO price_import_rejects (import_id, supplier_id, row_no, cells)
            SELECT $1, $2, r.row_no, r.cells::jsonb FROM unnest($3::int[], $4::text[])
                r (row_no, cells) ON CONFLICT DO NOTHING""",
            import_id,
            supplier_id,
            [row for row, _ in batch],
            [_json(cells) for _, cells in batch],
        )


def _json(cells: Any) -> str:
    return msgspec.json.encode(cells).decode().replace("\\u0000", "\\u2400")


async def keep_left_rows(
    connection: Connection, tables: Tables, import_id: UUID, supplier_id: UUID
) -> None:
    """Good rows that are not taken because of their SKU's other rows, or that are held."""
    await connection.execute(
        f"""INSERT INTO price_import_rejects (import_id, supplier_id, row_no, cells)
        SELECT $1, $2, s.row_no, jsonb_build_object('cells', jsonb_build_object({_CELLS}),
            'reason', x.reason)
        FROM {tables.s} s JOIN ({first_reasons(tables)}) x ON x.sku = s.sku
        ORDER BY s.row_no LIMIT $3 ON CONFLICT DO NOTHING""",
        import_id,
        supplier_id,
        ERRORS_KEPT_MAX,
    )


def _outside(tables: Tables) -> str:
    """Changed rows outside the border $1; the same border as that of `rules.anomaly`."""
    return f"""SELECT row_no, sku, price, price_unit, old_price, old_price_unit FROM {tables.d}
        WHERE op = 'change' AND (price = 0 AND old_price <> 0
            OR price * old_price_unit > old_price * price_unit * $1
            OR price * old_price_unit * $1 < old_price * price_unit)
        ORDER BY row_no"""


async def changed_outside(
    connection: Connection, tables: Tables, border: Decimal
) -> AsyncIterator[Changed]:
    """Within a transaction."""
    async for row in connection.cursor(_outside(tables), border, prefetch=CURSOR_ROWS):
        yield Changed(*row)


async def hold_changed_outside(connection: Connection, tables: Tables, border: Decimal) -> None:
    await connection.execute(
        f"INSERT INTO {tables.x} SELECT sku, 'held' FROM ({_outside(tables)}) odd", border
    )


async def zero_prices(connection: Connection, tables: Tables) -> list[Zero]:
    rows = await connection.fetch(
        f"""SELECT row_no, sku FROM {tables.s} s WHERE price = 0
        AND NOT EXISTS (SELECT FROM {tables.d} d WHERE d.row_no = s.row_no) ORDER BY row_no"""
    )
    return [Zero(*row) for row in rows]


async def has_items(connection: Connection) -> bool:
    """Whether the catalogue has anything that suppliers could be compared by."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM items)"))


async def far_from_peers(
    connection: Connection, tables: Tables, subject: Subject, border: Decimal, *, merged: bool
) -> AsyncIterator[BesidePeers]:
    """Changed and new rows of known catalogue items, beside what other suppliers ask for the same
    item, per base unit, at the break that the row's own minimum quantity reaches. Within a
    transaction.
    """
    cursor = connection.cursor(
        f"""WITH e AS ({effective(tables, merged=merged)}), mine AS (
            SELECT e.*, coalesce(m.item_id, i.id) AS item_id,
                coalesce(u.base_code, e.unit) AS base, coalesce(u.factor, 1) AS factor
            FROM e
            LEFT JOIN sku_mappings m ON m.supplier_id = $1 AND m.sku = e.sku
                AND m.state = 'confirmed'
            LEFT JOIN items i ON i.sku = e.sku
            LEFT JOIN units u ON u.code = e.unit
            WHERE e.op <> 'same' AND e.price > 0 AND (m.item_id IS NOT NULL OR i.id IS NOT NULL)),
        asked AS (
            SELECT mine.row_no, p.list_no,
                p.price / p.price_unit / coalesce(u.factor, 1) AS unit_price, p.price_unit
            FROM mine JOIN sku_mappings m ON m.item_id = mine.item_id AND m.state = 'confirmed'
                AND m.supplier_id <> $1
            JOIN price_lists pl ON pl.supplier_id = m.supplier_id AND pl.kind = 'base'
                AND pl.state = 'active' AND pl.content > 0
            CROSS JOIN LATERAL (
                SELECT l.* FROM price_lines l
                WHERE l.list_no = pl.list_no AND l.sku = m.sku AND l.until IS NULL
                    AND l.currency = mine.currency AND l.min_quantity <= mine.min_quantity
                ORDER BY l.min_quantity DESC LIMIT 1) p
            LEFT JOIN units u ON u.code = p.unit
            WHERE coalesce(u.base_code, p.unit) = mine.base AND p.price > 0),
        typical AS (
            SELECT row_no, count(DISTINCT list_no) AS peers,
                percentile_disc(0.5) WITHIN GROUP (ORDER BY unit_price) AS unit_price,
                mode() WITHIN GROUP (ORDER BY price_unit) AS price_unit
            FROM asked GROUP BY row_no)
        SELECT mine.row_no, mine.sku, mine.price, mine.price_unit,
            typical.price_unit AS peer_unit, typical.unit_price * mine.factor AS peer_price
        FROM mine JOIN typical USING (row_no)
        WHERE typical.peers >= $2 AND (
            mine.price > typical.unit_price * mine.factor * mine.price_unit * $3
            OR mine.price * $3 < typical.unit_price * mine.factor * mine.price_unit)
        ORDER BY mine.row_no""",
        subject.supplier_id,
        PEERS_MIN,
        border,
        prefetch=CURSOR_ROWS,
    )
    async for row in cursor:
        yield BesidePeers(*row)
