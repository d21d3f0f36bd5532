"""Every SELECT of documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from marketplace.documents.models import Document, DocumentChunk

OLDEST_FIRST = (Document.id,)
BY_NAME = (Document.name, Document.version.desc())
"""The newest version of a name first."""

Order = Sequence[InstrumentedAttribute[Any] | ColumnElement[Any]]


async def documents(
    session: AsyncSession, subject: str, subject_id: UUID, order: Order = OLDEST_FIRST
) -> Sequence[Document]:
    """Every version of every file the caller may see."""
    statement = (
        select(Document)
        .where(Document.subject == subject, Document.subject_id == subject_id)
        .order_by(*order)
    )
    return (await session.scalars(statement)).all()


async def document(session: AsyncSession, document_id: UUID) -> Document | None:
    return (await session.scalars(select(Document).where(Document.id == document_id))).first()


async def newest_version(
    session: AsyncSession, subject_id: UUID, organisation_id: UUID, name: str
) -> int:
    """0 when the organisation has no document of that name there."""
    statement = select(func.max(Document.version)).where(
        Document.subject_id == subject_id,
        Document.organisation_id == organisation_id,
        Document.name == name,
    )
    return (await session.scalar(statement)) or 0


async def chunk(session: AsyncSession, document_id: UUID, position: int) -> bytes | None:
    """One piece of a file; None after the last."""
    statement = select(DocumentChunk.content).where(
        DocumentChunk.document_id == document_id, DocumentChunk.position == position
    )
    return await session.scalar(statement)
