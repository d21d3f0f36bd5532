"""What partners sold: a completed order becomes a sale, a reopened one takes it back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from marketplace.orders import queries as orders
from marketplace.orders.facts import OrderCompleted, OrderReopened
from marketplace.orders.models import Line, Order
from suppliers.programme import queries
from suppliers.programme.models import PartnerSale, PartnerSaleLine

ORDER = "order"


async def order_completed(session: AsyncSession, fact: OrderCompleted) -> None:
    """Once however often it is told; completed again after a reopening, it counts from then."""
    async with as_house(session):
        sale = await queries.sale_of(session, ORDER, fact.order_id)
        order = await session.get(Order, fact.order_id)
        assert order is not None, "the fact is about it"
        amount = sum(line.value_minor for line in fact.lines)
        if sale is None:
            sale = PartnerSale(
                id=new_id(),
                partner_id=fact.supplier_id,
                customer_id=fact.buyer_id,
                source=ORDER,
                source_id=fact.order_id,
                title=order.title,
            )
            session.add(sale)
        sale.currency, sale.amount_minor, sale.reversed_minor = fact.currency, amount, 0
        sale.won_at = fact.at
        await session.flush()
        await session.execute(delete(PartnerSaleLine).where(PartnerSaleLine.sale_id == sale.id))
        values = [line.value_minor for line in fact.lines]
        session.add_all(_lines(sale, await orders.lines(session, order.id), values))


async def order_reopened(session: AsyncSession, fact: OrderReopened) -> None:
    """Nothing is left of the sale until the order is completed again."""
    async with as_house(session):
        sale = await queries.sale_of(session, ORDER, fact.order_id)
        if sale is not None:
            sale.reversed_minor = sale.amount_minor


def _lines(
    sale: PartnerSale, lines: Sequence[Line], values: Sequence[int]
) -> list[PartnerSaleLine]:
    """Under a lump price the lines have no values of their own."""
    priced = len(values) == len(lines) and any(line.price is not None for line in lines)
    return [
        PartnerSaleLine(
            sale_id=sale.id,
            position=line.position,
            partner_id=sale.partner_id,
            item_id=line.item_id,
            name=line.name,
            unit=line.unit,
            quantity=line.delivered,
            amount_minor=values[index] if priced else 0,
        )
        for index, line in enumerate(lines)
    ]
