"""Policies, trust, blocks, surveys, affiliates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.statements import Source, Statement
from ratings.models import RatingAffiliate, RatingBlock, RatingPolicy, RatingSurvey, RatingTrust
from ratings.policy import DEFAULT, Parameters, Policy, Weights

AFFILIATES_MAX = 20_000


class Survey(msgspec.Struct, frozen=True):
    """How many answers, and their sum of stars."""

    answers: int
    stars: int


def _policy(row: RatingPolicy) -> Policy:
    return Policy(
        id=row.id,
        version=row.version,
        valid_from=row.valid_from,
        weights=msgspec.convert(row.weights, Weights),
        parameters=msgspec.convert(row.parameters, Parameters),
        landmark=row.landmark,
    )


async def policies(session: AsyncSession, buyer_id: UUID) -> Sequence[RatingPolicy]:
    """All versions, newest first."""
    statement = select(RatingPolicy).where(RatingPolicy.buyer_id == buyer_id)
    return (await session.scalars(statement.order_by(RatingPolicy.version.desc()))).all()


async def policy(session: AsyncSession, policy_id: UUID) -> Policy | None:
    if policy_id == DEFAULT.id:
        return DEFAULT
    row = await session.get(RatingPolicy, policy_id)
    return None if row is None else _policy(row)


async def policy_at(session: AsyncSession, buyer_id: UUID, when: datetime) -> Policy:
    """The version in force: the newest that had begun; the house's own before the first."""
    statement = (
        select(RatingPolicy)
        .where(RatingPolicy.buyer_id == buyer_id, RatingPolicy.valid_from <= when)
        .order_by(RatingPolicy.version.desc())
        .limit(1)
    )
    row = (await session.scalars(statement)).first()
    return DEFAULT if row is None else _policy(row)


async def policies_ahead(session: AsyncSession, buyer_id: UUID, when: datetime) -> list[Policy]:
    """Versions that have been made and begin later."""
    statement = select(RatingPolicy).where(
        RatingPolicy.buyer_id == buyer_id, RatingPolicy.valid_from > when
    )
    return [_policy(row) for row in (await session.scalars(statement)).all()]


async def policy_of_version(session: AsyncSession, buyer_id: UUID, version: int) -> Policy | None:
    if version == DEFAULT.version:
        return DEFAULT
    statement = select(RatingPolicy).where(
        RatingPolicy.buyer_id == buyer_id, RatingPolicy.version == version
    )
    row = (await session.scalars(statement)).first()
    return None if row is None else _policy(row)


async def trust(
    session: AsyncSession, buyer_id: UUID, supplier_id: UUID, when: datetime
) -> RatingTrust | None:
    """What was given last by then; it may have expired."""
    statement = (
        select(RatingTrust)
        .where(RatingTrust.buyer_id == buyer_id, RatingTrust.supplier_id == supplier_id)
        .where(RatingTrust.given_at <= when)
        .order_by(RatingTrust.given_at.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).first()


async def trust_history(
    session: AsyncSession, buyer_id: UUID, supplier_id: UUID, limit: int
) -> Sequence[RatingTrust]:
    """Newest first."""
    statement = (
        select(RatingTrust)
        .where(RatingTrust.buyer_id == buyer_id, RatingTrust.supplier_id == supplier_id)
        .order_by(RatingTrust.given_at.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def trusts(
    session: AsyncSession, buyer_id: UUID, supplier_ids: Iterable[UUID], when: datetime
) -> dict[UUID, RatingTrust]:
    """What was given last to each of them by then."""
    statement = (
        select(RatingTrust)
        .ext(distinct_on(RatingTrust.supplier_id))
        .where(RatingTrust.buyer_id == buyer_id, RatingTrust.supplier_id.in_(list(supplier_ids)))
        .where(RatingTrust.given_at <= when)
        .order_by(RatingTrust.supplier_id, RatingTrust.given_at.desc())
    )
    return {row.supplier_id: row for row in (await session.scalars(statement)).all()}


async def block(
    session: AsyncSession, buyer_id: UUID, supplier_id: UUID, *, lock: bool = False
) -> RatingBlock | None:
    """The block that stands."""
    statement = select(RatingBlock).where(
        RatingBlock.buyer_id == buyer_id,
        RatingBlock.supplier_id == supplier_id,
        RatingBlock.lifted_at.is_(None),
    )
    if lock:
        statement = statement.with_for_update()
    return (await session.scalars(statement)).first()


async def blocks(
    session: AsyncSession, buyer_id: UUID, supplier_ids: Iterable[UUID]
) -> dict[UUID, RatingBlock]:
    statement = select(RatingBlock).where(
        RatingBlock.buyer_id == buyer_id,
        RatingBlock.supplier_id.in_(list(supplier_ids)),
        RatingBlock.lifted_at.is_(None),
    )
    return {row.supplier_id: row for row in (await session.scalars(statement)).all()}


_BLOCKED = Statement(
    "SELECT supplier_id FROM rating_blocks WHERE buyer_id = :buyer_id AND lifted_at IS NULL"
)


async def blocked_suppliers(source: Source, buyer_id: UUID) -> frozenset[UUID]:
    return frozenset(row["supplier_id"] for row in await _BLOCKED.rows(source, buyer_id=buyer_id))


async def survey(session: AsyncSession, supplier_id: UUID, buyer_id: UUID | None = None) -> Survey:
    """Answers about a supplier, of one buyer or of all that the scope may see."""
    statement = select(func.count(), func.coalesce(func.sum(RatingSurvey.stars), 0)).where(
        RatingSurvey.supplier_id == supplier_id
    )
    if buyer_id is not None:
        statement = statement.where(RatingSurvey.buyer_id == buyer_id)
    answers, stars = (await session.execute(statement)).one()
    return Survey(answers, int(stars))


async def affiliates(session: AsyncSession) -> list[tuple[UUID, UUID]]:
    """Every pair; the session must be in the system scope or the operator's."""
    statement = select(RatingAffiliate.organisation_id, RatingAffiliate.affiliate_id)
    rows = await session.execute(statement.limit(AFFILIATES_MAX))
    return [(row[0], row[1]) for row in rows]
