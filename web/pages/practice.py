"""The practice room's page: choose a kind of auction, and it begins against bots."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.practice import service
from auctions.practice.samples import CEILING, CURRENCY, SAMPLES
from auctions.practice.schemas import NewPractice
from auctions.rules.views.plain import gists
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import NotFound, Problem
from web.pages.forms import read_form
from web.pages.render import AnyRequest, language_of, page, viewer_of
from web.pages.render import go as redirect

FOR_MEMBERS = allow(scope=None)


class PracticePages(Controller):
    path = "/practice"

    @get("/", opt=FOR_MEMBERS)
    async def choose(self, request: AnyRequest, session: AsyncSession, actor: Actor) -> Template:
        return await _choice(request, session, actor)

    @post("/", opt=FOR_MEMBERS)
    async def begin(
        self,
        request: AnyRequest,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        books: Books,
        clock: Clock,
    ) -> Response[Any]:
        """With `lot_id` under that lot's rules, else the sample of `format`. Raises NotFound."""
        form = await read_form(request)
        try:
            await service.require_room(database)
            new = _wanted(form.one("lot_id"), form.one("format"), request)
            begun = await service.begin(session, actor, new, books, clock.now())
        except NotFound:
            raise
        except Problem as problem:
            return await _choice(request, session, actor, problem)
        return redirect(begun.url)


def _wanted(lot_id: str, format_: str, request: AnyRequest) -> NewPractice:
    if lot_id:
        try:
            return NewPractice(lot_id=UUID(lot_id))
        except ValueError:
            raise NotFound("lot") from None
    if format_ not in SAMPLES:
        raise NotFound("kind of auction")
    title = gists(language_of(request).texts)[format_].partition(":")[0]
    return NewPractice(rules=SAMPLES[format_], currency=CURRENCY, ceiling=CEILING, title=title)


async def _choice(
    request: AnyRequest, session: AsyncSession, actor: Actor, problem: Problem | None = None
) -> Template:
    words = gists(language_of(request).texts)
    kinds = [(name, *words[name].partition(":")[::2]) for name in SAMPLES]
    return page(
        request,
        "practice.html",
        viewer=await viewer_of(session, actor),
        status=problem.status if problem else 200,
        area="auctions",
        kinds=kinds,
        problem={"title": problem.title, "detail": problem.detail} if problem else None,
    )
