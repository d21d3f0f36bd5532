"""The one table of the practice room."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base


class PracticeAuction(Base):
    """A private auction of one organisation. It stands apart from `auctions`, so nothing that
    counts, awards, rates or lists real auctions can meet it.

    alias      the organisation's own seat; None: it looks on as the buyer
    tender_id  where it came from, only to lead back there; its rules live in its book
    due_at     when the bots look next
    """

    __tablename__ = "practice_auctions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    user_id: Mapped[UUID]
    tender_id: Mapped[UUID | None]
    lot_id: Mapped[UUID | None]
    title: Mapped[str]
    alias: Mapped[str | None]
    bots: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
