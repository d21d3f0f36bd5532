"""The operator approves, suspends and reinstates organisations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Template

from marketplace.accounts.queries import ORGANISATIONS
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import OrganisationView
from marketplace.accounts.service import organisations
from marketplace.kernel.access import allow
from marketplace.kernel.clock import Clock
from web.pages.render import go
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_OPERATOR = allow(scope=None, operator=True)
PAGE_MAX = 200
STATES = ("prospect", "active", "suspended", "retired")

KINDS = ("supplies", "buys")

Step = Literal["approve", "suspend", "reinstate"]


class Tab(msgspec.Struct, frozen=True):
    key: str
    title: str
    count: str


class SupplierPages(Controller):
    path = "/suppliers"

    @get("/", opt=FOR_OPERATOR)
    async def list_suppliers(
        self,
        visit: Visit,
        shown: Annotated[str, QueryParameter(name="state")] = "prospect",
        kind: str = KINDS[0],
    ) -> Template:
        return await _page(visit, shown, kind)

    @post("/{organisation_id:uuid}/{step:str}", opt=FOR_OPERATOR)
    async def change(
        self,
        visit: Visit,
        clock: Clock,
        revocations: Revocations,
        organisation_id: UUID,
        step: Step,
    ) -> Response[Any]:
        form = await visit.form()
        state, kind = form.one("state"), form.one("kind")
        reason = form.one("reason") or None
        async with visit.trying() as attempt:
            await organisations.change_state(
                visit.session, clock, revocations, visit.actor, organisation_id, step, reason
            )
            query = {"state": state if state in STATES else STATES[0], "kind": _kind(kind)}
            return go(f"/suppliers?{urlencode(query)}")
        return await _page(visit, state, kind, attempt)


async def _page(visit: Visit, state: str, kind: str, attempt: Attempt = UNTRIED) -> Template:
    shown, kind = state if state in STATES else STATES[0], _kind(kind)
    found = {name: await _organisations(visit, name, kind) for name in STATES}
    titles = _titles(visit.fmt.gettext)
    return await visit.page(
        "suppliers.html",
        attempt,
        area="suppliers",
        state=shown,
        kind=kind,
        tabs=[Tab(name, titles[name], _count(found[name])) for name in STATES],
        suppliers=found[shown],
    )


def _kind(kind: str) -> str:
    return kind if kind in KINDS else KINDS[0]


async def _organisations(visit: Visit, state: str, kind: str) -> list[OrganisationView]:
    """Whoever neither buys nor supplies stands beside the suppliers: a partner that sells."""
    every = await organisations.browse(
        visit.session, visit.actor, state=state, page=ORGANISATIONS.page(PAGE_MAX)
    )
    return [
        each
        for each in every.items
        if each.id != visit.actor.organisation_id
        and (kind in each.capabilities or (kind == KINDS[0] and "buys" not in each.capabilities))
    ]


def _count(found: list[OrganisationView]) -> str:
    return f"{PAGE_MAX}+" if len(found) >= PAGE_MAX else str(len(found))


def _titles(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "prospect": _("Waiting"),
        "active": _("Active"),
        "suspended": _("Suspended"),
        "retired": _("Retired"),
    }
