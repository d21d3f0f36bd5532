"""What is known of suppliers at a moment: from the kept sums, or counted when there are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ratings import queries, rules
from ratings.accumulators import Evidence, Sums
from ratings.models import RatingTrust
from ratings.policy import Policy

NOTHING = Evidence(sums=Sums(), active_months=0)


async def evidence(
    session: AsyncSession,
    buyer_id: UUID,
    supplier_ids: Sequence[UUID],
    policy: Policy,
    now: datetime,
) -> dict[UUID, Evidence]:
    """What is known now of each of them. One is read from one row."""
    bases = await queries.bases(session, buyer_id)
    base = next((base for base in bases if base.policy.id == policy.id), None)
    if base is None:
        only = supplier_ids[0] if len(supplier_ids) == 1 else None
        return await queries.recount(session, buyer_id, policy, now, only)
    place = (policy, base.landmark, base.matured_until, now)
    if len(supplier_ids) == 1:
        found = await queries.pair(session, buyer_id, supplier_ids[0], *place)
        return {} if found is None else {supplier_ids[0]: found}
    return await queries.pairs(session, buyer_id, supplier_ids, *place)


async def ratings(
    session: AsyncSession,
    buyer_id: UUID,
    supplier_ids: Iterable[UUID],
    policy: Policy,
    now: datetime,
) -> dict[UUID, rules.Rated | None]:
    """The ratings of many suppliers; None: not rated yet."""
    wanted = list(supplier_ids)
    known = await evidence(session, buyer_id, wanted, policy, now) if wanted else {}
    given = await queries.trusts(session, buyer_id, wanted, now)
    return {
        supplier_id: rules.rate(
            known.get(supplier_id, NOTHING), credit(given.get(supplier_id)), now, policy
        )
        for supplier_id in wanted
    }


def credit(row: RatingTrust | queries.GivenTrust | None) -> rules.Trust | None:
    """What the formula needs of it."""
    if row is None:
        return None
    return rules.Trust(row.credit_bp / 10_000, row.given_at, row.expires_at)
