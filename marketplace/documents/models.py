"""Tables of documents."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big


class Document(Base):
    """One version of a file of one organisation.

    subject      what kind of thing it is about, such as `order`; row-level security has a policy
                 for each kind, so an unknown kind can neither be written nor read
    subject_id   the thing itself
    part_id      the part of it that the file proves, such as a claim of an order
    internal     only the organisation itself reads it
    accepted_at  when the other side put its stamp on this version
    """

    __tablename__ = "documents"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    part_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID]
    name: Mapped[str]
    version: Mapped[int]
    media_type: Mapped[str]
    size_bytes: Mapped[Big]
    sha256: Mapped[str]
    internal: Mapped[bool]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime]
    accepted_by: Mapped[UUID | None]
    accepted_at: Mapped[datetime | None]


class DocumentChunk(Base):
    """A piece of a file; `position` counts from 0."""

    __tablename__ = "document_chunks"

    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes]
