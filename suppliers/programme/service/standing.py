"""Where partners stand: their figures read in bulk, judged by the version of their agreement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.scope import as_house
from suppliers.programme import queries, rules
from suppliers.programme.measures import Asked, Fact, Measures
from suppliers.programme.models import Agreement, Programme, ProgrammeVersion
from suppliers.programme.rules import Key, Standing
from suppliers.programme.schemas.standing import (
    FactView,
    GapView,
    NextView,
    StandingView,
    ValueView,
)
from suppliers.programme.service.programmes import judged_tiers


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One agreement's figures and what they reach."""

    agreement: Agreement
    values: dict[Key, Decimal]
    keys: tuple[Key, ...]
    standing: Standing

    def record(self) -> dict[str, Any]:
        """For a snapshot: what was reached, by which values."""
        return {
            "scores": self.standing.scores,
            "eligible": self.standing.eligible,
            "reached": sorted(self.standing.reached),
            "values": [
                {
                    "measure": key.measure,
                    "period_days": key.period_days,
                    "value": value_text(self.values.get(key)),
                }
                for key in self.keys
            ],
        }


def value_text(value: Decimal | None) -> str | None:
    return None if value is None else rules.plain(value)


async def judge_all(
    session: AsyncSession, measures: Measures, agreements: Sequence[Agreement], at: datetime
) -> list[Judged]:
    """Each agreement under its own version. One statement a measure, period and version, however
    many partners there are.
    """
    by_version: dict[tuple[UUID, int], list[Agreement]] = defaultdict(list)
    for agreement in agreements:
        by_version[agreement.programme_id, agreement.version].append(agreement)
    judged: list[Judged] = []
    async with as_house(session):
        for (programme_id, number), group in by_version.items():
            programme = await queries.programme(session, programme_id)
            version = await queries.version(session, programme_id, number)
            assert programme is not None, "the foreign key says so"
            assert version is not None, "the foreign key says so"
            judged += await _judge_version(session, measures, programme, version, group, at)
    return judged


async def judge(
    session: AsyncSession, measures: Measures, agreement: Agreement, at: datetime
) -> Judged:
    [judged] = await judge_all(session, measures, [agreement], at)
    return judged


async def _judge_version(
    session: AsyncSession,
    measures: Measures,
    programme: Programme,
    version: ProgrammeVersion,
    agreements: Sequence[Agreement],
    at: datetime,
) -> list[Judged]:
    tiers = {one.partner_type: judged_tiers(version, one.partner_type) for one in agreements}
    keys = {
        partner_type: tuple(dict.fromkeys(each.key for tier in known for each in tier.parameters))
        for partner_type, known in tiers.items()
    }
    values: dict[UUID, dict[Key, Decimal]] = defaultdict(dict)
    for key in dict.fromkeys(key for known in keys.values() for key in known):
        partners = [one.partner_id for one in agreements if key in keys[one.partner_type]]
        asked = asked_for(programme, partners, key, at)
        for partner_id, value in (await measures[key.measure].read(session, asked)).items():
            values[partner_id][key] = value
    return [
        Judged(
            agreement=one,
            values=values[one.partner_id],
            keys=keys[one.partner_type],
            standing=rules.judge(tiers[one.partner_type], values[one.partner_id], one.tier),
        )
        for one in agreements
    ]


def asked_for(programme: Programme, partners: Sequence[UUID], key: Key, at: datetime) -> Asked:
    return Asked(
        partners=partners,
        operator_id=programme.operator_id,
        currency=programme.currency,
        begins=None if key.period_days is None else at - timedelta(days=key.period_days),
        ends=at,
    )


async def show(
    session: AsyncSession,
    measures: Measures,
    agreement_id: UUID,
    at: datetime | None,
    now: datetime,
) -> StandingView:
    """Raises NotFound, Invalid (`in_the_future`)."""
    agreement = await queries.agreement(session, agreement_id)
    if agreement is None:
        raise NotFound("agreement")
    if at is not None and (at.tzinfo is None or at > now):
        raise Invalid.field("at", "in_the_future", "A standing is of now or of a past moment.")
    if at is not None:
        agreement = await _as_of(session, agreement, at)
    return await view(session, measures, agreement, at or now)


async def _as_of(session: AsyncSession, agreement: Agreement, at: datetime) -> Agreement:
    """With the version and tier of that moment; a copy that no session knows."""
    then = await queries.snapshot_at(session, agreement.id, at)
    return Agreement(
        id=agreement.id,
        partner_id=agreement.partner_id,
        programme_id=agreement.programme_id,
        partner_type=agreement.partner_type,
        version=agreement.version if then is None else then.version,
        tier=None if then is None else then.tier,
    )


async def view(
    session: AsyncSession, measures: Measures, agreement: Agreement, at: datetime
) -> StandingView:
    judged = await judge(session, measures, agreement, at)
    programme = await queries.programme(session, agreement.programme_id)
    assert programme is not None, "the foreign key says so"
    values = []
    async with as_house(session):
        for key in judged.keys:
            asked = asked_for(programme, [agreement.partner_id], key, at)
            facts = await measures[key.measure].facts(session, asked)
            values.append(_value_view(key, judged.values.get(key), facts))
    return StandingView(
        at=at,
        version=agreement.version,
        tier=agreement.tier,
        scores=judged.standing.scores,
        eligible=judged.standing.eligible,
        next=_next_view(judged.standing),
        values=values,
    )


def _value_view(key: Key, value: Decimal | None, facts: Sequence[Fact]) -> ValueView:
    return ValueView(
        measure=key.measure,
        period_days=key.period_days,
        value=value_text(value),
        facts=[
            FactView(
                kind=fact.kind,
                id=fact.id,
                at=fact.at,
                title=fact.title,
                value=rules.plain(fact.value),
            )
            for fact in facts
        ],
    )


def _next_view(standing: Standing) -> NextView | None:
    if standing.next is None:
        return None
    return NextView(
        tier=standing.next.tier,
        missing=standing.next.missing,
        gaps=[
            GapView(
                measure=gap.key.measure,
                period_days=gap.key.period_days,
                distance=value_text(gap.distance),
            )
            for gap in standing.next.gaps
        ],
    )
