"""Acts for people: the partner's own with accept and dispute, the operator's months."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template

from marketplace.kernel.access import allow
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.ledger.acts import queries, service
from marketplace.ledger.acts.schemas import BillingBody, NewActRun
from marketplace.ledger.acts.words import WORDS
from marketplace.ledger.payouts.api import CHECKER, KEEPER, MAKER, READER
from web.pages.forms import Form
from web.pages.render import go
from web.pages.visit import UNTRIED, Attempt, Visit

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
    async def show(self, visit: Visit, cursor: str | None = None) -> Template:
        """A partner's own acts; the operator's months."""
        return await _overview(visit, cursor=cursor)

    @post("/runs", opt=MAKERS)
    async def make_run(self, visit: Visit) -> Response[Any]:
        form = await visit.form()
        async with visit.trying(form) as attempt:
            asked = _period(form)
            run = await service.request_run(visit.session, visit.actor, asked.period, visit.now)
            return go(f"/acts/runs/{run.id}")
        return await _overview(visit, attempt)

    @post("/billing", opt=KEEPERS)
    async def save_billing(self, visit: Visit) -> Response[Any]:
        form = await visit.form()
        language = form.one("language")
        body = BillingBody(
            self_billing=bool(form.one("self_billing")),
            language=language if language in WORDS else "en",  # type: ignore[arg-type]
        )
        await service.set_billing(visit.session, visit.actor, body)
        return go("/acts")

    @get("/runs/{act_run_id:uuid}", opt=CHECKERS)
    async def show_run(self, visit: Visit, act_run_id: UUID, cursor: str | None = None) -> Template:
        session, actor = visit.session, visit.actor
        return await visit.page(
            "acts/run.html",
            area=AREA,
            run=await service.show_run(session, act_run_id),
            acts=await service.list_acts(
                session, actor, act_run_id, queries.ACTS.page(ROWS, cursor, "number")
            ),
        )

    @get("/{act_id:uuid}", opt=READERS)
    async def show_act(self, visit: Visit, act_id: UUID) -> Template:
        return await _act_page(visit, act_id)

    @post("/{act_id:uuid}/{event:str}", opt=PARTNERS)
    async def answer(
        self, visit: Visit, act_id: UUID, event: Literal["accept", "dispute"]
    ) -> Response[Any]:
        form = await visit.form()
        await service.show(visit.session, act_id)
        async with visit.trying(form) as attempt:
            reason = form.words("reason", REASON_CHARS_MAX) if event == "dispute" else None
            await service.move_act(visit.session, visit.actor, act_id, event, reason, visit.now)
            return go(f"/acts/{act_id}")
        return await _act_page(visit, act_id, attempt)


def _period(form: Form) -> NewActRun:
    """Raises Invalid."""
    try:
        return msgspec.convert({"period": form.one("period")}, NewActRun)
    except msgspec.ValidationError:
        raise Invalid.field("period", "malformed", "Choose a month.") from None


async def _overview(
    visit: Visit, attempt: Attempt = UNTRIED, *, cursor: str | None = None
) -> Template:
    session, actor = visit.session, visit.actor
    if actor.operator and actor.has_role(*CHECKER):
        return await visit.page(
            "acts/runs.html",
            attempt,
            area=AREA,
            runs=await service.list_runs(session, queries.RUNS.page(ROWS, cursor)),
            makes=actor.has_role(*MAKER),
            form={"period": f"{visit.now:%Y-%m}"} | attempt.typed,
        )
    billing = None
    if actor.has_role(*KEEPER) and not actor.operator:
        try:
            billing = await service.get_billing(session, actor)
        except NotFound:
            billing = BillingBody(self_billing=False)
    return await visit.page(
        "acts/own.html",
        attempt,
        area=AREA,
        acts=await service.list_acts(session, actor, None, queries.ACTS.page(ROWS, cursor)),
        billing=billing,
        languages=[(code, visit.fmt.language_name(code)) for code in WORDS],
    )


async def _act_page(visit: Visit, act_id: UUID, attempt: Attempt = UNTRIED) -> Template:
    actor = visit.actor
    act = await service.show(visit.session, act_id)
    answers = act.partner_id == actor.organisation_id and actor.has_role("admin", "partner_manager")
    return await visit.page("acts/act.html", attempt, area=AREA, act=act, answers=answers)
