"""An agreement with a partner: made on a page, then moved through its life."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.accounts.schemas import OrganisationView
from marketplace.accounts.service import organisations
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import FieldError, Invalid, NotFound
from marketplace.kernel.facts import Facts
from marketplace.kernel.money import Amount
from suppliers.programme.measures import Measures
from suppliers.programme.schemas.agreements import CpaBody, NewAgreement, PayoutBody
from suppliers.programme.schemas.programmes import ProgrammeView, VersionView
from suppliers.programme.service import agreements, programmes
from suppliers.programme.service.agreements import Desk
from web.pages.forms import Form
from web.pages.programme import agreement_page
from web.pages.render import go
from web.pages.visit import UNTRIED, Attempt, Visit

CHANNEL = allow("admin", "channel_manager", scope=None, operator=True)
AREA = "programme"
PARTNERS_MAX = 200
"""In the list to choose from; the page of any other organisation leads here too."""
WORD_CHARS_MAX = 100
HOLD_DAYS_MAX = 365
ACTIONS = ("received", "completed", "contract")
NAMES = {
    "partner_id": "partner",
    "from": "begins",
    "to": "ends",
    "payout.asset": "currency",
    "payout.minimum": "minimum",
    "payout.hold_days": "hold_days",
    "cpa.amount": "cpa_amount",
    "cpa.amount.amount": "cpa_amount",
    "cpa.amount.currency": "currency",
}
"""Where the form shows an error of the API's path."""


class AgreementPages(Controller):
    path = "/programme"

    @get("/new", opt=CHANNEL)
    async def show_form(
        self, visit: Visit, programme: UUID | None = None, partner: UUID | None = None
    ) -> Template:
        return await _form_page(visit, programme, partner)

    @post("/new", opt=CHANNEL)
    async def create(self, visit: Visit) -> Response[Any]:
        form = await visit.form()
        programme_id = _id(form.one("programme"))
        async with visit.trying(form, names=NAMES) as attempt:
            new = _read(form, programme_id)
            made = await agreements.create(visit.session, visit.actor, new, visit.now)
            return go(f"/programme/{made.id}")
        return await _form_page(visit, programme_id, _id(form.one("partner")), attempt)

    @post("/{agreement_id:uuid}/move", opt=CHANNEL)
    async def move(
        self, visit: Visit, facts: Facts, measures: Measures, agreement_id: UUID
    ) -> Response[Any]:
        """To the newest published version of its programme."""
        session, actor, now = visit.session, visit.actor, visit.now
        agreement = await agreements.show(session, actor, agreement_id, now)
        version = _published(await programmes.show(session, agreement.programme.id))
        assert version is not None, "an agreement was made from a published version"
        desk = Desk(facts=facts, measures=measures)
        async with visit.trying() as attempt:
            await agreements.move_version(session, desk, actor, agreement_id, version.version, now)
            return go(f"/programme/{agreement_id}")
        return await agreement_page(visit, measures, agreement_id, attempt)

    @post("/{agreement_id:uuid}/life/{event:str}", opt=CHANNEL)
    async def act(
        self,
        visit: Visit,
        facts: Facts,
        measures: Measures,
        agreement_id: UUID,
        event: Literal["activate", "suspend", "resume", "end"],
    ) -> Response[Any]:
        desk = Desk(facts=facts, measures=measures)
        async with visit.trying() as attempt:
            await agreements.act(visit.session, desk, visit.actor, agreement_id, event, visit.now)
            return go(f"/programme/{agreement_id}")
        return await agreement_page(visit, measures, agreement_id, attempt)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _read(form: Form, programme_id: UUID | None) -> NewAgreement:
    """Raises Invalid with the form's own field names."""
    errors: list[FieldError] = []
    partner_id = _id(form.one("partner"))
    if partner_id is None:
        errors.append(FieldError("partner", "required", "Choose a partner."))
    if programme_id is None:
        errors.append(FieldError("programme", "required", "Choose a programme."))
    begins, ends = _day(form, "begins", errors), _day(form, "ends", errors)
    if begins is None and not form.one("begins"):
        errors.append(FieldError("begins", "required", "Choose a day."))
    minimum = _decimal(form, "minimum", errors) or "0"
    for name in ("region", "segment"):
        if len(form.one(name)) > WORD_CHARS_MAX:
            errors.append(FieldError(name, "too_long", f"At most {WORD_CHARS_MAX} characters."))
    hold_days, cpa = _hold_days(form, errors), _cpa(form, errors)
    if errors or partner_id is None or programme_id is None or begins is None:
        raise Invalid("invalid", "Some fields need another look.", errors=errors)
    return NewAgreement(
        partner_id=partner_id,
        programme_id=programme_id,
        partner_type=form.one("partner_type"),
        tier=form.one("tier") or None,
        region=form.one("region") or None,
        segment=form.one("segment") or None,
        begins=begins,
        ends=ends,
        cpa=cpa,
        payout=PayoutBody(asset=form.one("currency").upper(), minimum=minimum, hold_days=hold_days),
    )


def _day(form: Form, name: str, errors: list[FieldError]) -> datetime | None:
    """The beginning of the typed day, in UTC."""
    try:
        day: date | None = form.day(name)
    except Invalid as problem:
        errors += problem.errors
        return None
    return None if day is None else datetime.combine(day, time(), UTC)


def _decimal(form: Form, name: str, errors: list[FieldError]) -> str:
    try:
        return form.decimal(name)
    except Invalid as problem:
        errors += problem.errors
        return ""


def _hold_days(form: Form, errors: list[FieldError]) -> int:
    text = form.one("hold_days") or "0"
    if text.isascii() and text.isdigit() and len(text) < 5 and int(text) <= HOLD_DAYS_MAX:
        return int(text)
    message = f"A whole number of days from 0 to {HOLD_DAYS_MAX}."
    errors.append(FieldError("hold_days", "out_of_range", message))
    return 0


def _cpa(form: Form, errors: list[FieldError]) -> CpaBody | None:
    action = form.one("cpa_action")
    if action not in ACTIONS:
        return None
    amount = _decimal(form, "cpa_amount", errors)
    if not amount:
        errors.append(FieldError("cpa_amount", "required", "Say what one is paid."))
    return CpaBody(action=action, amount=Amount(amount, form.one("currency").upper()))  # type: ignore[arg-type]


def _published(programme: ProgrammeView) -> VersionView | None:
    """The newest version that agreements may take."""
    return next((each for each in programme.versions if each.published_at is not None), None)


async def _form_page(
    visit: Visit, programme_id: UUID | None, partner_id: UUID | None, attempt: Attempt = UNTRIED
) -> Template:
    session = visit.session
    offered = [each for each in (await programmes.listing(session)).items if _published(each)]
    chosen = next((each for each in offered if each.id == programme_id), next(iter(offered), None))
    version = _published(chosen) if chosen else None
    start = {
        "partner": str(partner_id or ""),
        "begins": visit.now.date().isoformat(),
        "currency": chosen.currency if chosen else "",
        "minimum": "50",
        "hold_days": "30",
        "cpa_action": "none",
    }
    return await visit.page(
        "programme/new.html",
        attempt,
        area=AREA,
        programmes=offered,
        chosen=chosen,
        version=version,
        types=_types(version),
        partners=await _partners(session, visit.actor, partner_id),
        form=start | attempt.typed,
    )


def _types(version: VersionView | None) -> list[str]:
    return list(dict.fromkeys(tier.partner_type for tier in version.tiers)) if version else []


async def _partners(
    session: AsyncSession, actor: Actor, chosen_id: UUID | None
) -> Sequence[OrganisationView]:
    """Active organisations, and the one that was asked for among them."""
    every = accounts.ORGANISATIONS.page(PARTNERS_MAX)
    listed = await organisations.browse(session, actor, state="active", page=every)
    found = [each for each in listed.items if each.id != actor.organisation_id]
    if chosen_id is not None and all(each.id != chosen_id for each in found):
        with contextlib.suppress(NotFound):
            found.insert(0, await organisations.read(session, actor, chosen_id))
    return sorted(found, key=lambda each: each.name.casefold())
