"""Every SELECT of the programme; measures have their own (`measures.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.pages import Page, Sorting
from suppliers.programme.models import (
    Agreement,
    AgreementSnapshot,
    Certificate,
    Plan,
    Programme,
    ProgrammeVersion,
)

AGREEMENTS = Sorting(
    Agreement.id, created_at=Agreement.id, begins=Agreement.begins, state=Agreement.state
)
PLANS = Sorting(Plan.id, created_at=Plan.id, begins=Plan.begins)


async def programmes(session: AsyncSession, limit: int) -> Sequence[Programme]:
    query = select(Programme).order_by(Programme.id.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def programme(session: AsyncSession, programme_id: UUID) -> Programme | None:
    return await session.get(Programme, programme_id)


async def lock_programme(session: AsyncSession, programme_id: UUID) -> Programme | None:
    """Two new versions at once get two numbers."""
    return await session.get(Programme, programme_id, with_for_update=True, populate_existing=True)


async def versions(
    session: AsyncSession, programme_ids: Sequence[UUID]
) -> Sequence[ProgrammeVersion]:
    """Newest first."""
    query = select(ProgrammeVersion).where(ProgrammeVersion.programme_id.in_(programme_ids))
    return (await session.scalars(query.order_by(ProgrammeVersion.version.desc()))).all()


async def version(
    session: AsyncSession, programme_id: UUID, number: int, *, lock: bool = False
) -> ProgrammeVersion | None:
    return await session.get(
        ProgrammeVersion, (programme_id, number), with_for_update=lock, populate_existing=lock
    )


async def newest_published(session: AsyncSession, programme_id: UUID) -> int | None:
    query = select(func.max(ProgrammeVersion.version)).where(
        ProgrammeVersion.programme_id == programme_id, ProgrammeVersion.published_at.is_not(None)
    )
    return (await session.scalars(query)).one()


async def agreement(
    session: AsyncSession, agreement_id: UUID, *, lock: bool = False
) -> Agreement | None:
    return await session.get(Agreement, agreement_id, with_for_update=lock, populate_existing=lock)


async def agreements(
    session: AsyncSession, *, state: str | None, partner_id: UUID | None, page: Page
) -> Sequence[Agreement]:
    query = page.of(select(Agreement))
    if state is not None:
        query = query.where(Agreement.state == state)
    if partner_id is not None:
        query = query.where(Agreement.partner_id == partner_id)
    return (await session.scalars(query)).all()


async def running(session: AsyncSession, after: UUID | None, limit: int) -> Sequence[Agreement]:
    """Active agreements behind `after`, by id."""
    query = select(Agreement).where(Agreement.state == "active").order_by(Agreement.id)
    if after is not None:
        query = query.where(Agreement.id > after)
    return (await session.scalars(query.limit(limit))).all()


_NOTE_ELIGIBLE = text(
    """UPDATE agreements a SET eligible = n.after
    FROM unnest(CAST(:ids AS uuid[]), CAST(:befores AS text[]), CAST(:afters AS text[]))
        n (id, before, after)
    WHERE a.id = n.id AND a.state = 'active' AND a.eligible IS NOT DISTINCT FROM n.before
    RETURNING a.id"""
)


async def note_eligible(
    session: AsyncSession, before: Mapping[UUID, str | None], after: Mapping[UUID, str | None]
) -> set[UUID]:
    """What the evaluation found; the ids of those that were still as they were judged."""
    values = {
        "ids": list(before),
        "befores": list(before.values()),
        "afters": [after[agreement_id] for agreement_id in before],
    }
    return set((await session.execute(_NOTE_ELIGIBLE, values)).scalars())


async def current_agreement(session: AsyncSession, partner_id: UUID) -> Agreement | None:
    """The active one, else the newest that was."""
    query = (
        select(Agreement)
        .where(Agreement.partner_id == partner_id, Agreement.state != "draft")
        .order_by((Agreement.state == "active").desc(), Agreement.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).first()


async def snapshots(
    session: AsyncSession, agreement_id: UUID, limit: int
) -> Sequence[AgreementSnapshot]:
    """Newest first."""
    query = select(AgreementSnapshot).where(AgreementSnapshot.agreement_id == agreement_id)
    query = query.order_by(AgreementSnapshot.at.desc(), AgreementSnapshot.id.desc())
    return (await session.scalars(query.limit(limit))).all()


async def snapshot_at(
    session: AsyncSession, agreement_id: UUID, at: datetime
) -> AgreementSnapshot | None:
    """What the agreement granted at that moment: its last change before it."""
    query = (
        select(AgreementSnapshot)
        .where(AgreementSnapshot.agreement_id == agreement_id, AgreementSnapshot.at <= at)
        .order_by(AgreementSnapshot.at.desc(), AgreementSnapshot.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).first()


async def agreements_of(session: AsyncSession, partner_id: UUID) -> Sequence[Agreement]:
    """Those that were ever in force, newest first."""
    query = select(Agreement).where(Agreement.partner_id == partner_id, Agreement.state != "draft")
    return (await session.scalars(query.order_by(Agreement.id.desc()))).all()


async def certificates(
    session: AsyncSession, agreement_id: UUID, limit: int
) -> Sequence[Certificate]:
    query = select(Certificate).where(Certificate.agreement_id == agreement_id)
    return (await session.scalars(query.order_by(Certificate.id.desc()).limit(limit))).all()


async def certificate(session: AsyncSession, certificate_id: UUID) -> Certificate | None:
    return await session.get(Certificate, certificate_id, with_for_update=True)


async def plan(session: AsyncSession, plan_id: UUID, *, lock: bool = False) -> Plan | None:
    return await session.get(Plan, plan_id, with_for_update=lock, populate_existing=lock)


async def plans(
    session: AsyncSession, *, agreement_id: UUID | None, reader_id: UUID, page: Page
) -> Sequence[Plan]:
    """Without the drafts of the other side."""
    query = page.of(select(Plan)).where(or_(Plan.state != "draft", Plan.proposer_id == reader_id))
    if agreement_id is not None:
        query = query.where(Plan.agreement_id == agreement_id)
    return (await session.scalars(query)).all()


async def agreed_plan(session: AsyncSession, agreement_id: UUID, now: datetime) -> Plan | None:
    query = (
        select(Plan)
        .where(Plan.agreement_id == agreement_id, Plan.state == "agreed")
        .where(Plan.begins <= now, Plan.ends > now)
        .order_by(Plan.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).first()


async def places(
    session: AsyncSession, partner_ids: Sequence[UUID]
) -> dict[UUID, tuple[str | None, str | None]]:
    """Region and segment by the agreement that is or was last in force."""
    query = (
        select(Agreement.partner_id, Agreement.region, Agreement.segment)
        .where(Agreement.partner_id.in_(partner_ids), Agreement.state != "draft")
        .order_by(Agreement.state == "active", Agreement.id)
    )
    # The last of a partner stands: the active one, else the newest.
    return {row.partner_id: (row.region, row.segment) for row in await session.execute(query)}
