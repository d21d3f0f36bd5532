"""Tables of ratings. Policies, lines and claims are what happened; sums can be made again from
them at any time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big


class RatingPolicy(Base):
    """One version; never changed."""

    __tablename__ = "rating_policies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    version: Mapped[int]
    valid_from: Mapped[datetime]
    weights: Mapped[dict[str, Any]] = mapped_column(JSONB)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    landmark: Mapped[datetime]
    note: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]


class RatingBase(Base):
    """What a buyer's sums under one policy have seen: from which landmark they count, and until
    when orders have matured into M.
    """

    __tablename__ = "rating_bases"

    buyer_id: Mapped[UUID] = mapped_column(primary_key=True)
    policy_id: Mapped[UUID] = mapped_column(primary_key=True)
    landmark: Mapped[datetime]
    matured_until: Mapped[datetime]


class RatingLine(Base):
    """One line of a completed order; line 0 stands for the order. `voided_at`: reopened since."""

    __tablename__ = "rating_lines"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    completed_at: Mapped[datetime] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    ordered_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    month: Mapped[int]
    currency: Mapped[str]
    value_minor: Mapped[Big]
    log_ratio: Mapped[float | None]


class RatingClaim(Base):
    """A claim that counts from `upheld_at` until `withdrawn_at`."""

    __tablename__ = "rating_claims"

    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
    upheld_at: Mapped[datetime] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    buyer_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    severity: Mapped[float]
    withdrawn_at: Mapped[datetime | None]


class RatingTrust(Base):
    """A buyer's trust in a supplier: who gave it, why, and until when."""

    __tablename__ = "rating_trust"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    credit_bp: Mapped[int]
    reason: Mapped[str]
    author_id: Mapped[UUID]
    given_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class RatingBlock(Base):
    """A gate apart from every number: this supplier is not to be invited, and why."""

    __tablename__ = "rating_blocks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    reason: Mapped[str]
    blocked_by: Mapped[UUID]
    blocked_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None]
    lifted_reason: Mapped[str | None]


class RatingSurvey(Base):
    """One answer to the one question about an accepted order."""

    __tablename__ = "rating_surveys"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    stars: Mapped[int]
    answered_at: Mapped[datetime]


class RatingAffiliate(Base):
    """Two organisations of one group, as the operator knows it; the lower id first."""

    __tablename__ = "rating_affiliates"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    affiliate_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
