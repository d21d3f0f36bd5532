"""A supplier's answer to a tender: take part, or decline the invitation and say why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.queries import BIDDER_ROLES
from auctions.tenders.schemas.tender import REASON_CHARS_MAX, AcceptTerms
from auctions.tenders.sending import Desk
from marketplace.kernel.access import allow
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict
from web.pages.render import go
from web.pages.tender_page import tender_page
from web.pages.visit import Attempt, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)


class JoiningPages(Controller):
    path = "/tenders/{tender_id:uuid}"

    @post("/participation", opt=FOR_MEMBERS)
    async def take_part(
        self, visit: Visit, database: Database, clock: Clock, books: Books, tender_id: UUID
    ) -> Response[Any]:
        """As over the API: admitted to every auction when this answers. Nobody accepts unseen what
        was added while the page was open.
        """
        form = await visit.form()
        tender = await service.show(visit.session, visit.actor, tender_id)
        visit.actor.require_role(*BIDDER_ROLES)
        if form.one("addenda") != str(tender.addenda_count):
            changed = Conflict("terms_changed", "The terms changed while you read them. Read anew.")
            return await tender_page(visit, tender_id, Attempt.refused(changed))
        answer = AcceptTerms(accept_terms=form.one("accept_terms") == "true")
        desk = Desk(database, books, clock)
        await service.participate(visit.session, visit.actor, tender_id, answer, desk, visit.now)
        return go(f"/tenders/{tender_id}")

    @post("/decline", opt=FOR_MEMBERS)
    async def decline(self, visit: Visit, tender_id: UUID) -> Response[Any]:
        """The buyer reads the reason. Raises NotFound."""
        form = await visit.form()
        await service.show(visit.session, visit.actor, tender_id)
        visit.actor.require_active()
        async with visit.trying(form) as attempt:
            reason = form.words("reason", REASON_CHARS_MAX)
            await service.decline_invitation(
                visit.session, visit.actor, tender_id, reason, visit.now
            )
            return go(f"/tenders/{tender_id}#answer")
        return await tender_page(visit, tender_id, attempt)
