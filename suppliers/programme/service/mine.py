"""The partner's one page: everything about the own agreement in one answer, read-only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.kernel.scope import as_house
from suppliers.programme import queries
from suppliers.programme.measures import Measures
from suppliers.programme.models import Agreement
from suppliers.programme.rules import Key
from suppliers.programme.schemas.plans import PlanView
from suppliers.programme.schemas.reports import MineView, TotalView
from suppliers.programme.service import agreements, certificates, plans, standing
from suppliers.programme.service.programmes import tiers_of

HISTORY_SHOWN = 20


async def show(session: AsyncSession, measures: Measures, actor: Actor, now: datetime) -> MineView:
    """Raises NotFound without an agreement."""
    agreement = await queries.current_agreement(session, actor.organisation_id)
    if agreement is None:
        raise NotFound("agreement")
    return await of_agreement(session, measures, actor, agreement, now)


async def of_agreement(
    session: AsyncSession, measures: Measures, actor: Actor, agreement: Agreement, now: datetime
) -> MineView:
    """The same for the channel manager, who reads it beside the partner."""
    [view] = await agreements.views(session, actor, [agreement], now)
    version = await queries.version(session, agreement.programme_id, agreement.version)
    assert version is not None, "the foreign key says so"
    tiers = tiers_of(version, agreement.partner_type)
    rows = await queries.snapshots(session, agreement.id, HISTORY_SHOWN)
    return MineView(
        agreement=view,
        standing=await standing.view(session, measures, agreement, now),
        reward=next((tier.reward for tier in tiers if tier.code == agreement.tier), None),
        tiers=tiers,
        certificates=await certificates.of_agreement(session, agreement, now),
        plan=await _plan(session, measures, agreement, now),
        totals=await _totals(session, measures, agreement, now),
        history=[agreements.snapshot_view(row) for row in rows],
    )


async def _plan(
    session: AsyncSession, measures: Measures, agreement: Agreement, now: datetime
) -> PlanView | None:
    plan = await queries.agreed_plan(session, agreement.id, now)
    return None if plan is None else await plans.view(session, measures, plan, now)


async def _totals(
    session: AsyncSession, measures: Measures, agreement: Agreement, now: datetime
) -> list[TotalView]:
    programme = await queries.programme(session, agreement.programme_id)
    assert programme is not None, "the foreign key says so"
    totals = []
    async with as_house(session):
        for measure in measures:
            asked = standing.asked_for(programme, [agreement.partner_id], Key(measure.code), now)
            value = (await measure.read(session, asked)).get(agreement.partner_id)
            text = standing.value_text(value)
            totals.append(TotalView(measure=measure.code, title=measure.title, value=text))
    return totals
