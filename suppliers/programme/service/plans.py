"""Individual plans: written by one side, agreed by the other, then followed by both in one view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.exchange.announcing import announce
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from marketplace.kernel.formulas import FormulaError, parse
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import MINOR_MAX, Amount, Money, exponent_of, round_half_even
from marketplace.kernel.pages import Page
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import move
from suppliers.programme import queries, rules
from suppliers.programme.life import CHANNEL_ROLES, PLAN, RUNNING, moved_by
from suppliers.programme.measures import Asked, Measures
from suppliers.programme.models import Plan, Programme
from suppliers.programme.schemas.agreements import PartyView
from suppliers.programme.schemas.plans import NewPlan, PlanPage, PlanView, TargetBody, TargetView
from suppliers.programme.service.standing import value_text


async def create(
    session: AsyncSession, measures: Measures, actor: Actor, new: NewPlan, now: datetime
) -> PlanView:
    """A draft of the caller's side. Raises NotFound, Forbidden, Invalid, Conflict."""
    agreement = await queries.agreement(session, new.agreement_id)
    if agreement is None:
        raise NotFound("agreement")
    if actor.organisation_id == agreement.operator_id:
        actor.require_role(*CHANNEL_ROLES)
    else:
        actor.require_role("partner_manager")
    if agreement.state not in RUNNING:
        raise Conflict("not_running", "Plans belong to a running agreement.")
    _check(new, measures)
    programme = await _programme(session, agreement.programme_id)
    plan = Plan(
        id=new_id(),
        agreement_id=agreement.id,
        operator_id=agreement.operator_id,
        partner_id=agreement.partner_id,
        proposer_id=actor.organisation_id,
        currency=programme.currency,
        begins=new.begins.astimezone(UTC),
        ends=new.ends.astimezone(UTC),
        targets=msgspec.to_builtins(new.targets),
        payout_formula=new.payout_formula,
        state=PLAN.initial,
        author_id=actor.user_id,
        created_at=now,
    )
    session.add(plan)
    await session.flush()
    return await view(session, measures, plan, now)


async def act(
    session: AsyncSession,
    measures: Measures,
    actor: Actor,
    plan_id: UUID,
    event: str,
    reason: str | None,
    now: datetime,
) -> PlanView:
    """`propose`, `agree` or `decline`. Raises NotFound, Forbidden, Conflict."""
    plan = await queries.plan(session, plan_id, lock=True)
    if plan is None or _hidden(plan, actor):
        raise NotFound("plan")
    parties = [plan.operator_id, plan.partner_id]
    await move(session, PLAN, plan, event, moved_by(actor, now, plan, reason), parties=parties)
    plan.reason = reason
    await session.flush()
    other = next(each for each in parties if each != actor.organisation_id)
    data = {"plan_id": str(plan.id), "state": plan.state, "reason": reason or ""}
    once = f"plan {plan.id} {plan.state}"
    await announce(session, other, "plan.updated", data, once, now)
    return await view(session, measures, plan, now)


async def show(
    session: AsyncSession, measures: Measures, actor: Actor, plan_id: UUID, now: datetime
) -> PlanView:
    """The same bytes for both sides; a draft is its own side's alone. Raises NotFound."""
    plan = await queries.plan(session, plan_id)
    if plan is None or _hidden(plan, actor):
        raise NotFound("plan")
    return await view(session, measures, plan, now)


async def listing(
    session: AsyncSession,
    measures: Measures,
    actor: Actor,
    now: datetime,
    *,
    agreement_id: UUID | None,
    page: Page,
) -> PlanPage:
    found = await queries.plans(
        session, agreement_id=agreement_id, reader_id=actor.organisation_id, page=page
    )
    shown, more = page.cut(found)
    return PlanPage([await view(session, measures, plan, now) for plan in shown], more)


def _hidden(plan: Plan, actor: Actor) -> bool:
    """What one side has not proposed yet is not the other's business."""
    return plan.state == PLAN.initial and plan.proposer_id != actor.organisation_id


async def view(session: AsyncSession, measures: Measures, plan: Plan, now: datetime) -> PlanView:
    targets = msgspec.convert(plan.targets, list[TargetBody])
    values = await _values(session, measures, plan, [one.measure for one in targets], now)
    planned = {one.measure: Decimal(one.target) for one in targets}
    partner = await accounts.public_organisations(session, [plan.partner_id])
    return PlanView(
        id=plan.id,
        agreement_id=plan.agreement_id,
        partner=PartyView(plan.partner_id, partner[plan.partner_id].name),
        proposed_by=plan.proposer_id,
        state=plan.state,
        begins=plan.begins,
        ends=plan.ends,
        targets=[
            TargetView(
                measure=measure,
                target=rules.plain(target),
                now=value_text(values.get(measure)),
                percent=rules.percent(values.get(measure), target),
            )
            for measure, target in planned.items()
        ],
        payout_now=_payout(plan, values, planned),
        payout_at_plan=_payout(plan, planned, planned),
        formula=plan.payout_formula,
        inputs=_inputs(values, planned),
        reason=plan.reason,
    )


async def _values(
    session: AsyncSession, measures: Measures, plan: Plan, codes: Sequence[str], now: datetime
) -> dict[str, Decimal]:
    """What is there of each target within the plan's time so far."""
    agreement = await queries.agreement(session, plan.agreement_id)
    assert agreement is not None, "the foreign key says so"
    asked = Asked(
        partners=[plan.partner_id],
        operator_id=agreement.operator_id,
        currency=plan.currency,
        begins=plan.begins,
        ends=max(plan.begins, min(plan.ends, now)),
    )
    values = {}
    async with as_house(session):
        for code in codes:
            found = await measures[code].read(session, asked)
            if plan.partner_id in found:
                values[code] = found[plan.partner_id]
    return values


def _inputs(values: Mapping[str, Decimal], planned: Mapping[str, Decimal]) -> dict[str, str | None]:
    """By the names that the formula uses."""
    now = {measure: value_text(values.get(measure)) for measure in planned}
    return now | {
        rules.target_name(measure): rules.plain(target) for measure, target in planned.items()
    }


def _payout(
    plan: Plan, values: Mapping[str, Decimal], planned: Mapping[str, Decimal]
) -> Amount | None:
    """None where a value is missing or the formula has no result for these values."""
    inputs = {
        name: Fraction(text) for name, text in _inputs(values, planned).items() if text is not None
    }
    try:
        result = parse(plan.payout_formula, rules.formula_names(list(planned))).evaluate(inputs)
    except FormulaError:
        return None
    minor = round_half_even(result * 10 ** exponent_of(plan.currency))
    return Money(minor, plan.currency).wire() if abs(minor) <= MINOR_MAX else None


def _check(new: NewPlan, measures: Measures) -> None:
    errors: list[FieldError] = []
    codes = [one.measure for one in new.targets]
    for index, target in enumerate(new.targets):
        field = f"targets[{index}]"
        errors += rules.measure_errors(f"{field}.measure", target.measure, measures.codes)
        if target.measure in codes[:index]:
            message = "Each measure has one target."
            errors.append(FieldError(f"{field}.measure", "duplicate", message))
        wrong = rules.decimal_errors(f"{field}.target", target.target, least=0)
        if not wrong and Decimal(target.target) == 0:
            message = "A target is more than nothing."
            wrong = [FieldError(f"{field}.target", "not_positive", message)]
        errors += wrong
    if new.ends <= new.begins:
        errors.append(FieldError("to", "reversed_period", "The end lies before the beginning."))
    if not errors:
        errors += rules.formula_errors("payout_formula", new.payout_formula, codes)
    if errors:
        raise Invalid("invalid", "The plan has wrong fields.", errors=errors)


async def _programme(session: AsyncSession, programme_id: UUID) -> Programme:
    programme = await queries.programme(session, programme_id)
    assert programme is not None, "the foreign key says so"
    return programme
