"""Tables of tenders. Every row carries `buyer_id`, so row-level security never has to look far."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from auctions.tenders.rules import Access, AuctionState, AwardState, OfferState, TenderState
from marketplace.kernel.db import Base, Big


class Tender(Base):
    """`terms` holds what is only shown, never decided on: delivery, payment.

    offers_due_at  until when sealed offers may come; None: the auction is the only stage
    two_person     opening them takes two people
    begins_at      when the first auction starts
    """

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
    needs_approval: Mapped[bool] = mapped_column(default=False)
    approved_by: Mapped[UUID | None]
    offers_due_at: Mapped[datetime | None]
    two_person: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime | None]
    begins_at: Mapped[datetime | None]
    addenda_count: Mapped[int] = mapped_column(default=0)


class Lot(Base):
    """A part that is awarded alone. `rules` stays as the buyer wrote it, read at publication."""

    __tablename__ = "lots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    ceiling_minor: Mapped[Big | None]
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
    declined_at: Mapped[datetime | None]
    decline_reason: Mapped[str | None]
    bonus_percent: Mapped[str]
    bonus_minor: Mapped[Big]


class TenderParticipation(Base):
    """A supplier took note of the terms and takes part in every lot."""

    __tablename__ = "tender_participations"

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    accepted_by: Mapped[UUID]
    accepted_at: Mapped[datetime]


class Auction(Base):
    """The live bidding for one lot. `cancel_reason` waits here until the log has taken it.

    start_moves         how often an addendum moved the start; so many commands the log must have
    start_reason        what the newest of them says
    start_announced_at  when this start was announced
    announced_seq       so far the log was read for leaders that were outbid
    announced_leader    who led there
    """

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
    start_moves: Mapped[int] = mapped_column(default=0)
    start_moves_sent: Mapped[int] = mapped_column(default=0)
    start_reason: Mapped[str | None]
    start_announced_at: Mapped[datetime | None]
    announced_seq: Mapped[Big] = mapped_column(default=0)
    announced_leader: Mapped[str | None]


class AuctionParticipant(Base):
    """Which organisation speaks under an alias, with the rating it came with. `admitted_at` is
    empty until the log has the Admit command, `excluded_at` until the house's Exclude, which
    follows a suspension.
    """

    __tablename__ = "auction_participants"

    auction_id: Mapped[UUID] = mapped_column(ForeignKey("auctions.id"), primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    tender_id: Mapped[UUID]
    buyer_id: Mapped[UUID]
    created_at: Mapped[datetime]
    rating: Mapped[str | None]
    admitted_at: Mapped[datetime | None]
    excluded_at: Mapped[datetime | None]


class TenderPolicy(Base):
    """A buyer's own rule: above this value somebody else must release a tender."""

    __tablename__ = "tender_policies"

    buyer_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str]
    approval_limit_minor: Mapped[Big | None]
    changed_by: Mapped[UUID]
    changed_at: Mapped[datetime]


class TenderQuestion(Base):
    """Who asked what; read by the asker and the buyer only."""

    __tablename__ = "tender_questions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    asked_by: Mapped[UUID]
    text: Mapped[str]
    asked_at: Mapped[datetime]


class TenderAnswer(Base):
    """What reaches everybody: the question in the buyer's words, and the answer. Not who asked."""

    __tablename__ = "tender_answers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey("tender_questions.id"))
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    question: Mapped[str]
    answer: Mapped[str]
    answered_by: Mapped[UUID]
    answered_at: Mapped[datetime]


class TenderAddendum(Base):
    """A change after publication. `changes` lists `{field, before, after}`."""

    __tablename__ = "tender_addenda"

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    text: Mapped[str]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]


class TenderKey(Base):
    """The public half of a tender's key pair: offers are encrypted to it."""

    __tablename__ = "tender_keys"

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"), primary_key=True)
    buyer_id: Mapped[UUID]
    public_key: Mapped[bytes]
    created_at: Mapped[datetime]


class TenderKeyShare(Base):
    """A sealed share of the private half; both are needed where two people open."""

    __tablename__ = "tender_key_shares"

    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender_keys.tender_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    sealed: Mapped[bytes]
    released_by: Mapped[UUID | None]
    released_at: Mapped[datetime | None]


class Offer(Base):
    """A sealed first offer for a lot. `sealed` is ciphertext; `content` and `price_minor` are empty
    until the opening.
    """

    __tablename__ = "offers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"))
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    author_id: Mapped[UUID]
    revision: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(default=OfferState.SEALED.value)
    sealed: Mapped[bytes | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    price_minor: Mapped[Big | None]
    reason: Mapped[str | None]
    submitted_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]


class Award(Base):
    """A lot, or `share_percent` of it, for one supplier. `instead_of` names the declined award that
    it follows; `evaluated` is the exact fraction of minor units it was ranked by.
    """

    __tablename__ = "awards"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"))
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    author_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(default=AwardState.PROPOSED.value)
    rank: Mapped[int]
    needs_approval: Mapped[bool]
    share_percent: Mapped[Decimal]
    price_minor: Mapped[Big]
    value_minor: Mapped[Big]
    evaluated: Mapped[str]
    reason: Mapped[str | None]
    instead_of: Mapped[UUID | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class AwardSheet(Base):
    """A lot's ranking, frozen at the first proposal: `rows` as in `schemas.awards.Ranked`."""

    __tablename__ = "award_sheets"

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lots.id"), primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tenders.id"))
    buyer_id: Mapped[UUID]
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    frozen_at: Mapped[datetime]
