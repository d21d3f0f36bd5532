"""Tables of tenders. Every row carries `buyer_id`, so row-level security never has to look far."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from auctions.tenders.rules import Access, AuctionState, TenderState
from marketplace.kernel.db import Base


class Tender(Base):
    """`terms` holds what is only shown, never decided on: delivery, payment, contact."""

    __tablename__ = "tenders"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    author_id: Mapped[UUID]
    title: Mapped[str]
    description: Mapped[str]
    currency: Mapped[str]
    access: Mapped[str] = mapped_column(default=Access.INVITED.value)
    state: Mapped[str] = mapped_column(default=TenderState.DRAFT.value)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class Lot(Base):
    """A part that is awarded alone. `rules` stays as the buyer wrote it, read at publication."""

    __tablename__ = "lots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    ceiling_minor: Mapped[int | None]
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)


class LotItem(Base):
    """`item_id` points into the catalogue where the buyer chose from it; name and unit stay as
    they were then.
    """

    __tablename__ = "lot_items"

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID]
    buyer_id: Mapped[UUID]
    item_id: Mapped[UUID | None]
    name: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[Decimal]
    unit: Mapped[str]
    classification: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class TenderInvitation(Base):
    """`sent_at` is set at publication: before it the invited organisation sees nothing."""

    __tablename__ = "tender_invitations"

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    invited_by: Mapped[UUID]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    bonus_percent: Mapped[str]
    bonus_minor: Mapped[int]


class TenderParticipation(Base):
    """A supplier took note of the terms and takes part in every lot."""

    __tablename__ = "tender_participations"

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    accepted_by: Mapped[UUID]
    accepted_at: Mapped[datetime]


class Auction(Base):
    """The live bidding for one lot. `cancel_reason` waits here until the log has taken it."""

    __tablename__ = "auctions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"))
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default=AuctionState.SCHEDULED.value)
    starts_at: Mapped[datetime]
    cancel_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AuctionParticipant(Base):
    """Which organisation speaks under an alias. `admitted_at` is empty until the log has the Admit
    command.
    """

    __tablename__ = "auction_participants"

    auction_id: Mapped[UUID] = mapped_column(ForeignKey("auctions.id"), primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    tender_id: Mapped[UUID]
    buyer_id: Mapped[UUID]
    created_at: Mapped[datetime]
    admitted_at: Mapped[datetime | None]
