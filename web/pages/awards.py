"""Awards: the sheet on which a buyer decides, the approval of it, and the supplier's answer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import QueryParameter
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.schemas.awards import AwardSheet, AwardView, NewAwards, Share, SheetRow
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Malformed, Problem
from marketplace.kernel.facts import Facts
from web.pages.forms import Form, read_form
from web.pages.render import AnyRequest, go, page, told, viewer_of

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
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        books: Books,
        lot_id: UUID,
        rating: Percent = 0,
    ) -> Template:
        """`rating` is how much the rating counts, in percent; trying changes nothing saved."""
        return await _sheet_page(request, session, actor, clock, books, lot_id, rating)

    @post("/", opt=FOR_MEMBERS)
    async def propose(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        books: Books,
        lot_id: UUID,
    ) -> Response[Any]:
        """The shares as typed; a blank one gets nothing."""
        form = await read_form(request)
        try:
            new = _read_awards(form)
            async with session.begin_nested():
                await service.propose(session, actor, lot_id, new, books, clock.now())
        except Problem as problem:
            if problem.status in {403, 404}:
                raise
            return await _sheet_page(
                request, session, actor, clock, books, lot_id, 0, form=form, problem=problem
            )
        return go(f"/lots/{lot_id}/award#awards")


class AwardPages(Controller):
    path = "/awards"

    @get("/{award_id:uuid}", opt=FOR_MEMBERS)
    async def show(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, award_id: UUID
    ) -> Template:
        return await _award_page(request, session, actor, award_id)

    @post("/{award_id:uuid}/{event:str}", opt=FOR_MEMBERS)
    async def act(
        self,
        request: AnyRequest,
        session: AsyncSession,
        facts: Facts,
        actor: Actor,
        clock: Clock,
        award_id: UUID,
        event: str,
    ) -> Response[Any]:
        """One button: the buyer releases, refuses or takes back; the supplier accepts or
        declines.
        """
        form = await read_form(request)
        reason = form.one("reason")[:REASON_CHARS_MAX] or None
        try:
            async with session.begin_nested():
                done = await _act(session, facts, actor, clock, award_id, event, reason)
        except Problem as problem:
            if problem.status == 404:
                raise
            return await _award_page(request, session, actor, award_id, problem)
        if event == "accept":
            return go(f"/orders/{done.order_id}")
        mine = done.organisation.id != actor.organisation_id
        return go(f"/lots/{done.lot_id}/award#awards" if mine else f"/awards/{award_id}")


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
    session: AsyncSession,
    facts: Facts,
    actor: Actor,
    clock: Clock,
    award_id: UUID,
    event: str,
    reason: str | None,
) -> AwardView:
    """Raises what the services raise."""
    now = clock.now()
    if event == "accept":
        return await service.accept(session, actor, award_id, facts, now)
    if event == "decline":
        return await service.decline(session, actor, award_id, reason or "", now)
    if event in {"approve", "refuse", "withdraw"}:
        return await service.decide(session, actor, award_id, event, reason, now)
    await service.show_award(session, actor, award_id)
    raise Malformed("malformed", "There is no such button.")


async def _sheet_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    books: Books,
    lot_id: UUID,
    rating: int,
    *,
    form: Form | None = None,
    problem: Problem | None = None,
) -> Template:
    who = await viewer_of(session, actor)
    sheet = await service.show_sheet(
        session,
        actor,
        lot_id,
        books,
        clock.now(),
        weight_price=(100 - rating) * 100,
        weight_rating=rating * 100,
    )
    left = sheet.tender_state == "awarding" and Decimal(sheet.left_percent) > 0
    may_award = left and actor.has_role("procurement_officer")
    free = _free(sheet.rows, sheet.awards) if may_award else []
    states = {award.state for award in sheet.awards}
    return page(
        request,
        "awards/sheet.html",
        viewer=who,
        status=problem.status if problem else 200,
        area="tenders",
        sheet=sheet,
        rating=rating,
        tried=sorted(sheet.rows, key=lambda row: row.what_if_rank),
        free={row.organisation.id for row in free},
        typed=form.typed() if form else _suggested(sheet, free),
        reason=form.one("reason") if form else "",
        may_finish=may_award and "accepted" in states and states.isdisjoint(UNANSWERED),
        with_reason=WITH_REASON,
        problem=told(problem),
    )


def _free(rows: Sequence[SheetRow], awards: Sequence[AwardView]) -> list[SheetRow]:
    """Who can still be awarded: neither holds a share nor said no."""
    spoken = {award.organisation.id for award in awards if award.state not in GONE - {"declined"}}
    return [row for row in rows if row.organisation.id not in spoken]


def _suggested(sheet: AwardSheet, free: Sequence[SheetRow]) -> dict[str, str]:
    """All that is left to the best that is left."""
    return {f"{SHARE}{free[0].organisation.id}": sheet.left_percent} if free else {}


async def _award_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    award_id: UUID,
    problem: Problem | None = None,
) -> Template:
    who = await viewer_of(session, actor)
    award = await service.show_award(session, actor, award_id)
    return page(
        request,
        "awards/award.html",
        viewer=who,
        status=problem.status if problem else 200,
        area="tenders",
        award=award,
        mine=award.organisation.id != actor.organisation_id,
        with_reason=WITH_REASON,
        problem=told(problem),
    )
