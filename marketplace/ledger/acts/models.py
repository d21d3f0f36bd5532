"""Tables of acts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big


class BillingTerms(Base):
    """What the agreement says about documents; without a row: statements in English, ten days."""

    __tablename__ = "billing_terms"

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    self_billing: Mapped[bool]
    accept_days: Mapped[int]
    language: Mapped[str]


class ActRun(Base):
    """The acts of one month. Its worker holds it by a lease."""

    __tablename__ = "act_runs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    period: Mapped[str]
    state: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]


class Act(Base):
    """kind          389, or 261 (credit note) where the lines together are negative
    total_minor   never negative: a credit note turns the sign of its lines
    seller        the partner, buyer the operator, as they were when it was issued
    sha256        of the PDF; None until it is rendered
    author_id     who asked for the run
    """

    __tablename__ = "acts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    number: Mapped[str]
    beneficiary_id: Mapped[UUID]
    currency: Mapped[str]
    kind: Mapped[int]
    self_billing: Mapped[bool]
    language: Mapped[str]
    accept_days: Mapped[int]
    total_minor: Mapped[Big]
    lines: Mapped[int]
    seller: Mapped[dict[str, Any]] = mapped_column(JSONB)
    buyer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    author_id: Mapped[UUID]
    reason: Mapped[str | None]
    issued_at: Mapped[datetime]
    sha256: Mapped[str | None]


class ActLine(Base):
    """One accrual, which stands on no other act."""

    __tablename__ = "act_lines"

    act_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    accrual_id: Mapped[UUID]
    amount_minor: Mapped[Big]


class ActFile(Base):
    """The bytes as they were made once."""

    __tablename__ = "act_files"

    act_id: Mapped[UUID] = mapped_column(primary_key=True)
    pdf: Mapped[bytes]
    xml: Mapped[bytes | None]
