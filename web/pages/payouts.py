"""Payouts for people: the partner's own, the operator's runs with what changed since the last."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template

from marketplace.accounts import queries as accounts
from marketplace.kernel.access import allow
from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import Amount
from marketplace.ledger import queries as ledger
from marketplace.ledger import views
from marketplace.ledger.payouts import queries, service
from marketplace.ledger.payouts.api import CHECKER, KEEPER, MAKER, READER
from marketplace.ledger.payouts.schemas import (
    BankAccountView,
    NewBankAccount,
    NewPayoutRun,
    PayoutRunView,
)
from web.pages.forms import Form, typed_time
from web.pages.render import go
from web.pages.visit import UNTRIED, Attempt, Visit

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
    async def show(self, visit: Visit, cursor: str | None = None) -> Template:
        """A partner's own payouts; the operator's runs."""
        return await _overview(visit, cursor=cursor)

    @post("/bank_account", opt=KEEPERS)
    async def save_bank_account(self, visit: Visit) -> Response[Any]:
        form = await visit.form()
        async with visit.trying(form) as attempt:
            new = NewBankAccount(
                holder=form.words("holder", HOLDER_CHARS_MAX),
                iban=form.words("iban", IBAN_CHARS_MAX),
                bic=form.one("bic") or None,
            )
            await service.set_bank_account(visit.session, visit.actor, new, visit.now)
            return go("/payouts")
        return await _overview(visit, attempt)

    @post("/runs", opt=MAKERS, status_code=200)
    async def propose(self, visit: Visit) -> Response[Any]:
        """Look at what a run would pay, or propose it."""
        form = await visit.form()
        looks = form.one("then") == "look"
        async with visit.trying(form) as attempt:
            new = NewPayoutRun(
                until=form.instant("until"),
                currency=form.one("currency").upper() or None,
                dry_run=looks,
            )
            run = await service.propose(visit.session, visit.actor, new, visit.now)
            if looks:
                return await _overview(visit, planned=run, typed=form.typed())
            return go(f"/payouts/runs/{run.id}")
        return await _overview(visit, attempt)

    @get("/runs/{payout_run_id:uuid}", opt=CHECKERS)
    async def show_run(
        self, visit: Visit, payout_run_id: UUID, cursor: str | None = None
    ) -> Template:
        return await _run_page(visit, payout_run_id, cursor=cursor)

    @post("/runs/{payout_run_id:uuid}/{event:str}", opt=CHECKERS)
    async def decide_run(
        self, visit: Visit, payout_run_id: UUID, event: Literal["approve", "cancel"]
    ) -> Response[Any]:
        decide = service.approve if event == "approve" else service.cancel
        async with visit.trying() as attempt:
            await decide(visit.session, visit.actor, payout_run_id, visit.now)
            return go(f"/payouts/runs/{payout_run_id}")
        return await _run_page(visit, payout_run_id, attempt)

    @get("/{payout_id:uuid}", opt=READERS)
    async def show_payout(
        self, visit: Visit, payout_id: UUID, cursor: str | None = None
    ) -> Template:
        return await _payout_page(visit, payout_id, cursor=cursor)

    @post("/{payout_id:uuid}/{event:str}", opt=CHECKERS)
    async def decide_payout(
        self, visit: Visit, payout_id: UUID, event: Literal["approve", "paid", "failed"]
    ) -> Response[Any]:
        form = await visit.form()
        async with visit.trying(form) as attempt:
            await _decide(visit, payout_id, event, form)
            return go(f"/payouts/{payout_id}")
        return await _payout_page(visit, payout_id, attempt)


async def _decide(visit: Visit, payout_id: UUID, event: str, form: Form) -> None:
    """What is not there is missing before its form is looked at."""
    session, actor, now = visit.session, visit.actor, visit.now
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
    visit: Visit,
    attempt: Attempt = UNTRIED,
    *,
    cursor: str | None = None,
    planned: PayoutRunView | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Template:
    session, actor = visit.session, visit.actor
    keeps = actor.has_role(*KEEPER)
    account = await _bank_account(visit) if keeps else None
    known = {} if account is None else msgspec.structs.asdict(account)
    start = {"until": typed_time(visit.now)} | {name: text or "" for name, text in known.items()}
    values: dict[str, Any] = {
        "area": AREA,
        "keeps": keeps,
        "bank_account": account,
        "form": start | dict(typed or {}) | attempt.typed,
    }
    if actor.operator and actor.has_role(*CHECKER):
        runs = await service.list_runs(session, queries.RUNS.page(ROWS, cursor))
        values |= {"runs": runs, "makes": actor.has_role(*MAKER), "planned": planned}
        return await visit.page("payouts/runs.html", attempt, **values)
    page = queries.OWN_PAYOUTS.page(ROWS, cursor)
    payouts = await service.list_payouts(session, actor, None, page)
    return await visit.page("payouts/own.html", attempt, payouts=payouts, **values)


async def _bank_account(visit: Visit) -> BankAccountView | None:
    try:
        return await service.get_bank_account(visit.session, visit.actor)
    except NotFound:
        return None


async def _run_page(
    visit: Visit, run_id: UUID, attempt: Attempt = UNTRIED, *, cursor: str | None = None
) -> Template:
    session, actor = visit.session, visit.actor
    run = await service.show(session, run_id)
    page = queries.PAYOUTS.page(ROWS, cursor)
    listed = await service.list_payouts(session, actor, run_id, page)
    maker = await accounts.user(session, run.author_id)
    before = run.before.totals if run.before else []
    sums = {total.currency: total.amount for total in before}
    return await visit.page(
        "payouts/run.html",
        attempt,
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
        new=sum(one.last is None for one in run.payouts),
        moved=sum(one.account_changed for one in run.payouts),
    )


def change(amount: Amount, last: Amount | None) -> str:
    """How much more or less than last time, in percent."""
    if last is None or not Decimal(last.amount):
        return ""
    share = 100 * (Decimal(amount.amount) / Decimal(last.amount) - 1)
    return f"{share:+.1f} %".replace("-", "\u2212")


async def _payout_page(
    visit: Visit, payout_id: UUID, attempt: Attempt = UNTRIED, *, cursor: str | None = None
) -> Template:
    session, actor = visit.session, visit.actor
    payout = await service.get_payout(session, payout_id)
    decides = actor.operator and actor.has_role(*CHECKER)
    accruals = await views.list_accruals(
        session,
        actor,
        visit.now,
        ledger.ACCRUALS.page(ROWS, cursor, "number"),
        payout=payout_id,
    )
    own = False
    if decides and payout.run_id is not None:
        own = (await service.show(session, payout.run_id)).author_id == actor.user_id
    return await visit.page(
        "payouts/payout.html",
        attempt,
        area=AREA,
        payout=payout,
        decides=decides,
        own=own,
        accruals=accruals,
        form={"at": typed_time(visit.now)} | attempt.typed,
    )
