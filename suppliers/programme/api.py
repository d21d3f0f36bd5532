"""The partner programme over HTTP. What belongs to another partner is missing for everybody else;
what only the operator may do is refused before anything is looked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow, sends
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.facts import Facts
from marketplace.kernel.pages import Page, sorted_by
from suppliers.programme import queries
from suppliers.programme.measures import Measures
from suppliers.programme.monitor_queries import Filters
from suppliers.programme.schemas.agreements import (
    AgreementPage,
    AgreementView,
    Approval,
    NewAgreement,
)
from suppliers.programme.schemas.certificates import (
    CertificatePage,
    CertificateView,
    NewCertificate,
)
from suppliers.programme.schemas.plans import NewPlan, PlanPage, PlanView
from suppliers.programme.schemas.programmes import (
    MeasurePage,
    MeasureView,
    NewProgramme,
    NewVersion,
    ProgrammePage,
    ProgrammeView,
    VersionView,
)
from suppliers.programme.schemas.reports import MineView, SubtreeView
from suppliers.programme.schemas.standing import SnapshotPage, StandingView
from suppliers.programme.schemas.words import Move, WithReason
from suppliers.programme.service import (
    agreements,
    certificates,
    mine,
    monitoring,
    plans,
    programmes,
    standing,
    subtrees,
)
from suppliers.programme.service.agreements import Desk

READ, WRITE = "partners:read", "partners:write"
READERS = allow("admin", "channel_manager", "partner_manager", "observer", scope=READ)
CHANNEL = allow("admin", "channel_manager", scope=WRITE, operator=True)
REPORTED = timedelta(days=365)
SIDES = allow("admin", "channel_manager", "partner_manager", scope=WRITE)


class MeasureController(Controller):
    path = "/api/v1/measures"
    tags = ("partners",)

    @get("/", opt=allow(scope=READ))
    async def list_measures(self, measures: Measures) -> MeasurePage:
        """Everything that tiers, plans and reports can measure."""
        return MeasurePage(
            [
                MeasureView(code=one.code, unit=one.unit, title=one.title, feeds=one.feeds)
                for one in measures
            ]
        )


class ProgrammeController(Controller):
    path = "/api/v1/programmes"
    tags = ("partners",)

    @get("/", opt=READERS)
    async def list_programmes(self, session: AsyncSession) -> ProgrammePage:
        """All of them for the operator; those of the own agreements for a partner."""
        return await programmes.listing(session)

    @post("/", opt=CHANNEL)
    async def create_programme(
        self,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        data: NewProgramme,
    ) -> ProgrammeView:
        """A programme with its version 1, a draft."""
        return await programmes.create(session, measures, actor, data, clock.now())

    @get("/{programme_id:uuid}", opt=READERS)
    async def get_programme(self, session: AsyncSession, programme_id: UUID) -> ProgrammeView:
        return await programmes.show(session, programme_id)

    @post("/{programme_id:uuid}/versions", opt=CHANNEL)
    async def create_version(
        self,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        programme_id: UUID,
        data: NewVersion,
    ) -> VersionView:
        """The next version, a draft. Running agreements keep theirs."""
        now = clock.now()
        return await programmes.add_version(session, measures, actor, programme_id, data, now)

    @post("/{programme_id:uuid}/versions/{version:int}/publish", status_code=200, opt=CHANNEL)
    async def publish_version(
        self, session: AsyncSession, clock: Clock, programme_id: UUID, version: int
    ) -> VersionView:
        """From now on it never changes, and agreements may take it."""
        return await programmes.publish(session, programme_id, version, clock.now())


class AgreementController(Controller):
    path = "/api/v1/agreements"
    tags = ("partners",)

    @get("/", opt=READERS | sorted_by(queries.AGREEMENTS))
    async def list_agreements(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        page: Page,
        agreement_state: Annotated[
            Literal["draft", "active", "suspended", "ended"] | None, QueryParameter(name="state")
        ] = None,
        partner_id: UUID | None = None,
    ) -> AgreementPage:
        """All of them for the operator, the own ones for a partner; newest first."""
        return await agreements.listing(
            session,
            actor,
            clock.now(),
            state=agreement_state,
            partner_id=partner_id,
            page=page,
        )

    @post("/", opt=CHANNEL)
    async def create_agreement(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        data: NewAgreement,
    ) -> AgreementView:
        """A draft; it pins a published version of the programme."""
        return await agreements.create(session, actor, data, clock.now())

    @get("/mine", opt=READERS)
    async def get_mine(
        self, session: AsyncSession, measures: Measures, actor: Actor, clock: Clock
    ) -> MineView:
        """The partner's one page: tier, targets to the next, reward, certificates, plan, totals."""
        return await mine.show(session, measures, actor, clock.now())

    @get("/{agreement_id:uuid}", opt=READERS)
    async def get_agreement(
        self, session: AsyncSession, actor: Actor, clock: Clock, agreement_id: UUID
    ) -> AgreementView:
        return await agreements.show(session, actor, agreement_id, clock.now())

    @post(
        "/{agreement_id:uuid}/{event:str}",
        status_code=200,
        opt=CHANNEL,
        summary="Activate, suspend, resume or end an agreement",
    )
    async def move_on(
        self,
        session: AsyncSession,
        facts: Facts,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        agreement_id: UUID,
        event: Literal["activate", "suspend", "resume", "end"],
    ) -> AgreementView:
        """A partner has one active agreement: another one is refused with `agreement_exists`. One
        that is suspended or ended grants nothing.
        """
        desk = Desk(facts=facts, measures=measures)
        return await agreements.act(session, desk, actor, agreement_id, event, clock.now())

    @post("/{agreement_id:uuid}/move", status_code=200, opt=CHANNEL)
    async def move_agreement(
        self,
        session: AsyncSession,
        facts: Facts,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        agreement_id: UUID,
        data: Move,
    ) -> AgreementView:
        """To another published version; the figures of this moment are snapshotted."""
        desk = Desk(facts=facts, measures=measures)
        return await agreements.move_version(
            session, desk, actor, agreement_id, data.version, clock.now()
        )

    @post("/{agreement_id:uuid}/tier", status_code=200, opt=CHANNEL)
    async def approve_tier(
        self,
        session: AsyncSession,
        facts: Facts,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        agreement_id: UUID,
        data: Approval,
    ) -> AgreementView:
        """Judged again at this moment: `not_eligible` where the figures do not reach the tier."""
        desk = Desk(facts=facts, measures=measures)
        return await agreements.approve(session, desk, actor, agreement_id, data, clock.now())

    @get("/{agreement_id:uuid}/standing", opt=READERS)
    async def get_standing(
        self,
        session: AsyncSession,
        measures: Measures,
        clock: Clock,
        agreement_id: UUID,
        at: datetime | None = None,
    ) -> StandingView:
        """Scores, what is eligible and what is missing, each value with the facts behind it."""
        return await standing.show(session, measures, agreement_id, at, clock.now())

    @get("/{agreement_id:uuid}/history", opt=READERS, summary="Read the history of an agreement")
    async def get_history(self, session: AsyncSession, agreement_id: UUID) -> SnapshotPage:
        """What was granted from when on, with the figures of each approval."""
        return await agreements.history(session, agreement_id)

    @get("/{agreement_id:uuid}/certificates", opt=READERS)
    async def list_certificates(
        self, session: AsyncSession, clock: Clock, agreement_id: UUID
    ) -> CertificatePage:
        return await certificates.listing(session, agreement_id, clock.now())

    @post("/{agreement_id:uuid}/certificates", opt=CHANNEL)
    async def record_certificate(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        agreement_id: UUID,
        data: NewCertificate,
    ) -> CertificateView:
        """A person of the partner passed a course."""
        return await certificates.record(session, actor, agreement_id, data, clock.now())


class CertificateController(Controller):
    path = "/api/v1/certificates"
    tags = ("partners",)

    @post("/{certificate_id:uuid}/revoke", status_code=200, opt=CHANNEL)
    async def revoke_certificate(
        self, session: AsyncSession, clock: Clock, certificate_id: UUID
    ) -> CertificateView:
        """It counts no longer."""
        return await certificates.revoke(session, certificate_id, clock.now())


class PlanController(Controller):
    """Whose role it takes depends on the side that the caller stands on, so it is asked after the
    plan was found.
    """

    path = "/api/v1/plans"
    tags = ("partners",)

    @get("/", opt=READERS | sorted_by(queries.PLANS))
    async def list_plans(
        self,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        page: Page,
        agreement_id: UUID | None = None,
    ) -> PlanPage:
        """Newest first; a draft is shown to the side that wrote it."""
        return await plans.listing(
            session,
            measures,
            actor,
            clock.now(),
            agreement_id=agreement_id,
            page=page,
        )

    @post("/", opt=SIDES)
    async def create_plan(
        self,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        data: NewPlan,
    ) -> PlanView:
        """A draft of the caller's side."""
        return await plans.create(session, measures, actor, data, clock.now())

    @get("/{plan_id:uuid}", opt=READERS)
    async def get_plan(
        self, session: AsyncSession, measures: Measures, actor: Actor, clock: Clock, plan_id: UUID
    ) -> PlanView:
        """Targets with what is there of them, and the payout now and at plan; both sides get the
        same bytes.
        """
        return await plans.show(session, measures, actor, plan_id, clock.now())

    @post("/{plan_id:uuid}/{event:str}", status_code=200, opt=SIDES)
    async def answer_plan(
        self,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        plan_id: UUID,
        event: Literal["propose", "agree"],
    ) -> PlanView:
        """Proposed by the side that wrote it, agreed by the other one; then it is frozen."""
        return await plans.act(session, measures, actor, plan_id, event, None, clock.now())

    @post("/{plan_id:uuid}/decline", status_code=200, opt=SIDES)
    async def decline_plan(
        self,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        plan_id: UUID,
        data: WithReason,
    ) -> PlanView:
        now = clock.now()
        return await plans.act(session, measures, actor, plan_id, "decline", data.reason, now)


class SubtreeController(Controller):
    path = "/api/v1/organisations"
    tags = ("partners",)

    @get("/{organisation_id:uuid}/subtree", opt=READERS)
    async def get_subtree(
        self,
        session: AsyncSession,
        measures: Measures,
        actor: Actor,
        clock: Clock,
        organisation_id: UUID,
        measure: str = "sales",
        currency: str = "EUR",
        begins: Annotated[datetime | None, QueryParameter(name="from")] = None,
        ends: Annotated[datetime | None, QueryParameter(name="to")] = None,
    ) -> SubtreeView:
        """A measure of an organisation and of everything under it, with totals."""
        return await subtrees.show(
            session,
            measures,
            actor,
            organisation_id,
            measure=measure,
            currency=currency,
            begins=begins,
            ends=ends or clock.now(),
        )


class MonitorController(Controller):
    path = "/api/v1/monitor"
    tags = ("partners",)

    @get(
        "/{report:str}",
        opt=allow("admin", "channel_manager", "observer", scope=READ, operator=True)
        | sends("application/json", "text/csv"),
    )
    async def get_report(
        self,
        session: AsyncSession,
        clock: Clock,
        report: Literal["sales", "service", "wanted"],
        region: str | None = None,
        segment: str | None = None,
        under: UUID | None = None,
        begins: Annotated[datetime | None, QueryParameter(name="from")] = None,
        ends: Annotated[datetime | None, QueryParameter(name="to")] = None,
        format: Literal["json", "csv"] = "json",
    ) -> Response[Any]:
        """What partners sold, how well, and which products were wanted most. Without a period: the
        last 365 days. `under` is an organisation with everything below it.
        """
        until = ends or clock.now()
        filters = Filters(
            region=region,
            segment=segment,
            under=under,
            begins=begins or until - REPORTED,
            ends=until,
        )
        shown = await monitoring.report(session, report, filters)
        if format == "json":
            return Response(shown, media_type="application/json")
        name = f'attachment; filename="{report}.csv"'
        return Response(
            monitoring.as_csv(shown).encode(),
            media_type="text/csv",
            headers={"Content-Disposition": name},
        )


CONTROLLERS = [
    MeasureController,
    ProgrammeController,
    AgreementController,
    CertificateController,
    PlanController,
    SubtreeController,
    MonitorController,
]
