"""Policy versions: made, read, tried out before they are adopted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import FieldError, Invalid
from marketplace.kernel.ids import new_id
from ratings import queries, rules
from ratings.accumulators import Evidence
from ratings.models import RatingPolicy
from ratings.policy import (
    AHEAD_MAX,
    DEFAULT,
    Parameters,
    Policy,
    Weights,
    parameter_errors,
    weight_errors,
)
from ratings.schemas import (
    NewPolicy,
    PolicyPage,
    PolicyView,
    SimulatedPage,
    SimulatedRow,
    Simulation,
)
from ratings.service import reading, views
from ratings.service.events import LINES_AT_ONCE_MAX
from ratings.service.showing import check_past

SHOWN_MAX = 500


async def adopt(session: AsyncSession, actor: Actor, new: NewPolicy, now: datetime) -> PolicyView:
    """A new version that never changes. It is in force from `valid_from`; small histories are
    counted under it at once, large ones by the job. Raises Forbidden, Invalid.
    """
    actor.require_capability("buys")
    _check(new.weights, new.parameters)
    buyer_id = actor.organisation_id
    await queries.lock_buyer(session, buyer_id)
    versions = await queries.policies(session, buyer_id)
    begins = now if new.valid_from is None else new.valid_from
    if begins.tzinfo is None or begins < now:
        raise Invalid.field("valid_from", "in_the_past", "A policy begins now or later.")
    if begins > now + AHEAD_MAX:
        raise Invalid.field("valid_from", "too_late", f"Within {AHEAD_MAX.days} days.")
    if versions and begins < versions[0].valid_from:
        message = "A newer version begins no earlier than the last one."
        raise Invalid.field("valid_from", "before_the_last", message)
    row = RatingPolicy(
        id=new_id(),
        buyer_id=buyer_id,
        version=versions[0].version + 1 if versions else 1,
        valid_from=begins.astimezone(UTC),
        weights=msgspec.to_builtins(new.weights),
        parameters=msgspec.to_builtins(new.parameters),
        landmark=begins.astimezone(UTC),
        note=new.note,
        author_id=actor.user_id,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    if await queries.count_lines(session, buyer_id) <= LINES_AT_ONCE_MAX:
        policy = await queries.policy(session, row.id)
        assert policy is not None, "it was written a moment ago"
        await queries.store(session, buyer_id, policy, now)
    in_force = await queries.policy_at(session, buyer_id, now)
    return _view(row, in_force)


def _check(weights: Weights, parameters: Parameters) -> None:
    errors: list[FieldError] = weight_errors(weights) + parameter_errors(parameters)
    if errors:
        raise Invalid("invalid_policy", errors[0].message, errors=errors)


async def listing(session: AsyncSession, actor: Actor, now: datetime) -> PolicyPage:
    """All versions, newest first, and the house's own at the end. Raises Forbidden."""
    actor.require_capability("buys")
    in_force = await queries.policy_at(session, actor.organisation_id, now)
    rows = await queries.policies(session, actor.organisation_id)
    house = PolicyView(
        id=DEFAULT.id,
        version=DEFAULT.version,
        valid_from=DEFAULT.valid_from,
        weights=DEFAULT.weights,
        parameters=DEFAULT.parameters,
        note="The house's own policy, for buyers that have not made one.",
        author_id=None,
        in_force=in_force.id == DEFAULT.id,
    )
    return PolicyPage([*(_view(row, in_force) for row in rows), house])


def _view(row: RatingPolicy, in_force: Policy) -> PolicyView:
    return PolicyView(
        id=row.id,
        version=row.version,
        valid_from=row.valid_from,
        weights=msgspec.convert(row.weights, Weights),
        parameters=msgspec.convert(row.parameters, Parameters),
        note=row.note,
        author_id=row.author_id,
        in_force=in_force.id == row.id,
    )


async def simulate(
    session: AsyncSession, actor: Actor, new: Simulation, now: datetime
) -> SimulatedPage:
    """Every supplier under the policy that was in force and under the supposed one; nothing is
    kept. Raises Forbidden, Invalid.
    """
    actor.require_capability("buys")
    buyer_id = actor.organisation_id
    when = now if new.as_of is None else check_past(new.as_of, now)
    policy = await queries.policy_at(session, buyer_id, when)
    parameters = policy.parameters if new.parameters is None else new.parameters
    _check(new.weights, parameters)
    supposed = msgspec.structs.replace(policy, weights=new.weights, parameters=parameters)
    known = await queries.recount(session, buyer_id, policy, when)
    # Other weights alone look at the same evidence.
    same = parameters == policy.parameters
    other = known if same else await queries.recount(session, buyer_id, supposed, when)
    before = await _rated(session, buyer_id, known, policy, when)
    after = await _rated(session, buyer_id, other, supposed, when)
    return await _compared(session, before, after)


async def _rated(
    session: AsyncSession,
    buyer_id: UUID,
    known: Mapping[UUID, Evidence],
    policy: Policy,
    when: datetime,
) -> dict[UUID, rules.Rated | None]:
    given = await queries.trusts(session, buyer_id, known, when)
    return {
        supplier_id: rules.rate(evidence, reading.credit(given.get(supplier_id)), when, policy)
        for supplier_id, evidence in known.items()
    }


async def _compared(
    session: AsyncSession,
    before: Mapping[UUID, rules.Rated | None],
    after: Mapping[UUID, rules.Rated | None],
) -> SimulatedPage:
    ranks_before, ranks_after = _ranks(before), _ranks(after)
    last = len(after) + 1
    order = sorted(after, key=lambda one: (ranks_after.get(one, last), one))[:SHOWN_MAX]
    names = await views.parties(session, order)
    items = [
        SimulatedRow(
            supplier=names[supplier_id],
            score_before=views.points(before.get(supplier_id)),
            score_after=views.points(after[supplier_id]),
            difference=views.difference(before.get(supplier_id), after[supplier_id]),
            rank_before=ranks_before.get(supplier_id),
            rank_after=ranks_after.get(supplier_id),
        )
        for supplier_id in order
    ]
    return SimulatedPage(items, len(after))


def _ranks(rated: Mapping[UUID, rules.Rated | None]) -> dict[UUID, int]:
    """Equal scores share the better rank."""
    scores = {one: rating.tenths for one, rating in rated.items() if rating is not None}
    ordered = sorted(scores.values(), reverse=True)
    first = {score: ordered.index(score) + 1 for score in set(ordered)}
    return {one: first[score] for one, score in scores.items()}
