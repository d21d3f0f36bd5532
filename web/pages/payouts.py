"""Payouts for people: the partner's own, the operator's runs with what changed since the last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import NotFound, Problem
from marketplace.kernel.money import Amount
from marketplace.ledger import views
from marketplace.ledger.payouts import service
from marketplace.ledger.payouts.api import CHECKER, KEEPER, MAKER, READER
from marketplace.ledger.payouts.schemas import (
    BankAccountView,
    NewBankAccount,
    NewPayoutRun,
    PayoutRunView,
    PayoutView,
)
from web.pages.forms import Form, read_form, typed_time
from web.pages.render import AnyRequest, field_errors, go, page, told, viewer_of

READERS = allow(*READER, scope=None)
MAKERS = allow(*MAKER, scope=None, operator=True)
CHECKERS = allow(*CHECKER, scope=None, operator=True)
KEEPERS = allow(*KEEPER, scope=None, verified=True)
AREA = "programme"
ROWS = 50
HOLDER_CHARS_MAX, IBAN_CHARS_MAX, REFERENCE_CHARS_MAX, REASON_CHARS_MAX = 70, 42, 140, 1_000


class PayoutPages(Controller):
    path = "/payouts"

    @get("/", opt=READERS)
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        cursor: str | None = None,
    ) -> Template:
        """A partner's own payouts; the operator's runs."""
        return await _overview(request, session, actor, clock, cursor=cursor)

    @post("/bank_account", opt=KEEPERS)
    async def save_bank_account(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, clock: Clock
    ) -> Response[Any]:
        form = await read_form(request)
        try:
            new = NewBankAccount(
                holder=form.words("holder", HOLDER_CHARS_MAX),
                iban=form.words("iban", IBAN_CHARS_MAX),
                bic=form.one("bic") or None,
            )
            async with session.begin_nested():
                await service.set_bank_account(session, actor, new, clock.now())
        except Problem as problem:
            return await _overview(request, session, actor, clock, form=form, problem=problem)
        return go("/payouts")

    @post("/runs", opt=MAKERS, status_code=200)
    async def propose(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, clock: Clock
    ) -> Response[Any]:
        """Look at what a run would pay, or propose it."""
        form, now = await read_form(request), clock.now()
        looks = form.one("then") == "look"
        try:
            new = NewPayoutRun(
                until=form.instant("until"),
                currency=form.one("currency").upper() or None,
                dry_run=looks,
            )
            async with session.begin_nested():
                run = await service.propose(session, actor, new, now)
        except Problem as problem:
            return await _overview(request, session, actor, clock, form=form, problem=problem)
        if looks:
            return await _overview(request, session, actor, clock, form=form, planned=run)
        return go(f"/payouts/runs/{run.id}")

    @get("/runs/{payout_run_id:uuid}", opt=CHECKERS)
    async def show_run(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        payout_run_id: UUID,
        cursor: str | None = None,
    ) -> Template:
        return await _run_page(request, session, actor, payout_run_id, cursor)

    @post("/runs/{payout_run_id:uuid}/{event:str}", opt=CHECKERS)
    async def decide_run(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        payout_run_id: UUID,
        event: Literal["approve", "cancel"],
    ) -> Response[Any]:
        decide = service.approve if event == "approve" else service.cancel
        try:
            async with session.begin_nested():
                await decide(session, actor, payout_run_id, clock.now())
        except NotFound:
            raise
        except Problem as problem:
            return await _run_page(request, session, actor, payout_run_id, problem=problem)
        return go(f"/payouts/runs/{payout_run_id}")

    @get("/{payout_id:uuid}", opt=READERS)
    async def show_payout(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        payout_id: UUID,
        cursor: str | None = None,
    ) -> Template:
        return await _payout_page(request, session, actor, clock, payout_id, cursor)

    @post("/{payout_id:uuid}/{event:str}", opt=CHECKERS)
    async def decide_payout(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        payout_id: UUID,
        event: Literal["approve", "paid", "failed"],
    ) -> Response[Any]:
        form = await read_form(request)
        try:
            async with session.begin_nested():
                await _decide(session, actor, clock.now(), payout_id, event, form)
        except NotFound:
            raise
        except Problem as problem:
            return await _payout_page(
                request, session, actor, clock, payout_id, form=form, problem=problem
            )
        return go(f"/payouts/{payout_id}")


async def _decide(
    session: AsyncSession, actor: Actor, now: datetime, payout_id: UUID, event: str, form: Form
) -> None:
    """What is not there is missing before its form is looked at."""
    await service.get_payout(session, payout_id)
    if event == "approve":
        await service.approve_payout(session, actor, payout_id, now)
    elif event == "paid":
        at, reference = form.instant("at"), form.words("reference", REFERENCE_CHARS_MAX)
        await service.mark_paid(session, actor, payout_id, at, reference, now)
    else:
        reason = form.words("reason", REASON_CHARS_MAX)
        await service.mark_failed(session, actor, payout_id, reason, now)


async def _overview(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    *,
    cursor: str | None = None,
    form: Form | None = None,
    planned: PayoutRunView | None = None,
    problem: Problem | None = None,
) -> Template:
    keeps = actor.has_role(*KEEPER)
    account = await _bank_account(session, actor) if keeps else None
    known = {} if account is None else msgspec.structs.asdict(account)
    typed = {"until": typed_time(clock.now())} | {name: text or "" for name, text in known.items()}
    values: dict[str, Any] = {
        "viewer": await viewer_of(session, actor),
        "status": problem.status if problem else 200,
        "area": AREA,
        "keeps": keeps,
        "bank_account": account,
        "form": typed | (form.typed() if form else {}),
        "errors": field_errors(problem) if problem else {},
        "problem": None if problem is None or problem.errors else told(problem),
    }
    if actor.operator and actor.has_role(*CHECKER):
        runs = await service.list_runs(session, ROWS, cursor, None)
        makes = actor.has_role(*MAKER)
        return page(request, "payouts/runs.html", runs=runs, makes=makes, planned=planned, **values)
    payouts = await service.list_payouts(session, actor, None, ROWS, cursor, None)
    return page(request, "payouts/own.html", payouts=payouts, **values)


async def _bank_account(session: AsyncSession, actor: Actor) -> BankAccountView | None:
    try:
        return await service.get_bank_account(session, actor)
    except NotFound:
        return None


async def _run_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    run_id: UUID,
    cursor: str | None = None,
    problem: Problem | None = None,
) -> Template:
    run = await service.show(session, run_id)
    listed = await service.list_payouts(session, actor, run_id, ROWS, cursor, None)
    who = await viewer_of(session, actor)
    maker = await accounts.user(session, run.author_id)
    before = run.before.totals if run.before else []
    sums = {total.currency: total.amount for total in before}
    return page(
        request,
        "payouts/run.html",
        viewer=who,
        status=problem.status if problem else 200,
        area=AREA,
        run=run,
        own=run.author_id == actor.user_id,
        maker=maker.name if maker else None,
        payouts=listed.items,
        next_cursor=listed.next_cursor,
        changes={one.id: change(one.amount, one.last) for one in listed.items},
        compared={
            total.currency: change(total.amount, sums.get(total.currency)) for total in run.totals
        },
        new=_count(run.payouts, "first"),
        moved=_count(run.payouts, "account"),
        problem=told(problem),
    )


def change(amount: Amount, last: Amount | None) -> str:
    """How much more or less than last time, in percent."""
    if last is None or not Decimal(last.amount):
        return ""
    share = 100 * (Decimal(amount.amount) / Decimal(last.amount) - 1)
    return f"{share:+.1f} %".replace("-", "\u2212")


def _count(payouts: Sequence[PayoutView], what: str) -> int:
    if what == "account":
        return sum(one.account_changed for one in payouts)
    return sum(one.last is None for one in payouts)


async def _payout_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    payout_id: UUID,
    cursor: str | None = None,
    *,
    form: Form | None = None,
    problem: Problem | None = None,
) -> Template:
    payout = await service.get_payout(session, payout_id)
    now = clock.now()
    decides = actor.operator and actor.has_role(*CHECKER)
    accruals = await views.list_accruals(
        session, actor, now, payout=payout_id, limit=ROWS, cursor=cursor, sort="number"
    )
    own = False
    if decides and payout.run_id is not None:
        own = (await service.show(session, payout.run_id)).author_id == actor.user_id
    return page(
        request,
        "payouts/payout.html",
        viewer=await viewer_of(session, actor),
        status=problem.status if problem else 200,
        area=AREA,
        payout=payout,
        decides=decides,
        own=own,
        accruals=accruals,
        form={"at": typed_time(now)} | (form.typed() if form else {}),
        errors=field_errors(problem) if problem else {},
        problem=None if problem is None or problem.errors else told(problem),
    )
