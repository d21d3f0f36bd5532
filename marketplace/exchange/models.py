"""Tables of exchange."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base


class Endpoint(Base):
    """Where an organisation's events go. Both secrets are sealed; the former one still signs until
    `former_until`.
    """

    __tablename__ = "exchange_endpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    url: Mapped[str]
    description: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_sealed: Mapped[bytes]
    former_sealed: Mapped[bytes | None]
    former_until: Mapped[datetime | None]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]


class Message(Base):
    """One event for one organisation; `once` keeps it from being written twice."""

    __tablename__ = "exchange_messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    kind: Mapped[str]
    once: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]


class Delivery(Base):
    """A message on its way to an endpoint."""

    __tablename__ = "exchange_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID]
    endpoint_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    state: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]


class Mail(Base):
    """A mail to one person; `path` is the page to look at. A path that lets in whoever has it is
    sealed in `link_sealed` instead, until the mail is sent. `user_id` is the reader, or who invited
    a reader that has no account yet.
    """

    __tablename__ = "exchange_mails"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    user_id: Mapped[UUID]
    once: Mapped[str]
    address: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    path: Mapped[str]
    link_sealed: Mapped[bytes | None]
    state: Mapped[str]
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
