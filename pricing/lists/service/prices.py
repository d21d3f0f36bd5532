"""Resolve a price and say why; what was known when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel import decimals
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.money import Amount
from marketplace.kernel.statements import Source
from pricing.lists import queries
from pricing.lists.rules import (
    Offered,
    Rate,
    Resolution,
    amount_for,
    plain,
    resolve,
    trimmed,
    unit_price,
)
from pricing.lists.schemas import History, HistoryEntry, ListRef, Resolved, line_view

HISTORY_MAX = 1_000


async def price_of(
    source: Source,
    supplier_id: UUID,
    item: str,
    *,
    quantity: str,
    currency: str | None,
    on: date,
    known_at: datetime | None,
) -> Resolved:
    """The price that holds for the caller, and why. Raises NotFound, Invalid."""
    amount = parse_quantity(quantity)
    skus = await _skus(source, supplier_id, item)
    lists, combination = await queries.offered(source, supplier_id, skus, known_at)
    if not any(each.lines for each in lists):
        raise NotFound("price")
    answer = resolve(
        lists,
        quantity=amount,
        currency=currency,
        on=on,
        rates=await rates_for(source, lists, currency, on),
        combination=combination,
    )
    return _resolved(answer, amount)


async def rates_for(
    source: Source, lists: Iterable[Offered], currency: str | None, on: date
) -> list[Rate]:
    others = {line.currency for each in lists for line in each.lines} - {currency}
    if currency is None or not others:
        return []
    return await queries.rates_until(source, others, currency, on)


def parse_quantity(quantity: str) -> Decimal:
    """Raises Invalid."""
    try:
        return decimals.parse_quantity(quantity)
    except decimals.NotADecimal as wrong:
        message = "A quantity is a positive decimal number."
        raise Invalid.field("quantity", "malformed", message, wrong.hint) from None


async def _skus(source: Source, supplier_id: UUID, item: str) -> list[str]:
    """`item` is an item's id, or a supplier's SKU as written in its list."""
    try:
        item_id = UUID(item)
    except ValueError:
        return [item]
    skus = await queries.skus_of_item(source, supplier_id, item_id)
    if skus is None:
        raise NotFound("item")
    return skus


def _resolved(answer: Resolution, quantity: Decimal) -> Resolved:
    line, offered, price, currency = answer.line, answer.offered, answer.price, answer.currency
    if line is None or offered is None or price is None or currency is None:
        return Resolved(
            price=None,
            price_unit=None,
            unit_price=None,
            amount=None,
            line=None,
            version=None,
            list=None,
            why=list(answer.why),
        )
    total = amount_for(price, line.price_unit, quantity, currency)
    return Resolved(
        price=Amount(str(trimmed(price)), currency),
        price_unit=plain(line.price_unit),
        unit_price=Amount(str(unit_price(price, line.price_unit)), currency),
        amount=Amount(str(total), currency),
        line=line_view(line),
        version=offered.version,
        list=ListRef(offered.id, offered.name, offered.kind),
        why=list(answer.why),
    )


async def history(
    session: AsyncSession,
    supplier_id: UUID,
    item: str,
    *,
    known_at: datetime | None,
    on: date | None,
) -> History:
    """What was known when, for which days. Raises NotFound for a supplier without any list that the
    caller may read.
    """
    skus = await _skus(session, supplier_id, item)
    found = await queries.history(
        session, supplier_id, skus, known_at=known_at, on=on, limit=HISTORY_MAX
    )
    if not found and not await queries.reads_any_list(session, supplier_id):
        raise NotFound("price")
    return History(
        [
            HistoryEntry(
                known_from=row["known_from"],
                known_to=row["known_to"],
                list=ListRef(row["id"], row["name"], row["kind"]),
                line=line_view(line),
            )
            for row, line in found
        ]
    )
