"""API keys: made with scopes, shown once, listed, revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import IssuedApiKey, NewApiKey
from marketplace.accounts.service import keys
from marketplace.kernel.access import SCOPES, allow
from marketplace.kernel.actor import EVERY_SCOPE, Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Problem
from web.pages.forms import Form, read_form
from web.pages.render import AnyRequest, Viewer, field_errors, go, language_of, page, viewer_of

FOR_MEMBERS = allow(scope=None, waiting=True)


class Area(msgspec.Struct, frozen=True):
    """Scopes come in pairs, `name:read` and `name:write`."""

    name: str
    title: str


class KeyPages(Controller):
    path = "/keys"

    @get("/", opt=FOR_MEMBERS)
    async def list_keys(self, request: AnyRequest, session: AsyncSession, actor: Actor) -> Template:
        who = await viewer_of(session, actor)
        return await _page(request, session, actor, who)

    @post("/", opt=allow(scope=None, waiting=True, verified=True), status_code=200)
    async def issue(
        self, request: AnyRequest, session: AsyncSession, clock: Clock, actor: Actor
    ) -> Response[Any]:
        """The page with the key on it; it is not stored readable, so it is not shown again."""
        form = await read_form(request)
        who = await viewer_of(session, actor)
        try:
            new = NewApiKey(
                name=form.one("name"), scopes=form.many("scopes"), expires_at=_expiry(form)
            )
            made = await keys.issue(session, clock, actor, new)
            await session.flush()
        except Problem as problem:
            return await _page(request, session, actor, who, form=form, problem=problem)
        return await _page(request, session, actor, who, made=(new.name, made))

    @post("/{key_id:uuid}/revoke", opt=FOR_MEMBERS)
    async def revoke(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        key_id: UUID,
    ) -> Redirect:
        await keys.revoke(session, clock, revocations, actor, key_id)
        return go("/keys")


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    viewer: Viewer,
    *,
    form: Form | None = None,
    problem: Problem | None = None,
    made: tuple[str, IssuedApiKey] | None = None,
) -> Template:
    errors = field_errors(problem) if problem else {}
    return page(
        request,
        "keys.html",
        viewer=viewer,
        status=problem.status if problem else 200,
        keys=(await keys.browse(session, actor)).items,
        areas=_areas(language_of(request).gettext),
        made={"name": made[0], "key": made[1].key} if made else None,
        form=form.typed("scopes") if form else {"scopes": [EVERY_SCOPE]},
        errors=errors,
        problem=problem if problem and not errors else None,
    )


def _areas(_: Callable[[str], str]) -> list[Area]:
    titles = {
        "accounts": _("Accounts"),
        "catalogue": _("Catalogue"),
        "prices": _("Prices"),
        "tenders": _("Tenders"),
        "auctions": _("Auctions"),
        "orders": _("Orders"),
        "ratings": _("Ratings"),
        "partners": _("Partners"),
        "exchange": _("Exchange"),
    }
    known = sorted({scope.partition(":")[0] for scope in SCOPES})
    return [Area(name, titles.get(name, name)) for name in known]


def _expiry(form: Form) -> datetime | None:
    """The end of the day that was chosen, UTC. Raises Invalid."""
    day = form.day("expires_at")
    return None if day is None else datetime.combine(day, time.min, UTC) + timedelta(days=1)
