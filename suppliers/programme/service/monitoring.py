"""Reports of the channel manager: one function makes the rows and totals of the screen and of the
CSV alike.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import exponent_of, format_minor
from marketplace.kernel.scope import as_house
from marketplace.kernel.spreadsheets import harmless
from suppliers.programme import monitor_queries
from suppliers.programme.monitor_queries import Filters
from suppliers.programme.schemas.reports import ColumnView, ReportView

# name -> (columns in their order, of which these add up; amounts add up by currency)
COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "sales": (
        ("region", "Region"),
        ("partner", "Partner"),
        ("currency", "Currency"),
        ("orders", "Orders"),
        ("customers", "Customers"),
        ("amount", "Amount"),
    ),
    "service": (
        ("region", "Region"),
        ("partner", "Partner"),
        ("orders", "Orders"),
        ("claims", "Orders with an upheld claim"),
        ("claims_percent", "Percent"),
    ),
    "wanted": (
        ("region", "Region"),
        ("product", "Product"),
        ("unit", "Unit"),
        ("currency", "Currency"),
        ("quantity", "Quantity"),
        ("amount", "Amount"),
        ("partners", "Partners"),
    ),
}
_ADD_UP = {
    "sales": ("orders", "amount"),
    "service": ("orders", "claims"),
    "wanted": ("amount",),
}
TOTAL = "Total"

Cells = dict[str, object]


async def report(session: AsyncSession, name: str, filters: Filters) -> ReportView:
    """The caller was allowed to read of every partner. Raises Invalid."""
    if filters.ends <= filters.begins:
        raise Invalid.field("to", "reversed_period", "The end lies before the beginning.")
    async with as_house(session):
        rows = await monitor_queries.report(session, name, filters)
    columns = COLUMNS[name]
    return ReportView(
        columns=[ColumnView(name=column, title=title) for column, title in columns],
        rows=[_texts(columns, row) for row in rows],
        totals=[_texts(columns, row) for row in _totals(name, rows)],
        complete=len(rows) < monitor_queries.ROWS_MAX,
    )


def as_csv(shown: ReportView) -> str:
    """The very rows and totals of the screen; what a spreadsheet would run is made harmless."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow([column.title for column in shown.columns])
    lines.writerows([harmless(cell or "") for cell in row] for row in [*shown.rows, *shown.totals])
    return text.getvalue()


def _totals(name: str, rows: Sequence[Cells]) -> list[Cells]:
    """One line a currency; one line where a report has none."""
    totals: dict[object, Cells] = {}
    for row in rows:
        currency = row.get("currency")
        total = totals.setdefault(currency, {"region": TOTAL, "currency": currency})
        for column in _ADD_UP[name]:
            total[column] = _number(total.get(column, 0)) + _number(row[column])
    if name == "service":
        for total in totals.values():
            share = 100 * _number(total["claims"]) / _number(total["orders"])
            total["claims_percent"] = round(share, 1)
    return sorted(totals.values(), key=lambda total: str(total["currency"]))


def _number(value: object) -> Decimal:
    assert isinstance(value, int | Decimal), "only numbers add up"
    return Decimal(value)


def _texts(columns: Sequence[tuple[str, str]], row: Cells) -> list[str | None]:
    return [_text(column, row) for column, _ in columns]


def _text(column: str, row: Cells) -> str | None:
    value = row.get(column)
    if value is None or isinstance(value, UUID):
        return None
    if column == "amount":
        return format_minor(int(_number(value)), exponent_of(str(row["currency"])))
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
