"""The operator approves, suspends and reinstates organisations."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import OrganisationView
from marketplace.accounts.service import organisations
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Problem
from web.pages.forms import read_form
from web.pages.render import AnyRequest, Viewer, go, language_of, page, viewer_of

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
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        shown: Annotated[str, QueryParameter(name="state")] = "prospect",
        kind: str = KINDS[0],
    ) -> Template:
        who = await viewer_of(session, actor)
        return await _page(request, session, actor, who, shown, kind)

    @post("/{organisation_id:uuid}/{step:str}", opt=FOR_OPERATOR)
    async def change(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        step: Step,
    ) -> Response[Any]:
        form = await read_form(request)
        state, kind = form.one("state"), form.one("kind")
        who = await viewer_of(session, actor)
        reason = form.one("reason") or None
        try:
            await organisations.change_state(
                session, clock, revocations, actor, organisation_id, step, reason
            )
        except Problem as problem:
            return await _page(request, session, actor, who, state, kind, problem)
        query = {"state": state if state in STATES else STATES[0], "kind": _kind(kind)}
        return go(f"/suppliers?{urlencode(query)}")


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    viewer: Viewer,
    state: str,
    kind: str,
    problem: Problem | None = None,
) -> Template:
    shown, kind = state if state in STATES else STATES[0], _kind(kind)
    found = {name: await _organisations(session, actor, name, kind) for name in STATES}
    titles = _titles(request)
    return page(
        request,
        "suppliers.html",
        viewer=viewer,
        status=problem.status if problem else 200,
        area="suppliers",
        state=shown,
        kind=kind,
        tabs=[Tab(name, titles[name], _count(found[name])) for name in STATES],
        suppliers=found[shown],
        problem=problem,
    )


def _kind(kind: str) -> str:
    return kind if kind in KINDS else KINDS[0]


async def _organisations(
    session: AsyncSession, actor: Actor, state: str, kind: str
) -> list[OrganisationView]:
    """Whoever neither buys nor supplies stands beside the suppliers: a partner that sells."""
    every = await organisations.browse(session, actor, state=state, limit=PAGE_MAX)
    return [
        each
        for each in every.items
        if each.id != actor.organisation_id
        and (kind in each.capabilities or (kind == KINDS[0] and "buys" not in each.capabilities))
    ]


def _count(found: list[OrganisationView]) -> str:
    return f"{PAGE_MAX}+" if len(found) >= PAGE_MAX else str(len(found))


def _titles(request: AnyRequest) -> dict[str, str]:
    _ = language_of(request).gettext
    return {
        "prospect": _("Waiting"),
        "active": _("Active"),
        "suspended": _("Suspended"),
        "retired": _("Retired"),
    }
