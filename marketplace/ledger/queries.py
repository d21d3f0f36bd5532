"""Every SELECT of the ledger. What a session may see is said by row-level security."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from sqlalchemy import and_, exists, func, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page, Sorting
from marketplace.ledger.models import (
    Accrual,
    Fund,
    LedgerAccount,
    LedgerEntry,
    LedgerLot,
    LedgerPosting,
    Sale,
    SaleLine,
    SaleRefund,
)
from marketplace.ledger.payouts.models import Payout, PayoutItem
from marketplace.ledger.posting import Entry

if TYPE_CHECKING:
    from marketplace.ledger.sales import NewSale

ACCOUNTS = Sorting(LedgerAccount.id, default="kind", kind=LedgerAccount.kind)
ENTRIES = Sorting(LedgerEntry.id, default="-number", number=LedgerEntry.number)
ACCRUALS = Sorting(
    Accrual.id,
    default="-number",
    number=Accrual.number,
    due_at=Accrual.due_at,
    amount=Accrual.amount,
)

_ADD_SALE = text(
    "INSERT INTO sales (id, source_kind, source_id, once, partner_id, customer_id, title, currency,"
    " amount_minor, at, completed_at) VALUES (:id, :source_kind, :source_id, :once, :partner_id,"
    " :customer_id, :title, :currency, :amount_minor, :at, :completed_at)"
    " ON CONFLICT (once) DO NOTHING RETURNING id"
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
        "customer_id": new.customer_id,
        "title": new.title,
        "currency": new.currency,
        "amount_minor": new.amount,
        "at": new.at,
        "completed_at": new.completed_at,
    }
    found: UUID | None = await session.scalar(_ADD_SALE, values)
    if found is not None and new.lines:
        lines = enumerate(new.lines)
        session.add_all(
            SaleLine(sale_id=found, position=position, **msgspec.structs.asdict(line))
            for position, line in lines
        )
        await session.flush()
    return found


async def sale(session: AsyncSession, sale_id: UUID, *, lock: bool = False) -> Sale | None:
    statement = select(Sale).where(Sale.id == sale_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def last_sale(
    session: AsyncSession, source_kind: str, source_id: str, until: datetime, ended_by: str
) -> Sale | None:
    """The last one that was completed at `until` or before, locked; not one that the refund
    `ended_by` has ended.
    """
    statement = (
        select(Sale)
        .where(Sale.source_kind == source_kind, Sale.source_id == source_id)
        .where(Sale.completed_at <= until)
        .where(~exists().where(SaleRefund.sale_id == Sale.id, SaleRefund.reference == ended_by))
        .order_by(Sale.completed_at.desc(), Sale.id.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
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


async def titles(
    session: AsyncSession, sources: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """What was sold, by (kind, id) of the source; sources that are no sale are missing."""
    named = tuple_(Sale.source_kind, Sale.source_id)
    statement = select(Sale.source_kind, Sale.source_id, Sale.title)
    rows = await session.execute(statement.where(named.in_(sources)))
    return {(row[0], row[1]): row[2] for row in rows}


async def account(session: AsyncSession, account_id: UUID) -> LedgerAccount | None:
    return await session.get(LedgerAccount, account_id)


async def account_page(
    session: AsyncSession,
    page: Page,
    *,
    owner: UUID | None,
    asset: str | None,
    mine: UUID | None,
) -> Sequence[LedgerAccount]:
    """`mine`: nothing but the accounts of this organisation."""
    statement = page.of(select(LedgerAccount))
    for wanted in (owner, mine):
        if wanted is not None:
            statement = statement.where(LedgerAccount.owner_id == wanted)
    if asset is not None:
        statement = statement.where(LedgerAccount.asset == asset)
    return (await session.scalars(statement)).all()


async def balances(session: AsyncSession, account_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Sums of the postings that the session may see."""
    statement = (
        select(LedgerPosting.account_id, func.sum(LedgerPosting.amount))
        .where(LedgerPosting.account_id.in_(account_ids))
        .group_by(LedgerPosting.account_id)
    )
    return {row[0]: int(row[1]) for row in await session.execute(statement)}


async def entry_page(
    session: AsyncSession,
    page: Page,
    account_id: UUID,
    from_at: datetime | None,
    to_at: datetime | None,
) -> Sequence[LedgerEntry]:
    """Entries with a posting on this account."""
    statement = page.of(select(LedgerEntry)).where(
        LedgerEntry.id.in_(
            select(LedgerPosting.entry_id).where(LedgerPosting.account_id == account_id)
        )
    )
    if from_at is not None:
        statement = statement.where(LedgerEntry.at >= from_at)
    if to_at is not None:
        statement = statement.where(LedgerEntry.at < to_at)
    return (await session.scalars(statement)).all()


async def postings(
    session: AsyncSession, entry_ids: Sequence[UUID]
) -> list[tuple[LedgerPosting, LedgerAccount]]:
    """In the order of each entry, with their accounts."""
    statement = (
        select(LedgerPosting, LedgerAccount)
        .join(LedgerAccount, LedgerAccount.id == LedgerPosting.account_id)
        .where(LedgerPosting.entry_id.in_(entry_ids))
        .order_by(LedgerPosting.entry_id, LedgerPosting.position)
    )
    return [(row[0], row[1]) for row in await session.execute(statement)]


_SHOWN_ACCRUAL = (
    select(Accrual, LedgerEntry, Payout.state)
    .join(LedgerEntry, LedgerEntry.id == Accrual.entry_id)
    .outerjoin(Payout, Payout.id == Accrual.payout_id)
)


async def accrual(
    session: AsyncSession, accrual_id: UUID
) -> tuple[Accrual, LedgerEntry, str | None] | None:
    """With its entry, and the state of the payout it stands in."""
    row = (await session.execute(_SHOWN_ACCRUAL.where(Accrual.id == accrual_id))).first()
    return None if row is None else (row[0], row[1], row[2])


async def accrual_page(
    session: AsyncSession,
    page: Page,
    now: datetime,
    *,
    state: str | None,
    partner: UUID | None,
    payout: UUID | None,
) -> list[tuple[Accrual, LedgerEntry, str | None]]:
    """As `accrual`; `state` as people see it, `payout` also where it failed since."""
    unpaid = and_(Accrual.payable, Accrual.payout_id.is_(None))
    conditions = {
        "held": and_(unpaid, Accrual.due_at > now),
        "payable": and_(unpaid, Accrual.due_at <= now),
        "in_payout": and_(Accrual.payable, Payout.state.in_(["proposed", "approved"])),
        "paid": Payout.state == "paid",
        "credited": Accrual.payable.is_(False),
    }
    statement = page.of(_SHOWN_ACCRUAL)
    if state is not None:
        statement = statement.where(conditions[state])
    if partner is not None:
        statement = statement.where(Accrual.beneficiary_id == partner)
    if payout is not None:
        stood_in = select(PayoutItem.accrual_id).where(PayoutItem.payout_id == payout)
        statement = statement.where(Accrual.id.in_(stood_in))
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]
