"""The profile of an organisation: its people read it, its administrators and the operator change or
close it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from msgspec import UNSET

from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import OrganisationChange, OrganisationView
from marketplace.accounts.service import organisations
from marketplace.kernel.access import allow
from marketplace.kernel.actor import CAPABILITIES, Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.settings import Settings
from web.pages import edits
from web.pages.cookies import logout_cookies
from web.pages.forms import Form
from web.pages.render import (
    go,
)
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
RETIRED = "/login?done=retired"
TAKEN = {"organisation_exists": "tax_id"}
# The check boxes are one field of the form, and many of the API.
NAMES = {f"capabilities[{n}]": "capabilities" for n in range(len(CAPABILITIES))} | {
    "capabilities": "capabilities"
}


class OrganisationPages(Controller):
    path = "/organisations/{organisation_id:uuid}"

    @get("/", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, organisation_id: UUID, saved: bool = False) -> Template:
        """Raises NotFound."""
        found = await organisations.read(visit.session, visit.actor, organisation_id)
        editing = edits.opened(found, _content(found))
        return await _page(visit, found, editing, saved=saved)

    @post("/", opt=FOR_MEMBERS)
    async def change(self, visit: Visit, clock: Clock, organisation_id: UUID) -> Response[Any]:
        """Raises NotFound."""
        form = await visit.form()
        await edits.take_turn_at(visit.session, f"/api/v1/organisations/{organisation_id}")
        found = await organisations.read(visit.session, visit.actor, organisation_id)
        if not _may_rename(visit.actor, found):
            visit.actor.require_role("admin")
        typed = _typed(form, found, visit.actor)
        async with visit.trying(form, names=NAMES, codes=TAKEN) as attempt:
            edits.require_current(form, found)
            change = _change(typed, _content(found))
            await organisations.change(visit.session, clock, visit.actor, organisation_id, change)
            return go(f"/organisations/{organisation_id}?saved=true")
        editing = edits.returned(found, _content(found), form, typed)
        return await _page(visit, found, editing, attempt)

    @post("/retire", opt=allow(scope=None, waiting=True, verified=True))
    async def retire(
        self,
        visit: Visit,
        clock: Clock,
        revocations: Revocations,
        settings: Settings,
        organisation_id: UUID,
    ) -> Response[Any]:
        """The own people are logged out by it. Raises NotFound."""
        form = await visit.form()
        found = await organisations.read(visit.session, visit.actor, organisation_id)
        reason = form.one("reason")
        async with visit.trying(form) as attempt:
            await organisations.change_state(
                visit.session, clock, revocations, visit.actor, organisation_id, "retire", reason
            )
            if organisation_id == visit.actor.organisation_id:
                return go(RETIRED, cookies=logout_cookies(settings))
            return go(f"/organisations/{organisation_id}")
        editing = edits.opened(found, _content(found))
        return await _page(visit, found, editing, attempt, reason=reason)


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


async def _page(
    visit: Visit,
    found: OrganisationView,
    editing: edits.Editing,
    attempt: Attempt = UNTRIED,
    *,
    reason: str = "",
    saved: bool = False,
) -> Template:
    actor = visit.actor
    own = found.id == actor.organisation_id
    return await visit.page(
        "organisation.html",
        attempt,
        area="suppliers" if actor.operator and not own else "",
        organisation=found,
        own=own,
        may_rename=_may_rename(actor, found),
        may_correct=_corrects(actor, found),
        may_retire=_may_retire(actor, found),
        capabilities=_capabilities(visit.fmt.gettext),
        saved=saved,
        reason=reason,
        problem=None if editing.stale else attempt.box,
        **edits.context(editing),
    )


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
