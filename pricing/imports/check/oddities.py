"""Suspicious prices of an upload, against the list's last prices and against other suppliers.

SQL finds the candidates by the same border as `rules.anomaly`, which then names them.
"""

from __future__ import annotations

from decimal import Decimal

from marketplace.kernel.statements import Connection
from pricing.imports.check import queries
from pricing.imports.check.checks import RowError
from pricing.imports.compare.queries.rows import leave_skus
from pricing.imports.compare.report import Subject
from pricing.imports.compare.tables import Tables
from pricing.imports.rules import ERRORS_KEPT_MAX, Anomaly, anomaly

PEER_CHANGE_PERCENT = Decimal(400)
PEER_TOLERANCE_PERCENT = Decimal(25)

Found = dict[int, tuple[str, RowError]]
"""Row → SKU and entry."""


async def find(
    connection: Connection, tables: Tables, subject: Subject, *, merged: bool, zero_prices: bool
) -> list[RowError]:
    """Entries of severity `held`, one a row; their SKUs are written to x. Nothing when the owner
    has confirmed the odd rows.
    """
    if subject.accepts_held:
        return []
    found: Found = {}
    if merged:
        await _against_own(connection, tables, subject, found)
    if zero_prices:
        for row, sku in await queries.zero_prices(connection, tables):
            found[row] = sku, _held(row, "price", "0", "zero_price", "The price is zero.")
    if await queries.has_items(connection):
        await _against_peers(connection, tables, subject, found, merged=merged)
    await leave_skus(connection, tables, {sku for sku, _ in found.values()}, "held")
    return [error for _, error in found.values()]


async def _against_own(
    connection: Connection, tables: Tables, subject: Subject, found: Found
) -> None:
    border = 1 + subject.hold_change_percent / 100
    async with connection.transaction():
        async for row in queries.changed_outside(connection, tables, border):
            odd = anomaly(
                row.price,
                row.price_unit,
                row.old_price,
                row.old_price_unit,
                against="against the price now published",
                hold_change_percent=subject.hold_change_percent,
            )
            if odd is not None and len(found) < ERRORS_KEPT_MAX:
                found[row.row] = row.sku, _odd_price(row, odd)
    if len(found) >= ERRORS_KEPT_MAX:
        # Beyond what a report can list, every odd SKU is still held.
        await queries.hold_changed_outside(connection, tables, border)


def _odd_price(row: queries.Changed, odd: Anomaly) -> RowError:
    if odd.code == "price_unit_mistake":
        return _held(row.row, "price_unit", f"{row.price_unit:f}", odd.code, odd.message)
    return _held(row.row, "price", f"{row.price:f}", odd.code, odd.message)


async def _against_peers(
    connection: Connection, tables: Tables, subject: Subject, found: Found, *, merged: bool
) -> None:
    border = 1 + PEER_CHANGE_PERCENT / 100
    async with connection.transaction():
        rows = queries.far_from_peers(connection, tables, subject, border, merged=merged)
        async for row in rows:
            if row.row in found or len(found) >= ERRORS_KEPT_MAX:
                continue
            odd = anomaly(
                row.price,
                row.price_unit,
                row.peer_price * row.peer_unit,
                row.peer_unit,
                against="against other suppliers",
                hold_change_percent=PEER_CHANGE_PERCENT,
                tolerance_percent=PEER_TOLERANCE_PERCENT,
            )
            if odd is not None:
                message = _beside_peers(odd)
                found[row.row] = (
                    row.sku,
                    _held(row.row, "price", f"{row.price:f}", odd.code, message),
                )


def _beside_peers(odd: Anomaly) -> str:
    """The exact factor would give away what the others ask."""
    where = "above" if odd.factor > 1 else "below"
    why = {
        "decimal_shift": "The decimal point seems shifted",
        "price_unit_mistake": "The price unit seems wrong",
    }.get(odd.code, "An unusual price")
    return f"{why}: far {where} what other suppliers ask per unit."


def _held(row: int, column: str, value: str, code: str, message: str) -> RowError:
    return RowError(row, column, code, value, message, "held")
