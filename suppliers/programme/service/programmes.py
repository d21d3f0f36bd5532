"""Programmes and their versions: made, published, read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.codes import CURRENCY_HINT, is_currency
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from marketplace.kernel.ids import new_id
from suppliers.programme import queries, rules
from suppliers.programme.measures import Measures
from suppliers.programme.models import Programme, ProgrammeVersion
from suppliers.programme.rules import Key, Parameter, Tier
from suppliers.programme.schemas.programmes import (
    NewProgramme,
    NewVersion,
    ParameterBody,
    ProgrammePage,
    ProgrammeView,
    TierBody,
    VersionView,
)

SHOWN_MAX = 200
VERSIONS_MAX = 1_000


async def create(
    session: AsyncSession, measures: Measures, actor: Actor, new: NewProgramme, now: datetime
) -> ProgrammeView:
    """Version 1, a draft. Raises Invalid."""
    errors = _tier_errors(new.tiers, measures)
    if not is_currency(new.currency):
        errors.append(
            FieldError("currency", "unknown_currency", "This is no currency.", CURRENCY_HINT)
        )
    _raise(errors)
    programme = Programme(
        id=new_id(),
        operator_id=actor.organisation_id,
        name=new.name.strip(),
        currency=new.currency,
        author_id=actor.user_id,
        created_at=now,
    )
    session.add(programme)
    await session.flush()
    version = _version(programme.id, 1, new.tiers, actor, now)
    session.add(version)
    await session.flush()
    return _view(programme, [version])


async def add_version(
    session: AsyncSession,
    measures: Measures,
    actor: Actor,
    programme_id: UUID,
    new: NewVersion,
    now: datetime,
) -> VersionView:
    """The next version, a draft. Raises NotFound, Invalid, Conflict (`too_many_versions`)."""
    if await queries.lock_programme(session, programme_id) is None:
        raise NotFound("programme")
    _raise(_tier_errors(new.tiers, measures))
    versions = await queries.versions(session, [programme_id])
    if len(versions) >= VERSIONS_MAX:
        raise Conflict("too_many_versions", f"A programme has at most {VERSIONS_MAX} versions.")
    version = _version(programme_id, versions[0].version + 1, new.tiers, actor, now)
    session.add(version)
    await session.flush()
    return _version_view(version)


async def publish(
    session: AsyncSession, programme_id: UUID, number: int, now: datetime
) -> VersionView:
    """From now on agreements may take this version. Raises NotFound, Conflict."""
    version = await queries.version(session, programme_id, number, lock=True)
    if version is None:
        raise NotFound("version")
    if version.published_at is not None:
        raise Conflict("published_already", "This version is published; make a new one.")
    version.published_at = now
    await session.flush()
    return _version_view(version)


async def listing(session: AsyncSession) -> ProgrammePage:
    """Every programme the caller may see, newest first."""
    programmes = await queries.programmes(session, SHOWN_MAX)
    versions = await queries.versions(session, [programme.id for programme in programmes])
    return ProgrammePage(
        [
            _view(one, [version for version in versions if version.programme_id == one.id])
            for one in programmes
        ]
    )


async def show(session: AsyncSession, programme_id: UUID) -> ProgrammeView:
    """Raises NotFound."""
    programme = await queries.programme(session, programme_id)
    if programme is None:
        raise NotFound("programme")
    return _view(programme, await queries.versions(session, [programme_id]))


def tiers_of(version: ProgrammeVersion, partner_type: str) -> list[TierBody]:
    """Of one type of partner, lowest first."""
    tiers = msgspec.convert(version.tiers, list[TierBody])
    return [tier for tier in tiers if tier.partner_type == partner_type]


def judged_tiers(version: ProgrammeVersion, partner_type: str) -> list[Tier]:
    """The same for `rules.judge`."""
    return [
        Tier(
            code=tier.code,
            threshold=tier.threshold,
            parameters=tuple(_parameter(each) for each in tier.parameters),
        )
        for tier in tiers_of(version, partner_type)
    ]


def _parameter(body: ParameterBody) -> Parameter:
    return Parameter(
        key=Key(body.measure, body.period_days),
        target=Decimal(body.target),
        score=body.score,
        direction=body.direction,
    )


def _version(
    programme_id: UUID, number: int, tiers: Sequence[TierBody], actor: Actor, now: datetime
) -> ProgrammeVersion:
    return ProgrammeVersion(
        programme_id=programme_id,
        version=number,
        tiers=msgspec.to_builtins(tiers),
        author_id=actor.user_id,
        created_at=now,
    )


def _view(programme: Programme, versions: Sequence[ProgrammeVersion]) -> ProgrammeView:
    return ProgrammeView(
        id=programme.id,
        name=programme.name,
        currency=programme.currency,
        versions=[_version_view(version) for version in versions],
    )


def _version_view(version: ProgrammeVersion) -> VersionView:
    return VersionView(
        version=version.version,
        state="draft" if version.published_at is None else "published",
        tiers=msgspec.convert(version.tiers, list[TierBody]),
        published_at=version.published_at,
    )


def _raise(errors: list[FieldError]) -> None:
    if errors:
        raise Invalid("invalid", "The programme has wrong fields.", errors=errors)


def _tier_errors(tiers: Sequence[TierBody], measures: Measures) -> list[FieldError]:
    errors: list[FieldError] = []
    seen = set()
    for index, tier in enumerate(tiers):
        field = f"tiers[{index}]"
        if (tier.partner_type, tier.code) in seen:
            message = "A tier stands once for each type of partner."
            errors.append(FieldError(f"{field}.code", "duplicate", message))
        seen.add((tier.partner_type, tier.code))
        errors += _reward_errors(f"{field}.reward", tier)
        for position, parameter in enumerate(tier.parameters):
            errors += _parameter_errors(f"{field}.parameters[{position}]", parameter, measures)
        if tier.threshold > sum(parameter.score for parameter in tier.parameters):
            message = "All scores together do not reach this threshold."
            errors.append(FieldError(f"{field}.threshold", "unreachable", message))
    return errors


def _parameter_errors(field: str, parameter: ParameterBody, measures: Measures) -> list[FieldError]:
    errors = rules.measure_errors(f"{field}.measure", parameter.measure, measures.codes)
    return errors + rules.decimal_errors(f"{field}.target", parameter.target, least=0)


def _reward_errors(field: str, tier: TierBody) -> list[FieldError]:
    errors = []
    for name in ("sale_percent", "fund_percent"):
        errors += rules.decimal_errors(
            f"{field}.{name}",
            getattr(tier.reward, name),
            least=0,
            most=100,
            places=rules.PERCENT_PLACES,
        )
    if tier.reward.points_per_major is not None:
        errors += rules.decimal_errors(
            f"{field}.points_per_major", tier.reward.points_per_major, least=0, most=1_000
        )
    return errors
