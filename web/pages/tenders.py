"""Tenders: the list, the short form for buyers, and one tender with the terms to accept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.queries import TENDERS
from auctions.tenders.schemas.awards import AwardView
from auctions.tenders.schemas.tender import (
    TenderLine,
)
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Problem
from marketplace.kernel.settings import Settings
from web.pages import queries
from web.pages.forms import read_form
from web.pages.home import own_awards
from web.pages.render import (
    AnyRequest,
    field_errors,
    go,
    language_of,
    page,
    viewer_of,
)
from web.pages.tender_form import NAMES, defaults, read_tender
from web.pages.tender_page import tender_page

LIST_MAX = 100
FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_AUTHORS = allow("procurement_officer", scope=None)


class TenderPages(Controller):
    path = "/tenders"

    @get("/", opt=FOR_MEMBERS)
    async def list_tenders(
        self, request: AnyRequest, session: AsyncSession, actor: Actor
    ) -> Template:
        who = await viewer_of(session, actor)
        found = await service.listing(session, actor, page=TENDERS.page(LIST_MAX))
        _ = language_of(request).gettext
        notes = {
            "accept": _("Accept the terms"),
            "offered": _("Awarded to you: answer now"),
            "accepted": _("You won"),
            "declined": _("You declined"),
        }
        awards = {award.tender_id: award for award in (await own_awards(session, actor)).values()}
        tenders = [_line(line, notes, awards.get(line.id)) for line in found.items]
        return page(request, "tenders.html", viewer=who, area="tenders", tenders=tenders)

    @get("/new", opt=FOR_AUTHORS)
    async def form(
        self,
        request: AnyRequest,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
    ) -> Template:
        who = await viewer_of(session, actor)
        suppliers = await queries.active_suppliers(database)
        return page(
            request,
            "tender_new.html",
            viewer=who,
            area="tenders",
            form=defaults(clock.now()),
            suppliers=suppliers,
        )

    @post("/new", opt=FOR_AUTHORS)
    async def create(
        self,
        request: AnyRequest,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        books: Books,
        settings: Settings,
    ) -> Response[Any]:
        form = await read_form(request)
        who = await viewer_of(session, actor)
        suppliers = await queries.active_suppliers(database)
        try:
            tender_id = await service.create(session, actor, read_tender(form), clock.now())
            if form.one("then") == "publish":
                secret = settings.secret
                await service.publish(session, actor, tender_id, books, secret, clock.now())
        except Problem as problem:
            errors = field_errors(problem, NAMES)
            shown = set(NAMES.values()) & set(errors)
            return page(
                request,
                "tender_new.html",
                viewer=who,
                status=problem.status,
                area="tenders",
                form=form.typed("suppliers"),
                errors=errors,
                problem=None if shown else problem,
                suppliers=suppliers,
            )
        return go(f"/tenders/{tender_id}")

    @get("/{tender_id:uuid}", opt=FOR_MEMBERS)
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
    ) -> Template:
        return await tender_page(request, session, actor, clock, tender_id)

    @post("/{tender_id:uuid}/publish", opt=FOR_MEMBERS)
    async def publish(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        books: Books,
        settings: Settings,
        tender_id: UUID,
    ) -> Response[Any]:
        await service.show(session, actor, tender_id)
        try:
            await service.publish(session, actor, tender_id, books, settings.secret, clock.now())
        except Problem as problem:
            return await tender_page(request, session, actor, clock, tender_id, problem)
        return go(f"/tenders/{tender_id}")

    @post("/{tender_id:uuid}/finish", opt=FOR_MEMBERS)
    async def finish(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
    ) -> Response[Any]:
        """Award no more: what was accepted stands."""
        try:
            await service.finish(session, actor, tender_id, clock.now())
        except Problem as problem:
            if problem.status == 404:
                raise
            return await tender_page(request, session, actor, clock, tender_id, problem)
        return go(f"/tenders/{tender_id}")


def _line(line: TenderLine, notes: dict[str, str], award: AwardView | None) -> dict[str, Any]:
    waits = not line.mine and line.accepted_at is None and line.state == "published"
    answer = "accept" if line.declined_at is None else "declined"
    note = notes[answer] if waits else notes[award.state] if award else None
    return {
        "id": line.id,
        "title": line.title,
        "buyer_name": None if line.mine else line.buyer.name,
        "lots": line.lots_count,
        "starts_at": line.starts_at,
        "state": line.state,
        "note": note,
        "won": award is not None and award.state == "accepted",
        "declined": line.declined_at is not None,
    }
