"""Ratings: a buyer's suppliers, one of them with the exact explanation; a supplier's own ones."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.params import QueryParameter
from litestar.response import Template

from marketplace.kernel.access import allow
from marketplace.kernel.statements import Reader
from ratings.service import showing
from web.pages.visit import Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
LIST_MAX = 100
MONTHS = 12


class RatingPages(Controller):
    path = "/ratings"

    @get("/", opt=FOR_MEMBERS)
    async def list_ratings(self, visit: Visit) -> Template:
        session, actor, now = visit.session, visit.actor, visit.now
        given, received = [], (await showing.received(session, actor, now)).items
        if "buys" in actor.capabilities and actor.state == "active":
            found = await showing.listing(session, actor, now, page=showing.RATINGS.page(LIST_MAX))
            # The best first; who is not rated yet comes last, not worst.
            given = sorted(found.items, key=lambda row: -Decimal(row.score or "-1"))
        return await visit.page(
            "ratings/list.html",
            area="ratings",
            given=given,
            received=received,
            own=str(actor.organisation_id),
        )

    @get("/{supplier_id:uuid}", opt=FOR_MEMBERS)
    async def show(
        self,
        visit: Visit,
        reader: Reader,
        supplier_id: UUID,
        buyer_id: Annotated[UUID | None, QueryParameter(name="buyer_id")] = None,
    ) -> Template:
        rating = await showing.show(reader, visit.actor, supplier_id, visit.now, buyer_id=buyer_id)
        return await visit.page("ratings/rating.html", source=reader, area="ratings", rating=rating)

    @get("/{supplier_id:uuid}/months", opt=FOR_MEMBERS)
    async def show_months(
        self,
        visit: Visit,
        supplier_id: UUID,
        buyer_id: Annotated[UUID | None, QueryParameter(name="buyer_id")] = None,
    ) -> Template:
        """The past, counted again for each month; the rating itself is shown before."""
        session, actor, now = visit.session, visit.actor, visit.now
        rating = await showing.show(session, actor, supplier_id, now, buyer_id=buyer_id)
        past = await showing.history(
            session, actor, supplier_id, now, buyer_id=buyer_id, months=MONTHS, policy_version=None
        )
        return await visit.page(
            "ratings/months.html",
            area="ratings",
            rating=rating,
            past=[point for point in past.items if point.score is not None],
        )
