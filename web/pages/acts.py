"""Acts for people: the partner's own with accept and dispute, the operator's months."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Invalid, NotFound, Problem
from marketplace.ledger.acts import service
from marketplace.ledger.acts.schemas import BillingBody, NewActRun
from marketplace.ledger.acts.words import WORDS
from marketplace.ledger.payouts.api import CHECKER, KEEPER, MAKER, READER
from web.pages.forms import Form, read_form
from web.pages.render import AnyRequest, field_errors, go, language_of, page, told, viewer_of

READERS = allow(*READER, scope=None)
MAKERS = allow(*MAKER, scope=None, operator=True)
CHECKERS = allow(*CHECKER, scope=None, operator=True)
KEEPERS = allow(*KEEPER, scope=None)
PARTNERS = allow("admin", "partner_manager", scope=None)
AREA = "programme"
ROWS = 50
REASON_CHARS_MAX = 1_000


class ActPages(Controller):
    path = "/acts"

    @get("/", opt=READERS)
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        cursor: str | None = None,
    ) -> Template:
        """A partner's own acts; the operator's months."""
        return await _overview(request, session, actor, clock, cursor=cursor)

    @post("/runs", opt=MAKERS)
    async def make_run(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, clock: Clock
    ) -> Response[Any]:
        form = await read_form(request)
        try:
            asked = _period(form)
            async with session.begin_nested():
                run = await service.request_run(session, actor, asked.period, clock.now())
        except Problem as problem:
            return await _overview(request, session, actor, clock, form=form, problem=problem)
        return go(f"/acts/runs/{run.id}")

    @post("/billing", opt=KEEPERS)
    async def save_billing(
        self, request: AnyRequest, session: AsyncSession, actor: Actor
    ) -> Response[Any]:
        form = await read_form(request)
        body = BillingBody(
            self_billing=bool(form.one("self_billing")),
            language=form.one("language") if form.one("language") in WORDS else "en",  # type: ignore[arg-type]
        )
        await service.set_billing(session, actor, body)
        return go("/acts")

    @get("/runs/{act_run_id:uuid}", opt=CHECKERS)
    async def show_run(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        act_run_id: UUID,
        cursor: str | None = None,
    ) -> Template:
        return page(
            request,
            "acts/run.html",
            viewer=await viewer_of(session, actor),
            area=AREA,
            run=await service.show_run(session, act_run_id),
            acts=await service.list_acts(session, actor, act_run_id, ROWS, cursor, "number"),
        )

    @get("/{act_id:uuid}", opt=READERS)
    async def show_act(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, act_id: UUID
    ) -> Template:
        return await _act_page(request, session, actor, act_id)

    @post("/{act_id:uuid}/{event:str}", opt=PARTNERS)
    async def answer(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        act_id: UUID,
        event: Literal["accept", "dispute"],
    ) -> Response[Any]:
        form = await read_form(request)
        await service.show(session, act_id)
        try:
            disputes = event == "dispute"
            reason = form.words("reason", REASON_CHARS_MAX) if disputes else None
            async with session.begin_nested():
                await service.move_act(session, actor, act_id, event, reason, clock.now())
        except NotFound:
            raise
        except Problem as problem:
            return await _act_page(request, session, actor, act_id, form, problem)
        return go(f"/acts/{act_id}")


def _period(form: Form) -> NewActRun:
    """Raises Invalid."""
    try:
        return msgspec.convert({"period": form.one("period")}, NewActRun)
    except msgspec.ValidationError:
        raise Invalid.field("period", "malformed", "Choose a month.") from None


async def _overview(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    *,
    cursor: str | None = None,
    form: Form | None = None,
    problem: Problem | None = None,
) -> Template:
    values: dict[str, Any] = {
        "viewer": await viewer_of(session, actor),
        "status": problem.status if problem else 200,
        "area": AREA,
        "errors": field_errors(problem) if problem else {},
        "problem": None if problem is None or problem.errors else told(problem),
    }
    if actor.operator and actor.has_role(*CHECKER):
        return page(
            request,
            "acts/runs.html",
            runs=await service.list_runs(session, ROWS, cursor, None),
            makes=actor.has_role(*MAKER),
            form={"period": f"{clock.now():%Y-%m}"} | (form.typed() if form else {}),
            **values,
        )
    billing = None
    if actor.has_role(*KEEPER) and not actor.operator:
        try:
            billing = await service.get_billing(session, actor)
        except NotFound:
            billing = BillingBody(self_billing=False)
    fmt = language_of(request)
    return page(
        request,
        "acts/own.html",
        acts=await service.list_acts(session, actor, None, ROWS, cursor, None),
        billing=billing,
        languages=[(code, fmt.language_name(code)) for code in WORDS],
        **values,
    )


async def _act_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    act_id: UUID,
    form: Form | None = None,
    problem: Problem | None = None,
) -> Template:
    act = await service.show(session, act_id)
    answers = act.partner_id == actor.organisation_id and actor.has_role("admin", "partner_manager")
    return page(
        request,
        "acts/act.html",
        viewer=await viewer_of(session, actor),
        status=problem.status if problem else 200,
        area=AREA,
        act=act,
        answers=answers,
        form=form.typed() if form else {},
        errors=field_errors(problem) if problem else {},
        problem=None if problem is None or problem.errors else told(problem),
    )
