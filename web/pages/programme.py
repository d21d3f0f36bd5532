"""The partner programme: the partner's one page, the channel manager's desk, plans and reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import NotFound, Problem
from marketplace.kernel.facts import Facts
from suppliers.programme import queries
from suppliers.programme.measures import Measures
from suppliers.programme.monitor_queries import Filters
from suppliers.programme.schemas import AgreementView, Approval
from suppliers.programme.service import agreements, mine, monitoring, plans
from suppliers.programme.service.agreements import Desk
from web.pages.forms import read_form
from web.pages.render import AnyRequest, go, page, viewer_of

READERS = allow("admin", "channel_manager", "partner_manager", "observer", scope=None)
CHANNEL = allow("admin", "channel_manager", scope=None, operator=True)
REPORTERS = allow("admin", "channel_manager", "observer", scope=None, operator=True)
SIDES = allow("admin", "channel_manager", "partner_manager", scope=None)
AREA = "programme"
SHOWN_MAX = 200
REPORTED = timedelta(days=365)


class ProgrammePages(Controller):
    path = "/programme"

    @get("/", opt=READERS)
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
    ) -> Template:
        """The own agreement; the operator's desk with what waits for a decision on top."""
        now = clock.now()
        if actor.operator:
            found = await agreements.listing(
                session,
                actor,
                now,
                state=None,
                partner_id=None,
                page=queries.AGREEMENTS.page(SHOWN_MAX),
            )
            return page(
                request,
                "programme/desk.html",
                viewer=await viewer_of(session, actor),
                area=AREA,
                waiting=[one for one in found.items if _waits(one)],
                agreements=found.items,
                makes=actor.has_role("admin", "channel_manager"),
            )
        try:
            shown = await mine.show(session, measures, actor, now)
        except NotFound:
            return page(
                request,
                "programme/none.html",
                viewer=await viewer_of(session, actor),
                area=AREA,
            )
        return await _one_page(request, session, actor, measures, shown)

    @get("/reports/{report:str}", opt=REPORTERS)
    async def show_report(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        report: Literal["sales", "service", "wanted"],
        region: str = "",
    ) -> Template:
        """The last 365 days, by the function that makes the CSV too."""
        until = clock.now()
        filters = Filters(
            region=region or None,
            segment=None,
            under=None,
            begins=until - REPORTED,
            ends=until,
        )
        return page(
            request,
            "programme/report.html",
            viewer=await viewer_of(session, actor),
            area=AREA,
            report=report,
            region=region,
            table=await monitoring.report(session, report, filters),
        )

    @get("/plans/{plan_id:uuid}", opt=READERS)
    async def show_plan(
        self,
        request: AnyRequest,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        plan_id: UUID,
    ) -> Template:
        plan = await plans.show(session, measures, actor, plan_id, clock.now())
        return page(
            request,
            "programme/plan.html",
            viewer=await viewer_of(session, actor),
            area=AREA,
            plan=plan,
            own=plan.proposed_by == actor.organisation_id,
            titles=_titles(measures),
        )

    @post("/plans/{plan_id:uuid}/{event:str}", opt=SIDES)
    async def answer_plan(
        self,
        request: AnyRequest,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        plan_id: UUID,
        event: Literal["propose", "agree", "decline"],
    ) -> Redirect:
        form = await read_form(request)
        reason = form.one("reason") or None
        await plans.act(session, measures, actor, plan_id, event, reason, clock.now())
        return go(f"/programme/plans/{plan_id}")

    @get("/{agreement_id:uuid}", opt=READERS)
    async def show_agreement(
        self,
        request: AnyRequest,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        agreement_id: UUID,
    ) -> Template:
        """The same page for the partner and for the channel manager, who can decide on it."""
        return await agreement_page(request, session, actor, measures, clock, agreement_id)

    @post("/{agreement_id:uuid}/tier", opt=CHANNEL)
    async def approve(
        self,
        request: AnyRequest,
        session: AsyncSession,
        facts: Facts,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        agreement_id: UUID,
    ) -> Response[Any]:
        form = await read_form(request)
        wanted = Approval(tier=form.one("tier") or None)
        desk = Desk(facts=facts, measures=measures)
        try:
            await agreements.approve(session, desk, actor, agreement_id, wanted, clock.now())
        except NotFound:
            raise
        except Problem as problem:
            return await agreement_page(
                request, session, actor, measures, clock, agreement_id, problem
            )
        return go(f"/programme/{agreement_id}")


def _waits(agreement: AgreementView) -> bool:
    """Its figures reach another tier than the approved one."""
    found = agreement.eligible
    return agreement.state == "active" and found is not None and found != agreement.tier


async def agreement_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    measures: Measures,
    clock: Clock,
    agreement_id: UUID,
    problem: Problem | None = None,
) -> Template:
    agreement = await queries.agreement(session, agreement_id)
    if agreement is None:
        raise NotFound("agreement")
    shown = await mine.of_agreement(session, measures, actor, agreement, clock.now())
    newest = None
    if actor.operator:
        newest = await queries.newest_published(session, agreement.programme_id)
    return await _one_page(request, session, actor, measures, shown, problem=problem, newest=newest)


async def _one_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    measures: Measures,
    shown: Any,
    *,
    problem: Problem | None = None,
    newest: int | None = None,
) -> Template:
    return page(
        request,
        "programme/agreement.html",
        viewer=await viewer_of(session, actor),
        status=problem.status if problem else 200,
        area=AREA,
        mine=shown,
        titles=_titles(measures),
        decides=actor.operator and "set_tier" in shown.agreement.actions,
        newest=newest,
        problem=problem,
    )


def _titles(measures: Measures) -> dict[str, str]:
    return {measure.code: measure.title for measure in measures}
