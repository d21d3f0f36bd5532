"""Use cases of acts. Nothing here commits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange.announcing import announce
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money
from marketplace.kernel.pages import Page
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import house, move, set_deadline
from marketplace.ledger import queries as ledger
from marketplace.ledger.acts import queries
from marketplace.ledger.acts.life import ACT, SILENCE, moved_by
from marketplace.ledger.acts.models import Act, ActFile, ActRun, BillingTerms
from marketplace.ledger.acts.render import ActData, Files, LineData
from marketplace.ledger.acts.schemas import (
    ActLineView,
    ActPage,
    ActRow,
    ActRunPage,
    ActRunView,
    ActView,
    BillingBody,
    PartyOnAct,
)
from marketplace.ledger.acts.words import title
from marketplace.ledger.payouts.schemas import TotalView
from marketplace.ledger.schemas import RuleView
from marketplace.ledger.views import source_of, sources_of

SERIES = "SB"
ACCEPT_DAYS = 10
"""Where the agreement says nothing."""


def end_of(period: str) -> datetime:
    """The first moment after the month, in UTC."""
    year, month = (int(part) for part in period.split("-"))
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


async def set_billing_terms(
    session: AsyncSession, partner_id: UUID, *, self_billing: bool, accept_days: int, language: str
) -> None:
    """What the partner's agreement says from now on; called from an upper floor."""
    async with as_house(session):
        row = await queries.billing_terms(session, partner_id)
        if row is None:
            row = BillingTerms(partner_id=partner_id)
            session.add(row)
        row.self_billing, row.accept_days, row.language = self_billing, accept_days, language


async def get_billing(session: AsyncSession, actor: Actor) -> BillingBody:
    """Raises NotFound."""
    row = await queries.billing_terms(session, actor.organisation_id)
    if row is None:
        raise NotFound("billing agreement")
    return BillingBody(self_billing=row.self_billing, language=row.language)  # type: ignore[arg-type]


async def set_billing(session: AsyncSession, actor: Actor, body: BillingBody) -> BillingBody:
    """What the partner agrees to, for acts from now on."""
    row = await queries.billing_terms(session, actor.organisation_id)
    await set_billing_terms(
        session,
        actor.organisation_id,
        self_billing=body.self_billing,
        accept_days=row.accept_days if row else ACCEPT_DAYS,
        language=body.language,
    )
    return body


async def request_run(
    session: AsyncSession, actor: Actor, period: str, now: datetime
) -> ActRunView:
    """A worker makes the month's acts; asked again, those of what came since. What was numbered
    never changes.
    """
    async with as_house(session):
        run = await queries.run_of_period(session, period)
        if run is None:
            run = ActRun(
                id=new_id(),
                period=period,
                state="queued",
                author_id=actor.user_id,
                created_at=now,
            )
            session.add(run)
        elif run.state == "done":
            run.state, run.ended_at = "queued", None
        await session.flush()
    return await show_run(session, run.id)


async def show_run(session: AsyncSession, run_id: UUID) -> ActRunView:
    """Raises NotFound."""
    run = await queries.run(session, run_id)
    if run is None:
        raise NotFound("act run")
    return await _run_view(session, run)


async def list_runs(session: AsyncSession, page: Page) -> ActRunPage:
    """The newest month first."""
    shown, next_cursor = page.cut(await queries.run_page(session, page))
    return ActRunPage([await _run_view(session, run) for run in shown], next_cursor)


async def _run_view(session: AsyncSession, run: ActRun) -> ActRunView:
    acts, rendered = await queries.counts(session, run.id)
    return ActRunView(
        id=run.id,
        period=run.period,
        state=run.state,
        acts=acts,
        rendered=rendered,
        totals=[
            TotalView(currency=currency, amount=Money(amount, currency).wire(), count=count)
            for currency, amount, count in await queries.totals(session, run.id)
        ],
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


async def issue(session: AsyncSession, run: ActRun, limit: int, now: datetime) -> int:
    """Number the next acts of the run with their lines, at most `limit`; how many. In the system
    scope. All or nothing: a number is given in the transaction that writes its act.
    """
    ids = [new_id() for _ in range(limit)]
    buyer = msgspec.json.encode(await queries.operator_party(session)).decode()
    series = f"{SERIES}-{run.period[:4]}"
    count = await queries.issue(
        session, run, series, end_of(run.period), ids, ACCEPT_DAYS, buyer, now
    )
    for act in await queries.acts_by_ids(session, ids[:count]):
        await set_deadline(session, ACT, act, SILENCE, now, [act.beneficiary_id])
    return count


async def data_of(session: AsyncSession, act: Act, period: str) -> ActData:
    """What the file shows."""
    lines = await queries.lines(session, act.id)
    titles = await ledger.titles(session, sources_of(accrual for _, accrual, _ in lines))
    return ActData(
        number=act.number,
        kind=act.kind,
        self_billing=act.self_billing,
        language=act.language,
        accept_days=act.accept_days,
        currency=act.currency,
        total_minor=act.total_minor,
        period=period,
        issued_at=act.issued_at,
        seller=act.seller,
        buyer=act.buyer,
        lines=[
            LineData(
                position=line.position,
                source=titles.get((accrual.source_kind, accrual.source_id))
                or f"{accrual.source_kind} {accrual.source_id}",
                rule=entry.rule_text,
                minor=line.amount_minor,
            )
            for line, accrual, entry in lines
        ],
    )


async def store(session: AsyncSession, act_id: UUID, files: Files, now: datetime) -> None:
    """Keep the rendered act and tell the partner; once, whoever renders it again. In the system
    scope.
    """
    act = await queries.act(session, act_id, lock=True)
    assert act is not None, "acts are never deleted"
    if act.sha256 is not None:
        return
    act.sha256 = hashlib.sha256(files.pdf).hexdigest()
    session.add(ActFile(act_id=act.id, pdf=files.pdf, xml=files.xml))
    total = Money(act.total_minor, act.currency).wire()
    data = {
        "act_id": str(act.id),
        "number": act.number,
        "amount": total.amount,
        "currency": total.currency,
        "days": act.accept_days,
    }
    await announce(session, act.beneficiary_id, "act.ready", data, f"act {act.id}", now)


async def show(session: AsyncSession, act_id: UUID) -> ActView:
    """Raises NotFound."""
    act = await _act(session, act_id)
    run = await _period(session, [act])
    lines = await queries.lines(session, act.id)
    titles = await ledger.titles(session, sources_of(accrual for _, accrual, _ in lines))
    return ActView(
        **_row_fields(act, run[act.run_id]),
        seller=PartyOnAct(**act.seller),
        buyer=PartyOnAct(**act.buyer),
        lines=[
            ActLineView(
                position=line.position,
                accrual_id=accrual.id,
                entry_id=entry.id,
                source=source_of(accrual, titles),
                rule=RuleView(
                    kind=entry.rule_kind, version=entry.rule_version, text=entry.rule_text
                ),
                amount=Money(line.amount_minor, act.currency).wire(),
            )
            for line, accrual, entry in lines
        ],
    )


async def list_acts(
    session: AsyncSession, actor: Actor, run_id: UUID | None, page: Page
) -> ActPage:
    """A partner's own, the operator's all, newest first."""
    own = None if actor.operator else actor.organisation_id
    shown, next_cursor = page.cut(await queries.act_page(session, page, run_id, own))
    periods = await _period(session, shown)
    return ActPage([ActRow(**_row_fields(act, periods[act.run_id])) for act in shown], next_cursor)


async def file(session: AsyncSession, act_id: UUID) -> tuple[Act, ActFile]:
    """Raises NotFound, Conflict (`not_rendered`)."""
    act = await _act(session, act_id)
    stored = await queries.file(session, act_id)
    if stored is None:
        raise Conflict("not_rendered", "The act has its number; its file is made in a moment.")
    return act, stored


def invoice_of(stored: ActFile) -> bytes:
    """Raises NotFound where the act is a statement."""
    if stored.xml is None:
        raise NotFound("invoice: self-billing was not agreed, so this act is a statement")
    return stored.xml


async def move_act(
    session: AsyncSession,
    actor: Actor,
    act_id: UUID,
    event: str,
    reason: str | None,
    now: datetime,
) -> ActView:
    """The partner accepts or disputes. Raises NotFound, Forbidden, Conflict."""
    await _act(session, act_id)
    async with as_house(session):
        act = await queries.act(session, act_id, lock=True)
        assert act is not None, "acts are never deleted"
        by = moved_by(actor, now, act, reason)
        await move(session, ACT, act, event, by, parties=[act.beneficiary_id])
        if reason is not None:
            act.reason = reason
    return await show(session, act_id)


async def fire(session: AsyncSession, act_id: UUID, event: str, now: datetime) -> None:
    """Nobody objected in time (system scope)."""
    act = await queries.act(session, act_id, lock=True)
    assert act is not None, "acts are never deleted"
    by = house(now, "Nobody objected in time")
    await move(session, ACT, act, event, by, parties=[act.beneficiary_id])


async def _act(session: AsyncSession, act_id: UUID) -> Act:
    act = await queries.act(session, act_id)
    if act is None:
        raise NotFound("act")
    return act


async def _period(session: AsyncSession, acts: Sequence[Act]) -> dict[UUID, str]:
    """The month of each run; partners do not read runs."""
    async with as_house(session):
        found: dict[UUID, str] = {}
        for run_id in {act.run_id for act in acts}:
            run = await queries.run(session, run_id)
            assert run is not None, "an act belongs to a run"
            found[run_id] = run.period
    return found


def _row_fields(act: Act, period: str) -> dict[str, Any]:
    return {
        "id": act.id,
        "number": act.number,
        "period": period,
        "partner_id": act.beneficiary_id,
        "kind": act.kind,
        "self_billing": act.self_billing,
        "title": title(act.language, act.kind, self_billing=act.self_billing),
        "total": Money(act.total_minor, act.currency).wire(),
        "state": act.state,
        "reason": act.reason,
        "issued_at": act.issued_at,
        "accept_by": SILENCE.due_at(act, act.issued_at),
        "sha256": act.sha256,
    }
