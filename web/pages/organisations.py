"""The profile of an organisation: its people read it, its administrators and the operator change or
close it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import OrganisationChange, OrganisationView
from marketplace.accounts.service import organisations
from marketplace.kernel.access import allow
from marketplace.kernel.actor import CAPABILITIES, Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Conflict, Problem
from marketplace.kernel.settings import Settings
from web.pages import edits
from web.pages.cookies import logout_cookies
from web.pages.forms import Form, read_form
from web.pages.render import (
    AnyRequest,
    Viewer,
    field_errors,
    go,
    language_of,
    page,
    told,
    viewer_of,
)

FOR_MEMBERS = allow(scope=None, waiting=True)
RETIRED = "/login?done=retired"


class OrganisationPages(Controller):
    path = "/organisations/{organisation_id:uuid}"

    @get("/", opt=FOR_MEMBERS)
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        organisation_id: UUID,
        saved: bool = False,
    ) -> Template:
        """Raises NotFound."""
        found = await organisations.read(session, actor, organisation_id)
        who = await viewer_of(session, actor)
        editing = edits.opened(found, _content(found))
        return _page(request, actor, who, found, editing, saved=saved)

    @post("/", opt=FOR_MEMBERS)
    async def change(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        organisation_id: UUID,
    ) -> Response[Any]:
        """Raises NotFound."""
        form = await read_form(request)
        await edits.take_turn_at(session, f"/api/v1/organisations/{organisation_id}")
        found = await organisations.read(session, actor, organisation_id)
        if not _may_rename(actor, found):
            actor.require_role("admin")
        who, typed = await viewer_of(session, actor), _typed(form, found, actor)
        try:
            edits.require_current(form, found)
            change = _change(typed, _content(found))
            await organisations.change(session, clock, actor, organisation_id, change)
        except Problem as problem:
            editing = edits.returned(found, _content(found), form, typed)
            return _page(request, actor, who, found, editing, problem=problem)
        return go(f"/organisations/{organisation_id}?saved=true")

    @post("/retire", opt=allow(scope=None, waiting=True, verified=True))
    async def retire(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        settings: Settings,
        organisation_id: UUID,
    ) -> Response[Any]:
        """The own people are logged out by it. Raises NotFound."""
        form = await read_form(request)
        found = await organisations.read(session, actor, organisation_id)
        who, reason = await viewer_of(session, actor), form.one("reason")
        try:
            await organisations.change_state(
                session, clock, revocations, actor, organisation_id, "retire", reason
            )
        except Problem as problem:
            editing = edits.opened(found, _content(found))
            return _page(request, actor, who, found, editing, problem=problem, reason=reason)
        if organisation_id == actor.organisation_id:
            return go(RETIRED, cookies=logout_cookies(settings))
        return go(f"/organisations/{organisation_id}")


def _content(view: OrganisationView) -> dict[str, str]:
    return {
        "name": view.name,
        "country": view.country,
        "tax_id": view.tax_id,
        "capabilities": ",".join(view.capabilities),
    }


def _typed(form: Form, present: OrganisationView, actor: Actor) -> dict[str, str]:
    """Without the operator's form only the name is typed."""
    content = _content(present)
    if not _corrects(actor, present):
        return content | {"name": form.one("name")}
    return {
        "name": form.one("name"),
        "country": form.one("country").upper(),
        "tax_id": form.one("tax_id"),
        "capabilities": ",".join(sorted(set(form.many("capabilities")))),
    }


def _may_rename(actor: Actor, view: OrganisationView) -> bool:
    own = view.id == actor.organisation_id
    return _corrects(actor, view) or (own and actor.has_role("admin"))


def _corrects(actor: Actor, view: OrganisationView) -> bool:
    """Whether the actor may change more than a name; the operator's own one has nothing more."""
    may = actor.operator and actor.has_role("admin", "channel_manager")
    return may and view.id != actor.organisation_id


def _change(typed: dict[str, str], present: dict[str, str]) -> OrganisationChange:
    """What differs; an administrator who sent more than the name would be refused."""
    new = {name: text for name, text in typed.items() if text != present[name]}
    capabilities = new.get("capabilities")
    return OrganisationChange(
        name=new.get("name", UNSET),
        country=new.get("country", UNSET),
        tax_id=new.get("tax_id", UNSET),
        capabilities=UNSET if capabilities is None else list(filter(None, capabilities.split(","))),
    )


def _page(
    request: AnyRequest,
    actor: Actor,
    who: Viewer,
    found: OrganisationView,
    editing: edits.Editing,
    *,
    problem: Problem | None = None,
    reason: str = "",
    saved: bool = False,
) -> Template:
    errors = _errors(problem)
    own = found.id == actor.organisation_id
    _ = language_of(request).gettext
    return page(
        request,
        "organisation.html",
        viewer=who,
        status=problem.status if problem else 200,
        area="suppliers" if actor.operator and not own else "",
        organisation=found,
        own=own,
        may_rename=_may_rename(actor, found),
        may_correct=_corrects(actor, found),
        may_retire=_may_retire(actor, found),
        capabilities=_capabilities(_),
        saved=saved and problem is None,
        reason=reason,
        errors=errors,
        problem=None if errors or editing.stale else told(problem),
        **edits.context(editing),
    )


def _errors(problem: Problem | None) -> dict[str, str]:
    if isinstance(problem, Conflict) and problem.code == "organisation_exists":
        return {"tax_id": problem.detail}
    found = field_errors(problem) if problem else {}
    return {name.partition("[")[0]: message for name, message in found.items()}


def _may_retire(actor: Actor, found: OrganisationView) -> bool:
    own = found.id == actor.organisation_id
    may = actor.has_role("admin") if own else actor.operator
    return may and not (own and actor.operator) and found.state != "retired"


def _capabilities(_: Any) -> list[tuple[str, str, str]]:
    """Name, title and what it allows."""
    known = {
        "buys": (_("Buys"), _("Publishes tenders and orders.")),
        "supplies": (_("Supplies"), _("Bids, delivers and keeps price lists.")),
        "resells": (_("Resells"), _("Sells on what others supply.")),
        "refers": (_("Refers"), _("Brings in customers.")),
    }
    return [(name, *known[name]) for name in known if name in CAPABILITIES]
