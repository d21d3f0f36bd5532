"""Awards: the sheet on which a buyer decides, the approval of it, and the supplier's answer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Template

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.schemas.awards import AwardSheet, AwardView, NewAwards, Share, SheetRow
from marketplace.kernel.access import allow
from marketplace.kernel.errors import Forbidden, Malformed
from marketplace.kernel.facts import Facts
from web.pages.forms import Form
from web.pages.render import go, told
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
Percent = Annotated[int, QueryParameter(ge=0, le=100)]
SHARE = "share-"
GONE = frozenset(["declined", "refused", "withdrawn"])
UNANSWERED = frozenset(["offered", "awaiting_approval"])
WITH_REASON = frozenset(["refuse", "withdraw", "decline"])
REASON_CHARS_MAX = 1_000


class AwardSheetPages(Controller):
    path = "/lots/{lot_id:uuid}/award"

    @get("/", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, books: Books, lot_id: UUID, rating: Percent = 0) -> Template:
        """`rating` is how much the rating counts, in percent; trying changes nothing saved."""
        return await _sheet_page(visit, books, lot_id, rating)

    @post("/", opt=FOR_MEMBERS)
    async def propose(self, visit: Visit, books: Books, lot_id: UUID) -> Response[Any]:
        """The shares as typed; a blank one gets nothing."""
        form = await visit.form()
        async with visit.trying(form) as attempt:
            new = _read_awards(form)
            await service.propose(visit.session, visit.actor, lot_id, new, books, visit.now)
            return go(f"/lots/{lot_id}/award#awards")
        if isinstance(attempt.problem, Forbidden):
            # The sheet itself may be refused for another reason, which would hide this one.
            raise attempt.problem
        return await _sheet_page(visit, books, lot_id, 0, attempt)


class AwardPages(Controller):
    path = "/awards"

    @get("/{award_id:uuid}", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, award_id: UUID) -> Template:
        return await _award_page(visit, award_id)

    @post("/{award_id:uuid}/{event:str}", opt=FOR_MEMBERS)
    async def act(self, visit: Visit, facts: Facts, award_id: UUID, event: str) -> Response[Any]:
        """One button: the buyer releases, refuses or takes back; the supplier accepts or
        declines.
        """
        form = await visit.form()
        reason = form.one("reason")[:REASON_CHARS_MAX] or None
        async with visit.trying(form) as attempt:
            done = await _act(visit, facts, award_id, event, reason)
            if event == "accept":
                return go(f"/orders/{done.order_id}")
            mine = done.organisation.id != visit.actor.organisation_id
            return go(f"/lots/{done.lot_id}/award#awards" if mine else f"/awards/{award_id}")
        return await _award_page(visit, award_id, attempt)


def _read_awards(form: Form) -> NewAwards:
    """Raises Malformed."""
    shares = []
    for name in form.names():
        if name.startswith(SHARE) and form.one(name) not in {"", "0"}:
            try:
                organisation_id = UUID(name.removeprefix(SHARE))
            except ValueError:
                raise Malformed("malformed", "There is no such bidder.") from None
            shares.append(Share(organisation_id, form.one(name)[:12].replace(",", ".", 1)))
    if not shares:
        raise Malformed("no_shares", "Give at least one bidder a share.")
    return NewAwards(shares, form.one("reason")[:REASON_CHARS_MAX] or None)


async def _act(
    visit: Visit, facts: Facts, award_id: UUID, event: str, reason: str | None
) -> AwardView:
    """Raises what the services raise."""
    session, actor, now = visit.session, visit.actor, visit.now
    if event == "accept":
        return await service.accept(session, actor, award_id, facts, now)
    if event == "decline":
        return await service.decline(session, actor, award_id, reason or "", now)
    if event in {"approve", "refuse", "withdraw"}:
        return await service.decide(session, actor, award_id, event, reason, now)
    await service.show_award(session, actor, award_id)
    raise Malformed("malformed", "There is no such button.")


async def _sheet_page(
    visit: Visit,
    books: Books,
    lot_id: UUID,
    rating: int,
    attempt: Attempt = UNTRIED,
) -> Template:
    sheet = await service.show_sheet(
        visit.session,
        visit.actor,
        lot_id,
        books,
        visit.now,
        weight_price=(100 - rating) * 100,
        weight_rating=rating * 100,
    )
    left = sheet.tender_state == "awarding" and Decimal(sheet.left_percent) > 0
    may_award = left and visit.actor.has_role("procurement_officer")
    free = _free(sheet.rows, sheet.awards) if may_award else []
    states = {award.state for award in sheet.awards}
    return await visit.page(
        "awards/sheet.html",
        attempt,
        area="tenders",
        sheet=sheet,
        rating=rating,
        tried=sorted(sheet.rows, key=lambda row: row.what_if_rank),
        free={row.organisation.id for row in free},
        typed=attempt.typed or _suggested(sheet, free),
        reason=attempt.typed.get("reason", ""),
        may_finish=may_award and "accepted" in states and states.isdisjoint(UNANSWERED),
        with_reason=WITH_REASON,
        problem=told(attempt.problem),
    )


def _free(rows: Sequence[SheetRow], awards: Sequence[AwardView]) -> list[SheetRow]:
    """Who can still be awarded: neither holds a share nor said no."""
    spoken = {award.organisation.id for award in awards if award.state not in GONE - {"declined"}}
    return [row for row in rows if row.organisation.id not in spoken]


def _suggested(sheet: AwardSheet, free: Sequence[SheetRow]) -> dict[str, str]:
    """All that is left to the best that is left."""
    return {f"{SHARE}{free[0].organisation.id}": sheet.left_percent} if free else {}


async def _award_page(visit: Visit, award_id: UUID, attempt: Attempt = UNTRIED) -> Template:
    award = await service.show_award(visit.session, visit.actor, award_id)
    return await visit.page(
        "awards/award.html",
        attempt,
        area="tenders",
        award=award,
        mine=award.organisation.id != visit.actor.organisation_id,
        with_reason=WITH_REASON,
        problem=told(attempt.problem),
    )
