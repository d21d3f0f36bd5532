"""Tenders: the list, the short form for buyers, and one tender with the terms to accept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.queries import TENDERS
from auctions.tenders.schemas.awards import AwardView
from auctions.tenders.schemas.tender import (
    TenderLine,
)
from marketplace.kernel.access import allow
from marketplace.kernel.db import Database
from marketplace.kernel.settings import Settings
from web.pages import queries
from web.pages.own_awards import notes_of, own_awards
from web.pages.render import (
    go,
)
from web.pages.tender_form import NAMES, defaults, read_tender
from web.pages.tender_page import tender_page
from web.pages.visit import Visit

LIST_MAX = 100
FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_AUTHORS = allow("procurement_officer", scope=None)


class TenderPages(Controller):
    path = "/tenders"

    @get("/", opt=FOR_MEMBERS)
    async def list_tenders(self, visit: Visit) -> Template:
        found = await service.listing(visit.session, visit.actor, page=TENDERS.page(LIST_MAX))
        notes = notes_of(visit.fmt.gettext)
        awards = {
            award.tender_id: award
            for award in (await own_awards(visit.session, visit.actor)).values()
        }
        tenders = [_line(line, notes, awards.get(line.id)) for line in found.items]
        return await visit.page("tenders.html", area="tenders", tenders=tenders)

    @get("/new", opt=FOR_AUTHORS)
    async def form(self, visit: Visit, database: Database) -> Template:
        suppliers = await queries.active_suppliers(database)
        return await visit.page(
            "tender_new.html",
            area="tenders",
            form=defaults(visit.now),
            suppliers=suppliers,
        )

    @post("/new", opt=FOR_AUTHORS)
    async def create(
        self, visit: Visit, database: Database, books: Books, settings: Settings
    ) -> Response[Any]:
        form = await visit.form()
        suppliers = await queries.active_suppliers(database)
        async with visit.trying(form, names=NAMES, lists=["suppliers"]) as attempt:
            tender_id = await service.create(
                visit.session, visit.actor, read_tender(form), visit.now
            )
            if form.one("then") == "publish":
                secret = settings.secret
                await service.publish(
                    visit.session, visit.actor, tender_id, books, secret, visit.now
                )
            return go(f"/tenders/{tender_id}")
        return await visit.page("tender_new.html", attempt, area="tenders", suppliers=suppliers)

    @get("/{tender_id:uuid}", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, tender_id: UUID) -> Template:
        return await tender_page(visit, tender_id)

    @post("/{tender_id:uuid}/publish", opt=FOR_MEMBERS)
    async def publish(
        self, visit: Visit, books: Books, settings: Settings, tender_id: UUID
    ) -> Response[Any]:
        await service.show(visit.session, visit.actor, tender_id)
        async with visit.trying() as attempt:
            await service.publish(
                visit.session, visit.actor, tender_id, books, settings.secret, visit.now
            )
            return go(f"/tenders/{tender_id}")
        return await tender_page(visit, tender_id, attempt)

    @post("/{tender_id:uuid}/finish", opt=FOR_MEMBERS)
    async def finish(self, visit: Visit, tender_id: UUID) -> Response[Any]:
        """Award no more: what was accepted stands."""
        async with visit.trying() as attempt:
            await service.finish(visit.session, visit.actor, tender_id, visit.now)
            return go(f"/tenders/{tender_id}")
        return await tender_page(visit, tender_id, attempt)


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
