"""Tables of what is asked of funds and points."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big


class FundRequest(Base):
    """Money for one activity, reserved at once. `left_minor` is still reserved."""

    __tablename__ = "fund_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fund_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    author_id: Mapped[UUID]
    activity: Mapped[str]
    amount_minor: Mapped[Big]
    left_minor: Mapped[Big]
    state: Mapped[str]
    reason: Mapped[str | None]
    created_at: Mapped[datetime]


class FundClaim(Base):
    """Money that was spent on an approved request; the `final` one releases the rest."""

    __tablename__ = "fund_claims"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    amount_minor: Mapped[Big]
    final: Mapped[bool]
    state: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]


class Prize(Base):
    """What points buy; `cost` for one."""

    __tablename__ = "prizes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    cost: Mapped[int]
    stock: Mapped[int]
    created_at: Mapped[datetime]


class Redemption(Base):
    """Points that were exchanged for a prize."""

    __tablename__ = "redemptions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID]
    prize_id: Mapped[UUID]
    author_id: Mapped[UUID]
    quantity: Mapped[int]
    points: Mapped[Big]
    state: Mapped[str]
    created_at: Mapped[datetime]
