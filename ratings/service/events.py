"""What happened to orders, as it enters the sums: in the transaction of the deed, one row each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.scope import as_house
from marketplace.orders.facts import (
    ClaimUpheld,
    ClaimWithdrawn,
    OrderCompleted,
    OrderReopened,
    PaidLine,
    SurveyAnswered,
)
from ratings import accumulators, queries
from ratings.accumulators import CompletedOrder, OrderLine, Sums
from ratings.models import RatingClaim, RatingLine, RatingSurvey
from ratings.queries import Base

SEVERITY_WHOLE = 10_000
LINES_AT_ONCE_MAX = 20_000
"""So many lines are counted within a request; more are left to the job."""


async def order_completed(session: AsyncSession, fact: OrderCompleted) -> None:
    """The order begins to count. Told twice, it counts once."""
    async with as_house(session):
        await queries.share_buyer(session, fact.buyer_id)
        if await queries.lines_of(session, fact.order_id):
            return
        order = CompletedOrder(
            ordered_at=fact.ordered_at,
            completed_at=fact.at,
            currency=fact.currency,
            lines=[_line(line) for line in fact.lines],
            severity=_severity(await queries.claims_of(session, fact.order_id)),
        )
        month = accumulators.month_index(order.ordered_at)
        await session.execute(insert(RatingLine), _rows(fact, order, month))
        for base in await _bases(session, fact.buyer_id, fact.at):
            sums = _contribution(order, base)
            await queries.add(session, fact.buyer_id, fact.supplier_id, base.policy.id, sums, month)


async def order_reopened(session: AsyncSession, fact: OrderReopened) -> None:
    """The exact reversal of `order_completed`."""
    async with as_house(session):
        await queries.lock_buyer(session, fact.buyer_id)
        lines = await queries.lines_of(session, fact.order_id)
        if not lines:
            return
        order = _order(lines, _severity(await queries.claims_of(session, fact.order_id)))
        for line in lines:
            line.voided_at = fact.at
        await session.flush()
        for base in await queries.bases(session, fact.buyer_id):
            sums = _contribution(order, base)
            await queries.remove(
                session, fact.buyer_id, fact.supplier_id, base.policy.id, sums, lines[0].month
            )


async def claim_upheld(session: AsyncSession, fact: ClaimUpheld) -> None:
    """The claim counts from now on; told again with another severity, with that one."""
    async with as_house(session):
        await queries.share_buyer(session, fact.buyer_id)
        lines = await queries.lines_of(session, fact.order_id)
        claims = list(await queries.claims_of(session, fact.order_id))
        before = _severity(claims)
        severity = fact.severity_bp / SEVERITY_WHOLE
        former = next((claim for claim in claims if claim.claim_id == fact.claim_id), None)
        if former is not None and former.severity == severity:
            return
        if former is not None:
            former.withdrawn_at = fact.at
            claims.remove(former)
        claim = RatingClaim(
            claim_id=fact.claim_id,
            upheld_at=fact.at,
            order_id=fact.order_id,
            buyer_id=fact.buyer_id,
            supplier_id=fact.supplier_id,
            severity=severity,
        )
        session.add(claim)
        await _blemish(session, fact.buyer_id, lines, before, _severity([*claims, claim]))


async def claim_withdrawn(session: AsyncSession, fact: ClaimWithdrawn) -> None:
    """As if it had never been upheld, from now on."""
    async with as_house(session):
        await queries.share_buyer(session, fact.buyer_id)
        lines = await queries.lines_of(session, fact.order_id)
        claims = list(await queries.claims_of(session, fact.order_id))
        before = _severity(claims)
        left = [claim for claim in claims if claim.claim_id != fact.claim_id]
        for claim in claims:
            if claim.claim_id == fact.claim_id:
                claim.withdrawn_at = fact.at
        await _blemish(session, fact.buyer_id, lines, before, _severity(left))


async def survey_answered(session: AsyncSession, fact: SurveyAnswered) -> None:
    """The last answer about an order is the one that stands."""
    async with as_house(session):
        statement = upsert(RatingSurvey).values(
            order_id=fact.order_id,
            buyer_id=fact.buyer_id,
            supplier_id=fact.supplier_id,
            stars=fact.stars,
            answered_at=fact.at,
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["order_id"],
                set_={"stars": fact.stars, "answered_at": fact.at},
            )
        )


async def _bases(session: AsyncSession, buyer_id: UUID, now: datetime) -> Sequence[Base]:
    """The kept sums. A buyer's very first order makes them, if nothing else goes on; otherwise the
    job does, and until then ratings are counted when they are read.
    """
    found = await queries.bases(session, buyer_id)
    if found or not await queries.is_alone(session, buyer_id):
        return found
    if await queries.count_lines(session, buyer_id) <= LINES_AT_ONCE_MAX:
        # The order's own lines are written already, so they are in what is stored here.
        policy = await queries.policy_at(session, buyer_id, now)
        await queries.store(session, buyer_id, policy, now)
    return []


async def _blemish(
    session: AsyncSession,
    buyer_id: UUID,
    lines: Sequence[RatingLine],
    before: float,
    after: float,
) -> None:
    """The order's part in B changes; a claim on an order that does not count yet only waits."""
    await session.flush()
    if not lines or before == after:
        return
    first = lines[0]
    for base in await queries.bases(session, buyer_id):
        weight = accumulators.growth(first.ordered_at, base.landmark, base.policy.parameters)
        change = Sums(blemish=weight * after - weight * before)
        await queries.add(session, buyer_id, first.supplier_id, base.policy.id, change)


def _contribution(order: CompletedOrder, base: Base) -> Sums:
    return accumulators.contribution(
        order, base.landmark, base.matured_until, base.policy.parameters
    )


def _severity(claims: Sequence[RatingClaim]) -> float:
    return accumulators.capped(sorted(claim.severity for claim in claims))


def _line(line: PaidLine) -> OrderLine:
    if not line.reference_minor or line.reference_minor <= 0:
        return OrderLine(line.value_minor)
    # A gift has no logarithm; one minor unit is far beyond every limit already.
    paid = line.paid_minor or min(Decimal(1), Decimal(line.reference_minor) / 1_000)
    ratio = math.log(Decimal(paid) / Decimal(line.reference_minor))
    return OrderLine(line.value_minor, ratio)


def _order(lines: Sequence[RatingLine], severity: float) -> CompletedOrder:
    first = lines[0]
    return CompletedOrder(
        ordered_at=first.ordered_at,
        completed_at=first.completed_at,
        currency=first.currency,
        lines=[OrderLine(line.value_minor, line.log_ratio) for line in lines],
        severity=severity,
    )


def _rows(fact: OrderCompleted, order: CompletedOrder, month: int) -> list[dict[str, object]]:
    return [
        {
            "order_id": fact.order_id,
            "position": position,
            "completed_at": order.completed_at,
            "buyer_id": fact.buyer_id,
            "supplier_id": fact.supplier_id,
            "ordered_at": order.ordered_at,
            "month": month,
            "currency": order.currency,
            "value_minor": line.value_minor,
            "log_ratio": line.log_ratio,
        }
        for position, line in enumerate(order.lines)
    ]
