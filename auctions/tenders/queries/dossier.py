"""Documents, questions, answers and addenda of a tender."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import (
    TenderAddendum,
    TenderAnswer,
    TenderDocument,
    TenderDocumentChunk,
    TenderQuestion,
)


async def documents(session: AsyncSession, tender_id: UUID) -> Sequence[TenderDocument]:
    """Every version of every file the caller may see, newest version of a name first."""
    statement = (
        select(TenderDocument)
        .where(TenderDocument.tender_id == tender_id)
        .order_by(TenderDocument.name, TenderDocument.version.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def document(session: AsyncSession, document_id: UUID) -> TenderDocument | None:
    return await session.get(TenderDocument, document_id)


async def newest_version(session: AsyncSession, tender_id: UUID, name: str) -> int:
    """0 when there is no document of that name."""
    statement = select(func.max(TenderDocument.version)).where(
        TenderDocument.tender_id == tender_id, TenderDocument.name == name
    )
    return (await session.execute(statement)).scalar_one() or 0


async def document_chunk(session: AsyncSession, document_id: UUID, position: int) -> bytes | None:
    """One piece of a file, None after the last."""
    statement = select(TenderDocumentChunk.content).where(
        TenderDocumentChunk.document_id == document_id, TenderDocumentChunk.position == position
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def questions(session: AsyncSession, tender_id: UUID) -> Sequence[TenderQuestion]:
    """All for the buyer, the own ones for a supplier."""
    statement = (
        select(TenderQuestion)
        .where(TenderQuestion.tender_id == tender_id)
        .order_by(TenderQuestion.id)
    )
    return (await session.execute(statement)).scalars().all()


async def question(session: AsyncSession, question_id: UUID) -> TenderQuestion | None:
    return await session.get(TenderQuestion, question_id)


async def answers(session: AsyncSession, tender_id: UUID) -> Sequence[TenderAnswer]:
    statement = (
        select(TenderAnswer).where(TenderAnswer.tender_id == tender_id).order_by(TenderAnswer.id)
    )
    return (await session.execute(statement)).scalars().all()


async def addenda(session: AsyncSession, tender_id: UUID) -> Sequence[TenderAddendum]:
    statement = (
        select(TenderAddendum)
        .where(TenderAddendum.tender_id == tender_id)
        .order_by(TenderAddendum.number)
    )
    return (await session.execute(statement)).scalars().all()
