"""Suspicious prices of an upload, against the list's last prices and against other suppliers.

SQL finds the candidates by the same border as `rules.anomaly`, which then names them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pricing.imports import compare
from pricing.imports.checks import RowError
from pricing.imports.compare import Subject
from pricing.imports.rules import ERRORS_KEPT_MAX, anomaly
from pricing.imports.staging import Connection, Tables

PEERS_MIN = 2
PEER_CHANGE_PERCENT = Decimal(400)
PEER_TOLERANCE_PERCENT = Decimal(25)
CURSOR_ROWS = 5_000

_OWN = """SELECT row_no, sku, price, price_unit, old_price, old_price_unit FROM {d}
    WHERE op = 'change' AND (price = 0 AND old_price <> 0
        OR price * old_price_unit > old_price * price_unit * $1
        OR price * old_price_unit * $1 < old_price * price_unit)
    ORDER BY row_no"""
_ZERO = """SELECT row_no, sku FROM {s} s WHERE price = 0
    AND NOT EXISTS (SELECT FROM {d} d WHERE d.row_no = s.row_no) ORDER BY row_no"""

# Peers: what other suppliers ask for the same catalogue item, per base unit, at the break that the
# row's own minimum quantity reaches. Only changed and new rows of known items are looked at.
_PEERS = """WITH e AS ({effective}), mine AS (
        SELECT e.*, coalesce(m.item_id, i.id) AS item_id,
            coalesce(u.base_code, e.unit) AS base, coalesce(u.factor, 1) AS factor
        FROM e
        LEFT JOIN sku_mappings m ON m.supplier_id = $1 AND m.sku = e.sku AND m.state = 'confirmed'
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
    SELECT mine.row_no, mine.sku, mine.price, mine.price_unit, typical.price_unit AS peer_unit,
        typical.unit_price * mine.factor AS peer_price
    FROM mine JOIN typical USING (row_no)
    WHERE typical.peers >= $2 AND (
        mine.price > typical.unit_price * mine.factor * mine.price_unit * $3
        OR mine.price * $3 < typical.unit_price * mine.factor * mine.price_unit)
    ORDER BY mine.row_no"""


async def find(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool, zero_prices: bool
) -> list[RowError]:
    """Entries of severity `held`, one a row; their SKUs are written to x. Nothing when the owner
    has confirmed the odd rows.
    """
    if subject.accepts_held:
        return []
    found: dict[int, tuple[str, RowError]] = {}
    if merged:
        await _against_own(connection, tables, subject, found)
    if zero_prices:
        for row in await connection.fetch(tables.sql(_ZERO)):
            error = RowError(
                row["row_no"], "price", "zero_price", "0", "The price is zero.", "held"
            )
            found[row["row_no"]] = (row["sku"], error)
    if await connection.fetchval("SELECT EXISTS (SELECT FROM items)"):
        await _against_peers(connection, tables, subject, found, merged=merged)
    await compare.leave_skus(connection, tables, sorted({sku for sku, _ in found.values()}), "held")
    return [error for _, error in found.values()]


Found = dict[int, tuple[str, RowError]]


async def _against_own(
    connection: Connection, tables: Tables, subject: Subject, found: Found
) -> None:
    border = 1 + subject.hold_change_percent / 100
    async with connection.transaction():
        async for row in connection.cursor(tables.sql(_OWN), border, prefetch=CURSOR_ROWS):
            odd = anomaly(
                row["price"],
                row["price_unit"],
                row["old_price"],
                row["old_price_unit"],
                against="against the price now published",
                hold_change_percent=subject.hold_change_percent,
            )
            if odd is not None and len(found) < ERRORS_KEPT_MAX:
                column = "price_unit" if odd.code == "price_unit_mistake" else "price"
                found[row["row_no"]] = (row["sku"], _held(row, column, odd.code, odd.message))
    if len(found) >= ERRORS_KEPT_MAX:
        # Beyond what a report can list, every odd SKU is still held.
        await connection.execute(
            tables.sql(
                "INSERT INTO {x} SELECT sku, 'held' FROM ({own}) odd".replace("{own}", _OWN)
            ),
            border,
        )


async def _against_peers(
    connection: Connection, tables: Tables, subject: Subject, found: Found, *, merged: bool
) -> None:
    told = tables.sql(_PEERS.replace("{effective}", compare.effective(tables, merged=merged)))
    border = 1 + PEER_CHANGE_PERCENT / 100
    async with connection.transaction():
        cursor = connection.cursor(
            told, subject.supplier_id, PEERS_MIN, border, prefetch=CURSOR_ROWS
        )
        async for row in cursor:
            if row["row_no"] in found or len(found) >= ERRORS_KEPT_MAX:
                continue
            odd = anomaly(
                row["price"],
                row["price_unit"],
                row["peer_price"] * row["peer_unit"],
                row["peer_unit"],
                against="against other suppliers",
                hold_change_percent=PEER_CHANGE_PERCENT,
                tolerance_percent=PEER_TOLERANCE_PERCENT,
            )
            if odd is not None:
                # The exact factor would give away what the others ask.
                where = "above" if odd.factor > 1 else "below"
                told_why = {
                    "decimal_shift": "The decimal point seems shifted",
                    "price_unit_mistake": "The price unit seems wrong",
                }.get(odd.code, "An unusual price")
                message = f"{told_why}: far {where} what other suppliers ask per unit."
                found[row["row_no"]] = (row["sku"], _held(row, "price", odd.code, message))


def _held(row: Any, column: str, code: str, message: str) -> RowError:
    return RowError(row["row_no"], column, code, f"{row[column]:f}", message, "held")
