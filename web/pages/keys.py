"""API keys: made with scopes, shown once, listed, revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template

from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import IssuedApiKey, NewApiKey
from marketplace.accounts.service import keys
from marketplace.kernel.access import SCOPES, allow
from marketplace.kernel.actor import EVERY_SCOPE
from marketplace.kernel.clock import Clock
from web.pages.forms import Form
from web.pages.render import go
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)


class Area(msgspec.Struct, frozen=True):
    """Scopes come in pairs, `name:read` and `name:write`."""

    name: str
    title: str


class KeyPages(Controller):
    path = "/keys"

    @get("/", opt=FOR_MEMBERS)
    async def list_keys(self, visit: Visit) -> Template:
        return await _page(visit)

    @post("/", opt=allow(scope=None, waiting=True, verified=True), status_code=200)
    async def issue(self, visit: Visit, clock: Clock) -> Response[Any]:
        """The page with the key on it; it is not stored readable, so it is not shown again."""
        form = await visit.form()
        async with visit.trying(form, lists=["scopes"]) as attempt:
            new = NewApiKey(
                name=form.one("name"), scopes=form.many("scopes"), expires_at=_expiry(form)
            )
            made = await keys.issue(visit.session, clock, visit.actor, new)
            await visit.session.flush()
            return await _page(visit, made=(new.name, made))
        return await _page(visit, attempt)

    @post("/{key_id:uuid}/revoke", opt=FOR_MEMBERS)
    async def revoke(
        self, visit: Visit, clock: Clock, revocations: Revocations, key_id: UUID
    ) -> Redirect:
        await keys.revoke(visit.session, clock, revocations, visit.actor, key_id)
        return go("/keys")


async def _page(
    visit: Visit, attempt: Attempt = UNTRIED, *, made: tuple[str, IssuedApiKey] | None = None
) -> Template:
    return await visit.page(
        "keys.html",
        attempt,
        keys=(await keys.browse(visit.session, visit.actor)).items,
        areas=_areas(visit.fmt.gettext),
        made={"name": made[0], "key": made[1].key} if made else None,
        form=attempt.typed or {"scopes": [EVERY_SCOPE]},
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
