"""Agreements: made, moved through their life, their tier approved; each change is snapshotted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.exchange.announcing import announce
from marketplace.kernel.actor import Actor
from marketplace.kernel.codes import CURRENCY_HINT, is_currency
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money, NotAnAmount
from marketplace.kernel.pages import Page
from marketplace.kernel.workflow import Mover, house, move
from suppliers.programme import queries, rules
from suppliers.programme.facts import TierChanged
from suppliers.programme.life import AGREEMENT, moved_by
from suppliers.programme.measures import Measures
from suppliers.programme.models import Agreement, AgreementSnapshot, ProgrammeVersion
from suppliers.programme.schemas.agreements import (
    AgreementPage,
    AgreementView,
    Approval,
    CpaBody,
    NewAgreement,
    PartyView,
    PayoutBody,
)
from suppliers.programme.schemas.standing import SnapshotPage, SnapshotView
from suppliers.programme.service import standing
from suppliers.programme.service.earning import tell_payouts
from suppliers.programme.service.programmes import tiers_of

HISTORY_MAX = 500
POINTS = "points"


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of an agreement needs beside its session and its caller."""

    facts: Facts
    measures: Measures


async def create(
    session: AsyncSession, actor: Actor, new: NewAgreement, now: datetime
) -> AgreementView:
    """A draft. Raises NotFound, Invalid, Conflict (`not_published`)."""
    partner = (await accounts.public_organisations(session, [new.partner_id])).get(new.partner_id)
    if partner is None or new.partner_id == actor.organisation_id:
        raise NotFound("partner")
    if await queries.programme(session, new.programme_id) is None:
        raise NotFound("programme")
    number = new.version or await queries.newest_published(session, new.programme_id)
    version = await _published(session, new.programme_id, number)
    errors = _term_errors(new) + _tier_errors(version, new)
    if errors:
        raise Invalid("invalid", "The agreement has wrong fields.", errors=errors)
    agreement = Agreement(
        id=new_id(),
        operator_id=actor.organisation_id,
        partner_id=new.partner_id,
        programme_id=new.programme_id,
        version=version.version,
        partner_type=new.partner_type,
        tier=new.tier,
        region=new.region,
        segment=new.segment,
        begins=new.begins.astimezone(UTC),
        ends=new.ends and new.ends.astimezone(UTC),
        cpa=new.cpa and msgspec.to_builtins(new.cpa),
        payout=msgspec.to_builtins(new.payout),
        state=AGREEMENT.initial,
        author_id=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    session.add(agreement)
    await session.flush()
    return await show(session, actor, agreement.id, now)


async def act(
    session: AsyncSession, desk: Desk, actor: Actor, agreement_id: UUID, event: str, now: datetime
) -> AgreementView:
    """`activate`, `suspend`, `resume` or `end`. Raises NotFound, Forbidden, Conflict
    (`agreement_exists` where the partner has another active one).
    """
    agreement = await _locked(session, agreement_id)
    await _step(session, desk, agreement, event, moved_by(actor, now, agreement))
    if agreement.state == "active":
        await tell_payouts(session, agreement)
    return await show(session, actor, agreement_id, now)


async def move_version(
    session: AsyncSession, desk: Desk, actor: Actor, agreement_id: UUID, number: int, now: datetime
) -> AgreementView:
    """To another published version; the approved tier stays where that version has it. Raises
    NotFound, Forbidden, Invalid, Conflict.
    """
    agreement = await _locked(session, agreement_id)
    version = await _published(session, agreement.programme_id, number)
    codes = [tier.code for tier in tiers_of(version, agreement.partner_type)]
    if not codes:
        raise Invalid.field(
            "version", "unknown_partner_type", "This version has no tiers for this type of partner."
        )
    judged = await standing.judge(session, desk.measures, agreement, now)
    by = moved_by(actor, now, agreement)
    await move(session, AGREEMENT, agreement, "move", by, parties=_parties(agreement))
    before = _granted(agreement)
    agreement.version = version.version
    agreement.eligible = None
    if agreement.tier not in codes:
        agreement.tier = None
    await _note(session, desk, agreement, "move", before, judged.record(), by)
    return await show(session, actor, agreement_id, now)


async def approve(
    session: AsyncSession,
    desk: Desk,
    actor: Actor,
    agreement_id: UUID,
    data: Approval,
    now: datetime,
) -> AgreementView:
    """Judged again at this very moment, whatever was proposed before. Raises NotFound, Forbidden,
    Conflict (`not_eligible`).
    """
    agreement = await _locked(session, agreement_id)
    judged = await standing.judge(session, desk.measures, agreement, now)
    if data.tier is not None and data.tier not in judged.standing.reached:
        raise Conflict(
            "not_eligible", f"The figures of this moment do not reach the tier {data.tier}."
        )
    by = moved_by(actor, now, agreement)
    await move(session, AGREEMENT, agreement, "set_tier", by, parties=_parties(agreement))
    before, agreement.tier = _granted(agreement), data.tier
    await _note(session, desk, agreement, "set_tier", before, judged.record(), by)
    return await show(session, actor, agreement_id, now)


async def fire(
    desk: Desk, session: AsyncSession, agreement_id: UUID, event: str, now: datetime
) -> None:
    """Its time is over. Called by the worker."""
    agreement = await _locked(session, agreement_id)
    await _step(session, desk, agreement, event, house(now))


async def show(
    session: AsyncSession, actor: Actor, agreement_id: UUID, now: datetime
) -> AgreementView:
    """Raises NotFound."""
    agreement = await queries.agreement(session, agreement_id)
    if agreement is None:
        raise NotFound("agreement")
    [view] = await views(session, actor, [agreement], now)
    return view


async def listing(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    *,
    state: str | None,
    partner_id: UUID | None,
    page: Page,
) -> AgreementPage:
    """All of them for the operator, the own ones for a partner."""
    found = await queries.agreements(session, state=state, partner_id=partner_id, page=page)
    shown, more = page.cut(found)
    return AgreementPage(await views(session, actor, shown, now), more)


async def history(session: AsyncSession, agreement_id: UUID) -> SnapshotPage:
    """What was granted from when on, newest first. Raises NotFound."""
    if await queries.agreement(session, agreement_id) is None:
        raise NotFound("agreement")
    rows = await queries.snapshots(session, agreement_id, HISTORY_MAX)
    return SnapshotPage([snapshot_view(row) for row in rows])


def snapshot_view(row: AgreementSnapshot) -> SnapshotView:
    return SnapshotView(
        id=row.id,
        at=row.at,
        event=row.event,
        state=row.state,
        version=row.version,
        tier_before=row.tier_before,
        tier=row.tier,
        author_id=row.author_id,
        standing=row.standing,
    )


async def views(
    session: AsyncSession, actor: Actor, agreements: Sequence[Agreement], now: datetime
) -> list[AgreementView]:
    names = await accounts.public_organisations(session, {one.partner_id for one in agreements})
    programmes = {}
    for one in agreements:
        if one.programme_id not in programmes:
            programme = await queries.programme(session, one.programme_id)
            assert programme is not None, "the foreign key says so"
            programmes[one.programme_id] = PartyView(programme.id, programme.name)
    return [
        AgreementView(
            id=one.id,
            partner=PartyView(one.partner_id, names[one.partner_id].name),
            programme=programmes[one.programme_id],
            version=one.version,
            partner_type=one.partner_type,
            state=one.state,
            tier=one.tier,
            eligible=one.eligible,
            region=one.region,
            segment=one.segment,
            begins=one.begins,
            ends=one.ends,
            cpa=None if one.cpa is None else msgspec.convert(one.cpa, CpaBody),
            payout=msgspec.convert(one.payout, PayoutBody),
            created_at=one.created_at,
            actions=AGREEMENT.events(one.state, moved_by(actor, now, one).capacities),
        )
        for one in agreements
    ]


async def _locked(session: AsyncSession, agreement_id: UUID) -> Agreement:
    agreement = await queries.agreement(session, agreement_id, lock=True)
    if agreement is None:
        raise NotFound("agreement")
    return agreement


async def _step(
    session: AsyncSession, desk: Desk, agreement: Agreement, event: str, by: Mover
) -> None:
    before = _granted(agreement)
    try:
        async with session.begin_nested():
            await move(session, AGREEMENT, agreement, event, by, parties=_parties(agreement))
            await session.flush()
    except IntegrityError:
        raise Conflict(
            "agreement_exists", "This partner has an active agreement; end or suspend it first."
        ) from None
    await _note(session, desk, agreement, event, before, {}, by)


async def _note(
    session: AsyncSession,
    desk: Desk,
    agreement: Agreement,
    event: str,
    before: str | None,
    figures: dict[str, Any],
    by: Mover,
) -> None:
    """The snapshot, and the fact where the granted tier is another one now."""
    agreement.updated_at = by.now
    after = _granted(agreement)
    session.add(
        AgreementSnapshot(
            id=new_id(),
            agreement_id=agreement.id,
            partner_id=agreement.partner_id,
            at=by.now,
            event=event,
            state=agreement.state,
            version=agreement.version,
            tier_before=before,
            tier=agreement.tier,
            standing=figures,
            author_id=by.user_id,
        )
    )
    await session.flush()
    if after == before:
        return
    await desk.facts.publish(
        session,
        TierChanged(
            agreement_id=agreement.id,
            operator_id=agreement.operator_id,
            partner_id=agreement.partner_id,
            before=before,
            after=after,
            at=by.now,
        ),
    )
    data = {"agreement_id": str(agreement.id), "before": before or "none", "after": after or "none"}
    once = f"tier {agreement.id} {by.now.isoformat()}"
    for organisation_id in _parties(agreement):
        await announce(session, organisation_id, "tier.changed", data, once, by.now)


def _granted(agreement: Agreement) -> str | None:
    """The tier that counts now: of an active agreement only."""
    return agreement.tier if agreement.state == "active" else None


def _parties(agreement: Agreement) -> list[UUID]:
    return [agreement.operator_id, agreement.partner_id]


async def _published(
    session: AsyncSession, programme_id: UUID, number: int | None
) -> ProgrammeVersion:
    if number is None:
        raise Conflict("not_published", "This programme has no published version yet.")
    version = await queries.version(session, programme_id, number)
    if version is None:
        raise NotFound("version")
    if version.published_at is None:
        raise Conflict("not_published", "Publish this version first.")
    return version


def _tier_errors(version: ProgrammeVersion, new: NewAgreement) -> list[FieldError]:
    tiers = tiers_of(version, new.partner_type)
    if not tiers:
        message = "This version has no tiers for this type of partner."
        return [FieldError("partner_type", "unknown_partner_type", message)]
    codes = [tier.code for tier in tiers]
    if new.tier is None or new.tier in codes:
        return []
    return [FieldError("tier", "unknown_tier", f"A tier is one of {', '.join(codes)}.")]


def _term_errors(new: NewAgreement) -> list[FieldError]:
    errors = []
    if new.ends is not None and new.ends <= new.begins:
        errors.append(FieldError("to", "reversed_period", "The end lies before the beginning."))
    if new.payout.asset != POINTS and not is_currency(new.payout.asset):
        message = f"A currency or {POINTS}. {CURRENCY_HINT}"
        errors.append(FieldError("payout.asset", "unknown_asset", message))
    errors += rules.decimal_errors("payout.minimum", new.payout.minimum, least=0, places=3)
    if new.cpa is not None:
        try:
            if Money.parse(new.cpa.amount).minor <= 0:
                message = "What is paid for must be worth more than nothing."
                errors.append(FieldError("cpa.amount.amount", "not_positive", message))
        except NotAnAmount as wrong:
            errors.append(FieldError("cpa.amount", wrong.code, wrong.detail))
    return errors
