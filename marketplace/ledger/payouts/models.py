"""Tables of payouts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big


class BankAccount(Base):
    """Where an organisation is paid; the operator's own: from where it pays."""

    __tablename__ = "bank_accounts"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder: Mapped[str]
    iban: Mapped[str]
    bic: Mapped[str | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID]


class PayoutTerms(Base):
    """What the agreement says: less than the minimum is carried over."""

    __tablename__ = "payout_terms"

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    minimum_minor: Mapped[Big]


class PayoutRun(Base):
    """`author_id` is the maker; `currency` None: every currency."""

    __tablename__ = "payout_runs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    until: Mapped[datetime]
    currency: Mapped[str | None]
    state: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
    checked_by: Mapped[UUID | None]
    checked_at: Mapped[datetime | None]


class Payout(Base):
    """One beneficiary and currency of a run. The bank account is that of the time of the run, so
    the second person releases what the bank gets. `announced`: the partner was notified.
    """

    __tablename__ = "payouts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    number: Mapped[int]
    beneficiary_id: Mapped[UUID]
    currency: Mapped[str]
    amount_minor: Mapped[Big]
    items: Mapped[int]
    state: Mapped[str]
    author_id: Mapped[UUID]
    holder: Mapped[str | None]
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    reference: Mapped[str | None]
    failure: Mapped[str | None]
    announced: Mapped[bool] = mapped_column(default=True)


class PayoutItem(Base):
    """An accrual that stands, or stood, in a payout."""

    __tablename__ = "payout_items"

    payout_id: Mapped[UUID] = mapped_column(primary_key=True)
    accrual_id: Mapped[UUID] = mapped_column(primary_key=True)


class PayoutExport(Base):
    """The file as it was first made; every later call gets the same bytes."""

    __tablename__ = "payout_exports"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    format: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]
    sha256: Mapped[str]
    made_at: Mapped[datetime]
