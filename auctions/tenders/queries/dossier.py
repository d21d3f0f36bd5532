"""Questions, answers and addenda of a tender."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import (
    TenderAddendum,
    TenderAnswer,
    TenderQuestion,
)


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
