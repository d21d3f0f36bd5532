"""The public rating out of the buyers' own ones. In the scope of the house throughout."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ratings import public as rules
from ratings import queries
from ratings.public import BUYERS_MIN, PublicScore, Voice
from ratings.service import reading, views


async def combined(session: AsyncSession, supplier_id: UUID, now: datetime) -> PublicScore:
    """Every buyer's own score under its own policy, weighed by its freedom."""
    group_of = rules.groups(await queries.affiliates(session))
    own = group_of.get(supplier_id, supplier_id)
    group = [one for one, leader in group_of.items() if leader == own]
    voices = []
    for spend in await queries.spend(session, supplier_id, group):
        policy = await queries.policy_at(session, spend.buyer_id, now)
        if policy.id != spend.policy_id:
            continue
        rated = (await reading.ratings(session, spend.buyer_id, [supplier_id], policy, now))[
            supplier_id
        ]
        if rated is not None:
            voices.append(Voice(spend.buyer_id, rated.raw, spend.here, spend.whole))
    return rules.combine(supplier_id, voices, group_of)


def state(score: PublicScore) -> str:
    if score.score is None:
        return views.NOT_RATED
    return views.RATED if score.buyers >= BUYERS_MIN else views.FEW


def shown(score: PublicScore) -> str | None:
    if score.score is None or score.buyers < BUYERS_MIN:
        return None
    return views.one_decimal(score.score)
