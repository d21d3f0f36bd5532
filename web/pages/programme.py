"""The partner programme: the partner's one page, the channel manager's desk, plans and reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template

from marketplace.kernel.access import allow
from marketplace.kernel.errors import NotFound
from marketplace.kernel.facts import Facts
from suppliers.programme import queries
from suppliers.programme.measures import Measures
from suppliers.programme.monitor_queries import Filters
from suppliers.programme.schemas.agreements import AgreementView, Approval
from suppliers.programme.schemas.reports import MineView
from suppliers.programme.service import agreements, mine, monitoring, plans
from suppliers.programme.service.agreements import Desk
from web.pages.render import go
from web.pages.visit import UNTRIED, Attempt, Visit

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
    async def show(self, visit: Visit, measures: Measures) -> Template:
        """The own agreement; the operator's desk with what waits for a decision on top."""
        session, actor = visit.session, visit.actor
        if actor.operator:
            return await _desk(visit)
        try:
            shown = await mine.show(session, measures, actor, visit.now)
        except NotFound:
            return await visit.page("programme/none.html", area=AREA)
        return await _one_page(visit, measures, shown)

    @get("/reports/{report:str}", opt=REPORTERS)
    async def show_report(
        self, visit: Visit, report: Literal["sales", "service", "wanted"], region: str = ""
    ) -> Template:
        """The last 365 days, by the function that makes the CSV too."""
        filters = Filters(
            region=region or None,
            segment=None,
            under=None,
            begins=visit.now - REPORTED,
            ends=visit.now,
        )
        return await visit.page(
            "programme/report.html",
            area=AREA,
            report=report,
            region=region,
            table=await monitoring.report(visit.session, report, filters),
        )

    @get("/plans/{plan_id:uuid}", opt=READERS)
    async def show_plan(self, visit: Visit, measures: Measures, plan_id: UUID) -> Template:
        plan = await plans.show(visit.session, measures, visit.actor, plan_id, visit.now)
        return await visit.page(
            "programme/plan.html",
            area=AREA,
            plan=plan,
            own=plan.proposed_by == visit.actor.organisation_id,
            titles=_titles(measures),
        )

    @post("/plans/{plan_id:uuid}/{event:str}", opt=SIDES)
    async def answer_plan(
        self,
        visit: Visit,
        measures: Measures,
        plan_id: UUID,
        event: Literal["propose", "agree", "decline"],
    ) -> Redirect:
        form = await visit.form()
        reason = form.one("reason") or None
        await plans.act(visit.session, measures, visit.actor, plan_id, event, reason, visit.now)
        return go(f"/programme/plans/{plan_id}")

    @get("/{agreement_id:uuid}", opt=READERS)
    async def show_agreement(
        self, visit: Visit, measures: Measures, agreement_id: UUID
    ) -> Template:
        """The same page for the partner and for the channel manager, who can decide on it."""
        return await agreement_page(visit, measures, agreement_id)

    @post("/{agreement_id:uuid}/tier", opt=CHANNEL)
    async def approve(
        self, visit: Visit, facts: Facts, measures: Measures, agreement_id: UUID
    ) -> Response[Any]:
        form = await visit.form()
        wanted = Approval(tier=form.one("tier") or None)
        desk = Desk(facts=facts, measures=measures)
        async with visit.trying() as attempt:
            await agreements.approve(
                visit.session, desk, visit.actor, agreement_id, wanted, visit.now
            )
            return go(f"/programme/{agreement_id}")
        return await agreement_page(visit, measures, agreement_id, attempt)


async def _desk(visit: Visit) -> Template:
    found = await agreements.listing(
        visit.session,
        visit.actor,
        visit.now,
        state=None,
        partner_id=None,
        page=queries.AGREEMENTS.page(SHOWN_MAX),
    )
    return await visit.page(
        "programme/desk.html",
        area=AREA,
        waiting=[one for one in found.items if _waits(one)],
        agreements=found.items,
        makes=visit.actor.has_role("admin", "channel_manager"),
    )


def _waits(agreement: AgreementView) -> bool:
    """Its figures reach another tier than the approved one."""
    found = agreement.eligible
    return agreement.state == "active" and found is not None and found != agreement.tier


async def agreement_page(
    visit: Visit, measures: Measures, agreement_id: UUID, attempt: Attempt = UNTRIED
) -> Template:
    session, actor = visit.session, visit.actor
    agreement = await queries.agreement(session, agreement_id)
    if agreement is None:
        raise NotFound("agreement")
    shown = await mine.of_agreement(session, measures, actor, agreement, visit.now)
    newest = None
    if actor.operator:
        newest = await queries.newest_published(session, agreement.programme_id)
    return await _one_page(visit, measures, shown, attempt, newest)


async def _one_page(
    visit: Visit,
    measures: Measures,
    shown: MineView,
    attempt: Attempt = UNTRIED,
    newest: int | None = None,
) -> Template:
    return await visit.page(
        "programme/agreement.html",
        attempt,
        area=AREA,
        mine=shown,
        titles=_titles(measures),
        decides=visit.actor.operator and "set_tier" in shown.agreement.actions,
        newest=newest,
    )


def _titles(measures: Measures) -> dict[str, str]:
    return {measure.code: measure.title for measure in measures}
