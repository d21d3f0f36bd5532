"""The practice room's page: choose a kind of auction, and it begins against bots."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template

from auctions.book.books import Books
from auctions.practice import service
from auctions.practice.samples import CEILING, CURRENCY, SAMPLES
from auctions.practice.schemas import NewPractice
from auctions.rules.views.plain import gists
from marketplace.kernel.access import allow
from marketplace.kernel.db import Database
from marketplace.kernel.errors import NotFound
from web.pages.render import go as redirect
from web.pages.visit import UNTRIED, Attempt, Visit
from web.translate import Language

FOR_MEMBERS = allow(scope=None)


class PracticePages(Controller):
    path = "/practice"

    @get("/", opt=FOR_MEMBERS)
    async def choose(self, visit: Visit) -> Template:
        return await _choice(visit)

    @post("/", opt=FOR_MEMBERS)
    async def begin(self, visit: Visit, database: Database, books: Books) -> Response[Any]:
        """With `lot_id` under that lot's rules, else the sample of `format`. Raises NotFound."""
        form = await visit.form()
        async with visit.trying(form) as attempt:
            await service.require_room(database)
            new = _wanted(form.one("lot_id"), form.one("format"), visit.fmt)
            begun = await service.begin(visit.session, visit.actor, new, books, visit.now)
            return redirect(begun.url)
        return await _choice(visit, attempt)


def _wanted(lot_id: str, format_: str, fmt: Language) -> NewPractice:
    if lot_id:
        try:
            return NewPractice(lot_id=UUID(lot_id))
        except ValueError:
            raise NotFound("lot") from None
    if format_ not in SAMPLES:
        raise NotFound("kind of auction")
    title = gists(fmt.texts)[format_].partition(":")[0]
    return NewPractice(rules=SAMPLES[format_], currency=CURRENCY, ceiling=CEILING, title=title)


async def _choice(visit: Visit, attempt: Attempt = UNTRIED) -> Template:
    words = gists(visit.fmt.texts)
    kinds = [(name, *words[name].partition(":")[::2]) for name in SAMPLES]
    return await visit.page(
        "practice.html",
        attempt,
        area="auctions",
        kinds=kinds,
    )
