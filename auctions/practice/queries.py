"""Every SELECT of the practice room, and who may enter an auction, real or practised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.practice.models import PracticeAuction
from auctions.tenders import queries as tenders
from auctions.tenders.queries import AuctionAccess
from marketplace.kernel.actor import Actor

ROLES = {True: tenders.BUYER_ROLES, False: tenders.BIDDER_ROLES}


async def auction_for(
    session: AsyncSession, actor: Actor, auction_id: UUID
) -> AuctionAccess | None:
    """What `actor` is in this auction, real or practised; None when it must look as if there were
    none. The live channel, the REST calls and the page all ask here.
    """
    access = await tenders.auction_for(session, actor, auction_id)
    if access is not None:
        return access
    found = await practice(session, actor, auction_id)
    if found is None:
        return None
    buying = found.alias is None
    may_act = actor.has_role(*ROLES[buying])
    role = "bidder" if not buying else "buyer" if may_act else "observer"
    return AuctionAccess(
        auction_id,
        found.tender_id,
        found.lot_id,
        actor.organisation_id,
        role,
        found.alias,
        may_act,
        practice=True,
    )


async def practice(session: AsyncSession, actor: Actor, auction_id: UUID) -> PracticeAuction | None:
    """The own one; row-level security says the same once more."""
    statement = select(PracticeAuction).where(
        PracticeAuction.id == auction_id,
        PracticeAuction.organisation_id == actor.organisation_id,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def take_turns(session: AsyncSession, organisation_id: UUID) -> None:
    """Two colleagues who begin at once: the second counts what the first has made."""
    key = organisation_id.int >> 65
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


async def counts(
    session: AsyncSession, organisation_id: UUID, since: datetime
) -> tuple[int, int, datetime | None]:
    """How many of an organisation run, how many began after `since`, and when the first of those
    did.
    """
    mine = PracticeAuction.organisation_id == organisation_id
    recent = PracticeAuction.created_at > since
    running = PracticeAuction.ended_at.is_(None)
    statement = select(
        func.count().filter(running),
        func.count().filter(recent),
        func.min(PracticeAuction.created_at).filter(recent),
    ).where(mine)
    row = (await session.execute(statement)).one()
    return row[0], row[1], row[2]


async def running_count(session: AsyncSession) -> int:
    """Of all organisations (system scope)."""
    statement = select(func.count()).where(PracticeAuction.ended_at.is_(None))
    return (await session.execute(statement)).scalar_one()


async def claim_due(
    session: AsyncSession, now: datetime, every: timedelta, limit: int
) -> Sequence[PracticeAuction]:
    """Those whose bots are to look now, each given to one worker only (system scope)."""
    due = (
        select(PracticeAuction.id)
        .where(PracticeAuction.ended_at.is_(None), PracticeAuction.due_at <= now)
        .order_by(PracticeAuction.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(PracticeAuction)
        .where(PracticeAuction.id.in_(due))
        .values(due_at=now + every)
        .returning(PracticeAuction)
    )
    return (await session.execute(statement)).scalars().all()


async def forgettable(session: AsyncSession, before: datetime, limit: int) -> Sequence[UUID]:
    """Ended at or before `before` (system scope)."""
    statement = (
        select(PracticeAuction.id)
        .where(PracticeAuction.ended_at <= before)
        .order_by(PracticeAuction.ended_at)
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


_DELETE_BOOKS = [
    text(f"DELETE FROM {table} WHERE auction_id = ANY(:ids)").bindparams(  # noqa: S608  # our own tables
        bindparam("ids", type_=ARRAY(Uuid))
    )
    for table in ("auction_commands", "auction_snapshots", "auction_head")
]


async def delete_books(session: AsyncSession, auction_ids: Sequence[UUID]) -> None:
    """Books and logs of practised auctions (system scope)."""
    for statement in _DELETE_BOOKS:
        await session.execute(statement, {"ids": list(auction_ids)})
