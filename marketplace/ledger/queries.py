"""Every SELECT of the ledger. What a session may see is said by row-level security."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from marketplace.kernel.ids import new_id
from marketplace.ledger.models import (
    Accrual,
    Fund,
    LedgerEntry,
    LedgerLot,
    Sale,
    SaleRefund,
)
from marketplace.ledger.posting import Entry

if TYPE_CHECKING:
    from marketplace.ledger.sales import NewSale

_ADD_SALE = text(
    "INSERT INTO sales (id, source_kind, source_id, once, partner_id, currency, amount_minor, at,"
    " completed_at) VALUES (:id, :source_kind, :source_id, :once, :partner_id, :currency,"
    " :amount_minor, :at, :completed_at) ON CONFLICT (once) DO NOTHING RETURNING id"
)


async def entry(session: AsyncSession, entry_id: UUID) -> LedgerEntry | None:
    return await session.get(LedgerEntry, entry_id)


async def add_sale(session: AsyncSession, sale_id: UUID, new: NewSale) -> UUID | None:
    """None when it was recorded before."""
    values = {
        "id": sale_id,
        "source_kind": new.source.kind,
        "source_id": new.source.id,
        "once": new.once,
        "partner_id": new.partner_id,
        "currency": new.currency,
        "amount_minor": new.amount,
        "at": new.at,
        "completed_at": new.completed_at,
    }
    found: UUID | None = await session.scalar(_ADD_SALE, values)
    return found


async def sale(session: AsyncSession, sale_id: UUID, *, lock: bool = False) -> Sale | None:
    statement = select(Sale).where(Sale.id == sale_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def last_sale(session: AsyncSession, source_kind: str, source_id: str) -> Sale | None:
    """An order that was reopened and completed again is another sale."""
    statement = (
        select(Sale)
        .where(Sale.source_kind == source_kind, Sale.source_id == source_id)
        .order_by(Sale.completed_at.desc(), Sale.id.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).first()


async def refund_of(session: AsyncSession, sale_id: UUID, reference: str) -> SaleRefund | None:
    statement = select(SaleRefund).where(
        SaleRefund.sale_id == sale_id, SaleRefund.reference == reference
    )
    return (await session.scalars(statement)).first()


async def accruals_of_sale(session: AsyncSession, of: Sale) -> list[tuple[Accrual, int]]:
    """What the sale earned, locked, and what is left of each after its reversals; in the order of
    the ledger.
    """
    later = aliased(Accrual)
    earned = (
        select(Accrual)
        .join(LedgerEntry, LedgerEntry.id == Accrual.entry_id)
        .where(Accrual.source_kind == of.source_kind, Accrual.source_id == of.source_id)
        .where(Accrual.reverses.is_(None), LedgerEntry.once.in_(_onces(of)))
        .order_by(Accrual.number)
        .with_for_update(of=Accrual)
        .execution_options(populate_existing=True)
    )
    found = (await session.scalars(earned)).all()
    reversed_sums = (
        select(later.reverses, func.sum(later.amount))
        .where(later.reverses.in_([accrual.id for accrual in found]))
        .group_by(later.reverses)
    )
    changes = {row[0]: int(row[1]) for row in await session.execute(reversed_sums)}
    return [(accrual, accrual.amount + changes.get(accrual.id, 0)) for accrual in found]


def _onces(of: Sale) -> list[str]:
    """An order may have been sold twice; each time earned its own."""
    return [f"{word} {of.once}" for word in ("commission", "fund", "points")]


def reversal_of(accrual: Accrual, entry: Entry, change: int) -> Accrual:
    """The row of what was taken back of a credit or of points."""
    return Accrual(
        id=new_id(),
        entry_id=entry.id,
        beneficiary_id=accrual.beneficiary_id,
        kind=accrual.kind,
        asset=accrual.asset,
        amount=change,
        payable=False,
        source_kind=accrual.source_kind,
        source_id=accrual.source_id,
        at=entry.at,
        due_at=entry.at,
        expires_at=accrual.expires_at,
        reverses=accrual.id,
    )


async def fund_of(
    session: AsyncSession, fund_id: UUID, partner_id: UUID, currency: str, now: datetime
) -> Fund:
    """The fund of this partner and currency, made under `fund_id` when there is none."""
    made = insert(Fund).values(id=fund_id, partner_id=partner_id, currency=currency, created_at=now)
    await session.execute(made.on_conflict_do_nothing())
    statement = select(Fund).where(Fund.partner_id == partner_id, Fund.currency == currency)
    return (await session.scalars(statement)).one()


async def lot_exists(session: AsyncSession, account_id: UUID, source: str) -> bool:
    statement = select(literal(True)).where(
        exists().where(LedgerLot.account_id == account_id, LedgerLot.source == source)
    )
    return await session.scalar(statement) is not None


_PENDING_POINTS = text(
    """SELECT a.id, a.amount + coalesce((SELECT sum(r.amount) FROM accruals r
            WHERE r.reverses = a.id), 0) AS left_amount
    FROM accruals a
    WHERE a.kind = 'points' AND a.reverses IS NULL AND a.at < :until
        AND NOT EXISTS (SELECT FROM ledger_lots l WHERE l.source = a.id::text)
        AND a.amount + coalesce((SELECT sum(r.amount) FROM accruals r WHERE r.reverses = a.id), 0)
            > 0
    ORDER BY a.number LIMIT :limit"""
)


async def pending_points(
    session: AsyncSession, until: datetime, limit: int
) -> list[tuple[Accrual, int]]:
    """Points earned before `until` that are not available yet, locked, the oldest first."""
    rows = (await session.execute(_PENDING_POINTS, {"until": until, "limit": limit})).all()
    left = {row.id: int(row.left_amount) for row in rows}
    statement = select(Accrual).where(Accrual.id.in_(left)).order_by(Accrual.number)
    accruals = (await session.scalars(statement.with_for_update())).all()
    return [(accrual, left[accrual.id]) for accrual in accruals]
