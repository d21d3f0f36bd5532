"""What partners sold, what each sale earned, and what refunds take back of it.

A sale is recorded once and accrues by the terms of its own time. Refunds are cumulative: after each
one, what is left of every accrual is computed from the accrual and the whole refunded sum, so parts
of a refund never round differently from the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import exponent_of
from marketplace.kernel.scope import as_house
from marketplace.ledger import queries, rules
from marketplace.ledger.accruing import NewAccrual, accrue, reverse
from marketplace.ledger.credits import funds, points
from marketplace.ledger.models import Sale, SaleRefund
from marketplace.ledger.posting import Source
from marketplace.ledger.terms import CpaTerms, OverRefund, Terms, commission


class SoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """amount_minor  0 where the sale has one price for all its lines"""

    item_id: UUID | None
    name: str
    unit: str
    quantity: Decimal
    amount_minor: int


class NewSale(msgspec.Struct, frozen=True, kw_only=True):
    """once          names the sale: the same is recorded once
    title         what it was, for people
    customer_id   who bought, where it is an organisation of the marketplace
    amount        minor units of `currency`
    at            when it was sold: the terms of this time pay for it
    completed_at  from when on holding periods count
    """

    once: str
    source: Source
    partner_id: UUID
    title: str
    currency: str
    amount: int
    at: datetime
    completed_at: datetime
    quantity: int = 1
    customer_id: UUID | None = None
    lines: Sequence[SoldLine] = ()


async def record(session: AsyncSession, new: NewSale, terms: Terms | None) -> UUID | None:
    """The sale's id; None when it was recorded before. Without terms it earns nothing, but counts
    in the partner's figures. Works in any scope.
    """
    async with as_house(session):
        sale_id = await queries.add_sale(session, new_id(), new)
        if sale_id is None or terms is None:
            return sale_id
        await _accrue_commission(session, new, terms)
        await _credit_fund(session, new, terms)
        await _earn_points(session, new, terms)
    return sale_id


async def _accrue_commission(session: AsyncSession, new: NewSale, terms: Terms) -> None:
    earned = commission(terms.sale, new.amount, new.quantity)
    # A sale of nothing earns nothing, not even a flat rate: it could never be taken back in part.
    if not earned or not new.amount:
        return
    await accrue(
        session,
        NewAccrual(
            once=f"commission {new.once}",
            kind="commission",
            beneficiary_id=new.partner_id,
            currency=new.currency,
            amount=earned,
            source=new.source,
            rule=terms.rule,
            at=new.completed_at,
            hold_days=terms.hold_days,
        ),
    )


async def _credit_fund(session: AsyncSession, new: NewSale, terms: Terms) -> None:
    amount = rules.share(new.amount, terms.fund_bp)
    if not amount:
        return
    fund = await funds.fund_of(session, new.partner_id, new.currency, new.completed_at)
    days = terms.fund_days
    credit = funds.Credit(
        once=f"fund {new.once}",
        amount=amount,
        source=new.source,
        rule=terms.rule,
        at=new.completed_at,
        expires_at=None if days is None else rules.due_after(new.completed_at, days),
    )
    await funds.credit(session, fund, credit)


async def _earn_points(session: AsyncSession, new: NewSale, terms: Terms) -> None:
    amount = rules.points_of(new.amount, exponent_of(new.currency), terms.points_per_major)
    if not amount:
        return
    days = terms.points_days
    earning = points.Earning(
        once=f"points {new.once}",
        points=amount,
        source=new.source,
        rule=terms.rule,
        at=new.completed_at,
        expires_at=None if days is None else rules.due_after(new.completed_at, days),
    )
    await points.earn(session, new.partner_id, earning)


async def refund(
    session: AsyncSession, sale_id: UUID, reference: str, amount: int, reason: str, at: datetime
) -> None:
    """So much of the sale is taken back for the cause `reference`. A later word of the same cause
    replaces the former; an earlier one, or the same again, changes nothing. Works in any scope.
    Raises NotFound, OverRefund.
    """
    async with as_house(session):
        sale = await queries.sale(session, sale_id, lock=True)
        if sale is None:
            raise NotFound("sale")
        former = await queries.refund_of(session, sale_id, reference)
        if former is not None and former.at >= at:
            return
        total = sale.refunded_minor - (former.amount_minor if former else 0) + amount
        if total > sale.amount_minor:
            raise OverRefund
        if former is None:
            session.add(
                SaleRefund(sale_id=sale_id, reference=reference, amount_minor=amount, at=at)
            )
        else:
            former.amount_minor, former.at = amount, at
        sale.refunded_minor = total
        await session.flush()
        await _adjust(session, sale, f"{reference} {at.isoformat()}", reason, at)


async def _adjust(session: AsyncSession, sale: Sale, cause: str, reason: str, at: datetime) -> None:
    """Bring what is left of each accrual to what is left of the sale."""
    for accrual, left in await queries.accruals_of_sale(session, sale):
        wanted = rules.left_of(accrual.amount, sale.amount_minor, sale.refunded_minor)
        if wanted == left:
            continue
        once = f"refund {cause} of {accrual.id}"
        await _changes[accrual.kind](session, accrual, wanted - left, once, reason, at)


_changes = {
    "commission": reverse,
    "fund_credit": funds.reverse,
    "points": points.reverse,
}
"""How an accrual of each kind that sales earn is changed afterwards."""


async def pay_action(
    session: AsyncSession,
    lead_id: UUID,
    partner_id: UUID,
    frozen: CpaTerms | None,
    action: str,
    at: datetime,
) -> UUID | None:
    """A lead's action happened. The one that the frozen terms name pays, once; None where nothing
    is paid. Works in any scope.
    """
    if frozen is None or action != frozen.action:
        return None
    return await accrue(
        session,
        NewAccrual(
            once=f"cpa {lead_id}",
            kind="cpa",
            beneficiary_id=partner_id,
            currency=frozen.currency,
            amount=frozen.amount,
            source=Source("lead", str(lead_id)),
            rule=frozen.rule,
            at=at,
            hold_days=frozen.hold_days,
        ),
    )
