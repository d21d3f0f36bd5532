"""Tables of the partner programme."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base


class Programme(Base):
    __tablename__ = "programmes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID]
    name: Mapped[str]
    currency: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]


class ProgrammeVersion(Base):
    """`tiers` as on the wire (`schemas.TierBody`), lowest first; never changed once published."""

    __tablename__ = "programme_versions"

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    tiers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class Agreement(Base):
    """The terms between the operator and one partner.

    tier         approved; None before the first approval
    eligible     what the last evaluation found, so that it is announced once
    begins, ends in force while `begins <= t < ends` and the state is `active`
    """

    __tablename__ = "agreements"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    programme_id: Mapped[UUID]
    version: Mapped[int]
    partner_type: Mapped[str]
    tier: Mapped[str | None]
    eligible: Mapped[str | None]
    region: Mapped[str | None]
    segment: Mapped[str | None]
    begins: Mapped[datetime]
    ends: Mapped[datetime | None]
    cpa: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    payout: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AgreementSnapshot(Base):
    """What an agreement granted from `at` on, and the figures behind an approval. Append-only: the
    terms of any past moment are those of the last row before it.
    """

    __tablename__ = "agreement_snapshots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agreement_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    at: Mapped[datetime]
    event: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    tier_before: Mapped[str | None]
    tier: Mapped[str | None]
    standing: Mapped[dict[str, Any]] = mapped_column(JSONB)
    author_id: Mapped[UUID | None]


class Certificate(Base):
    """A person of the partner has passed a course."""

    __tablename__ = "certificates"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agreement_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    user_id: Mapped[UUID]
    course: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    document_id: Mapped[UUID | None]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Plan(Base):
    """Individual targets of a partner for a time, agreed by both sides."""

    __tablename__ = "plans"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agreement_id: Mapped[UUID]
    operator_id: Mapped[UUID]
    partner_id: Mapped[UUID]
    proposer_id: Mapped[UUID]
    currency: Mapped[str]
    begins: Mapped[datetime]
    ends: Mapped[datetime]
    targets: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    payout_formula: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
