"""Orders as sales: what is accepted earns, what is reopened or rightly complained about is taken
back, in the transaction of the deed.

Every handler may hear the same fact again: a sale is recorded once, and a refund that was already
heard of, or a later word of the same cause, stands.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.scope import as_house
from marketplace.ledger import queries, rules, sales
from marketplace.ledger.models import Sale
from marketplace.ledger.posting import Source
from marketplace.ledger.terms import TermsAt
from marketplace.orders import queries as orders
from marketplace.orders.facts import (
    ClaimUpheld,
    ClaimWithdrawn,
    Goods,
    OrderCompleted,
    OrderReopened,
)

KIND = "order"
REOPENED = "reopened"
"""Ends a sale: what claims say afterwards is looked at when the order is completed again."""


async def order_completed(terms_at: TermsAt, session: AsyncSession, fact: OrderCompleted) -> None:
    """The supplier is the partner. The terms are those of the time of the order; a supplier without
    an agreement at that time sells without commission.
    """
    async with as_house(session):
        terms = await terms_at(session, fact.supplier_id, fact.ordered_at)
        new = sales.NewSale(
            once=f"order {fact.order_id} {fact.at.isoformat()}",
            source=Source(KIND, str(fact.order_id)),
            partner_id=fact.supplier_id,
            customer_id=fact.buyer_id,
            title=fact.title,
            currency=fact.currency,
            amount=sum(line.value_minor for line in fact.lines),
            at=fact.ordered_at,
            completed_at=fact.at,
            lines=[_line(goods) for goods in fact.goods],
        )
        sale_id = await sales.record(session, new, terms)
        if sale_id is None:
            return
        for claim in await orders.claims(session, fact.order_id):
            if claim.state == "upheld":
                await _deduct(session, sale_id, claim.id, claim.severity_bp, fact.at)


def _line(goods: Goods) -> sales.SoldLine:
    return sales.SoldLine(
        item_id=goods.item_id,
        name=goods.name,
        unit=goods.unit,
        quantity=goods.quantity,
        amount_minor=goods.value_minor,
    )


async def order_reopened(session: AsyncSession, fact: OrderReopened) -> None:
    """What is left of the sale is taken back, also when it was paid."""
    async with as_house(session):
        sale = await _sale_at(session, fact.order_id, fact.at)
        if sale is None:
            return
        rest = sale.amount_minor - sale.refunded_minor
        await sales.refund(session, sale.id, REOPENED, rest, "The order was reopened", fact.at)


async def claim_upheld(session: AsyncSession, fact: ClaimUpheld) -> None:
    """The severity's share of the sale is taken back."""
    async with as_house(session):
        sale = await _sale_at(session, fact.order_id, fact.at)
        if sale is not None:
            await _deduct(session, sale.id, fact.claim_id, fact.severity_bp, fact.at)


async def claim_withdrawn(session: AsyncSession, fact: ClaimWithdrawn) -> None:
    """What the claim took back is earned again."""
    async with as_house(session):
        sale = await _sale_at(session, fact.order_id, fact.at)
        if sale is not None:
            await _deduct(session, sale.id, fact.claim_id, 0, fact.at)


async def _sale_at(session: AsyncSession, order_id: UUID, at: datetime) -> Sale | None:
    """The sale that the fact is about: an order that was reopened is sold anew when it is completed
    again. A fact from before the completion, or from between, finds none.
    """
    return await queries.last_sale(session, KIND, str(order_id), at, ended_by=REOPENED)


async def _deduct(
    session: AsyncSession, sale_id: UUID, claim_id: UUID, severity_bp: int, at: datetime
) -> None:
    """Several claims together take back no more than the whole."""
    sale = await queries.sale(session, sale_id, lock=True)
    assert sale is not None, "sales are never deleted"
    reference = f"claim {claim_id}"
    former = await queries.refund_of(session, sale_id, reference)
    room = sale.amount_minor - sale.refunded_minor + (former.amount_minor if former else 0)
    amount = min(room, rules.share(sale.amount_minor, severity_bp))
    reason = "A claim was upheld" if severity_bp else "A claim was withdrawn"
    await sales.refund(session, sale_id, reference, amount, reason, at)
