"""A supplier's answer to a tender: take part, or decline the invitation and say why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.queries import BIDDER_ROLES
from auctions.tenders.schemas.tender import REASON_CHARS_MAX, AcceptTerms
from auctions.tenders.sending import Desk
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, Problem
from web.pages.forms import read_form
from web.pages.render import AnyRequest, field_errors, go
from web.pages.tender_page import tender_page

FOR_MEMBERS = allow(scope=None, waiting=True)


class JoiningPages(Controller):
    path = "/tenders/{tender_id:uuid}"

    @post("/participation", opt=FOR_MEMBERS)
    async def take_part(
        self,
        request: AnyRequest,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        books: Books,
        tender_id: UUID,
    ) -> Response[Any]:
        """As over the API: admitted to every auction when this answers. Nobody accepts unseen what
        was added while the page was open.
        """
        form = await read_form(request)
        tender = await service.show(session, actor, tender_id)
        actor.require_role(*BIDDER_ROLES)
        if form.one("addenda") != str(tender.addenda_count):
            changed = Conflict("terms_changed", "The terms changed while you read them. Read anew.")
            return await tender_page(request, session, actor, clock, tender_id, changed)
        answer = AcceptTerms(accept_terms=form.one("accept_terms") == "true")
        desk = Desk(database, books, clock)
        await service.participate(session, actor, tender_id, answer, desk, clock.now())
        return go(f"/tenders/{tender_id}")

    @post("/decline", opt=FOR_MEMBERS)
    async def decline(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
    ) -> Response[Any]:
        """The buyer reads the reason. Raises NotFound."""
        form = await read_form(request)
        await service.show(session, actor, tender_id)
        actor.require_active()
        try:
            reason = form.words("reason", REASON_CHARS_MAX)
            await service.decline_invitation(session, actor, tender_id, reason, clock.now())
        except Problem as problem:
            errors = field_errors(problem)
            return await tender_page(
                request, session, actor, clock, tender_id, problem, form=form.typed(), errors=errors
            )
        return go(f"/tenders/{tender_id}#answer")
