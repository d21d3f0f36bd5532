"""Tables of the ledger. Entries and postings are never changed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, FetchedValue, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big


class LedgerAccount(Base):
    """owner_id  None: the operator
    kind      what the account holds, see `accounts.KINDS`
    asset     a currency or `points`
    ref       tells several accounts of a kind apart: a fund's id
    balance   running, where the account must not fall below `floor`; else None
    """

    __tablename__ = "ledger_accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID | None]
    kind: Mapped[str]
    asset: Mapped[str]
    ref: Mapped[str]
    balance: Mapped[Big | None]
    floor: Mapped[Big | None]


class LedgerEntry(Base):
    """One event that moved money. `number` is the order of the ledger; `parties` may read it."""

    __tablename__ = "ledger_entries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[Big] = mapped_column(server_default=FetchedValue())
    at: Mapped[datetime]
    source_kind: Mapped[str]
    source_id: Mapped[str]
    rule_kind: Mapped[str]
    rule_version: Mapped[int]
    rule_text: Mapped[str]
    once: Mapped[str]
    reverses: Mapped[UUID | None]
    parties: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class LedgerPosting(Base):
    """Transfers stand in pairs: from which account at 2n, to which at 2n + 1."""

    __tablename__ = "ledger_postings"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    asset: Mapped[str]
    amount: Mapped[Big]


class LedgerLot(Base):
    """What was credited together and expires together. `source` names the credit."""

    __tablename__ = "ledger_lots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    source: Mapped[str]
    amount: Mapped[Big]
    left_amount: Mapped[Big]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LedgerLotUse(Base):
    """What of a lot is reserved or spent by `use`: a fund request or a redemption."""

    __tablename__ = "ledger_lot_uses"

    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    use: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Big]


class Accrual(Base):
    """What somebody earned or lost again.

    number      the order of the ledger
    amount      in minor units of `asset`; negative where something was reversed
    payable     whether payouts and acts take it; fund credits and points are no money to pay out
    at, due_at  when it was earned, and from when on it is paid out
    expires_at  when a fund credit or points end; None: never
    payout_id   the payout it stands in, until that fails
    act_id      the act that it is a line of
    """

    __tablename__ = "accruals"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[Big] = mapped_column(server_default=FetchedValue())
    entry_id: Mapped[UUID]
    beneficiary_id: Mapped[UUID]
    kind: Mapped[str]
    asset: Mapped[str]
    amount: Mapped[Big]
    payable: Mapped[bool]
    source_kind: Mapped[str]
    source_id: Mapped[str]
    at: Mapped[datetime]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    reverses: Mapped[UUID | None]
    payout_id: Mapped[UUID | None]
    act_id: Mapped[UUID | None]


class Fund(Base):
    """The marketing money of one partner in one currency; its accounts carry its id as `ref`."""

    __tablename__ = "funds"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID]
    currency: Mapped[str]
    created_at: Mapped[datetime]


class Sale(Base):
    """What a partner sold, and what of it was taken back. Its terms are those of `at`; figures
    count it from `completed_at` on, and holding periods begin then.
    """

    __tablename__ = "sales"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source_kind: Mapped[str]
    source_id: Mapped[str]
    once: Mapped[str]
    partner_id: Mapped[UUID]
    customer_id: Mapped[UUID | None]
    title: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[Big]
    refunded_minor: Mapped[Big]
    at: Mapped[datetime]
    completed_at: Mapped[datetime]


class SaleLine(Base):
    """What was sold; `amount_minor` is 0 where the sale has one price for all its lines."""

    __tablename__ = "sale_lines"

    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID | None]
    name: Mapped[str]
    unit: Mapped[str]
    quantity: Mapped[Decimal]
    amount_minor: Mapped[Big]


class SaleRefund(Base):
    """How much of a sale one cause takes back; a claim may change its mind."""

    __tablename__ = "sale_refunds"

    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[Big]
    at: Mapped[datetime]
