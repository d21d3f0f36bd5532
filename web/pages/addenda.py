"""A change after publication: typed, read once more as what it will do, then published."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.schemas.dossier import WORDS_CHARS_MAX, MovedStart, NewAddendum
from auctions.tenders.schemas.tender import LotView, TenderView
from auctions.tenders.sending import Desk
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from web.pages.forms import Form, typed_time
from web.pages.render import go
from web.pages.tender_page import ADDENDA_IN
from web.pages.terms import Gettext
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_AUTHORS = allow("procurement_officer", scope=None)


class MovableTime(msgspec.Struct, frozen=True):
    """One time that the form can move: the start of a lot's auction, or the last minute of sealed
    offers (no `lot`). `name` is that of its field; the field `zone_name` holds the browser's zone.
    """

    name: str
    now: datetime
    lot: LotView | None = None

    @property
    def zone_name(self) -> str:
        return f"{self.name}_offset_min"


class Move(msgspec.Struct, frozen=True):
    """`later` says by how much, in words."""

    time: MovableTime
    to: datetime
    later: str


class AddendumPages(Controller):
    path = "/tenders/{tender_id:uuid}/addendum"

    @get("/", opt=FOR_AUTHORS)
    async def form(self, visit: Visit, tender_id: UUID) -> Template:
        """Raises NotFound, Conflict."""
        tender = await _changeable(visit.session, visit.actor, tender_id)
        times = movable_times(tender, visit.now)
        typed = {time.name: typed_time(time.now) for time in times}
        return await _page(visit, tender, times, form=typed)

    @post("/", opt=FOR_AUTHORS, status_code=200)
    async def publish(
        self, visit: Visit, database: Database, clock: Clock, books: Books, tender_id: UUID
    ) -> Response[Any]:
        """Shows what it will do; `then=publish` does it. Raises NotFound, Conflict."""
        form = await visit.form()
        tender = await _changeable(visit.session, visit.actor, tender_id)
        times = movable_times(tender, visit.now)
        if form.one("then") == "change":
            return await _page(visit, tender, times, form=form.typed())
        starts = [time.name for time in times if time.lot]
        names = {f"lots[{n}].starts_at": name for n, name in enumerate(starts)}
        async with visit.trying(form, names=names) as attempt:
            text, moves = read_addendum(form, times, visit.fmt.gettext)
            if form.one("then") == "publish":
                if form.one("addenda") != str(tender.addenda_count):
                    raise Conflict("terms_changed", "The tender was changed meanwhile. Read anew.")
                desk, now = Desk(database, books, clock), visit.now
                new = _as_addendum(text, moves)
                await service.add_addendum(visit.session, visit.actor, tender_id, new, desk, now)
                return go(f"/tenders/{tender_id}#addenda")
            return await _confirmation(visit, tender, form, text, moves)
        return await _page(visit, tender, times, attempt, form=attempt.typed)


def movable_times(tender: TenderView, now: datetime) -> list[MovableTime]:
    """Starts that still lie ahead, and the last minute of sealed offers while it has not come."""
    times = []
    if tender.offers and tender.state == "published" and tender.offers.due_at > now:
        times.append(MovableTime("offers_due_at", tender.offers.due_at))
    for index, lot in enumerate(tender.lots):
        start = lot.starts_at or _planned(lot)
        if start is not None and start > now and tender.state in {"published", "opened"}:
            times.append(MovableTime(f"start-{index}", start, lot))
    return times


def _planned(lot: LotView) -> datetime | None:
    """Of an auction that is made after the sealed offers."""
    try:
        return msgspec.convert(lot.rules.get("starts_at"), datetime)
    except msgspec.ValidationError:
        return None


def read_addendum(form: Form, times: list[MovableTime], _: Gettext) -> tuple[str, list[Move]]:
    """The words, and what moves. Raises Invalid with every wrong field."""
    errors: list[FieldError] = []
    moves, text = [], ""
    try:
        text = form.words("text", WORDS_CHARS_MAX)
    except Invalid as problem:
        errors += problem.errors
    for time in times:
        try:
            to = form.instant(time.name, time.zone_name)
        except Invalid as problem:
            errors += problem.errors
            continue
        # A field shows minutes: what was not touched keeps its seconds.
        before = time.now.replace(second=0, microsecond=0)
        if to == before:
            continue
        if to <= time.now:
            message = _("This can only move later.")
            errors.append(FieldError(time.name, "not_later", message))
        else:
            moves.append(Move(time, to, _later(to - before, _)))
    if errors:
        raise Invalid("invalid", "Some fields need another look.", errors=errors)
    return text, moves


def _later(by: timedelta, _: Gettext) -> str:
    """`2 d 3 h later`: the two largest units, as far as they are not zero."""
    minutes = max(1, round(by.total_seconds() / 60))
    days, hours = divmod(minutes // 60, 24)
    parts = [
        (days, _("%(count)s d")),
        (hours, _("%(count)s h")),
        (minutes % 60, _("%(count)s min")),
    ]
    shown = [words % {"count": count} for count, words in parts if count][:2]
    return _("%(time)s later") % {"time": " ".join(shown)}


def _as_addendum(text: str, moves: list[Move]) -> NewAddendum:
    due_at = next((move.to for move in moves if move.time.lot is None), UNSET)
    starts = [MovedStart(move.time.lot.id, move.to) for move in moves if move.time.lot]
    return NewAddendum(text=text, offers_due_at=due_at, lots=starts)


async def _changeable(session: AsyncSession, actor: Actor, tender_id: UUID) -> TenderView:
    """The own tender while it takes addenda. Raises NotFound, Conflict."""
    tender = await service.show(session, actor, tender_id)
    if tender.buyer.id != actor.organisation_id:
        raise NotFound("tender")
    if tender.state not in ADDENDA_IN:
        raise Conflict("wrong_state", "A tender is changed by addendum while it is published.")
    return tender


async def _page(
    visit: Visit,
    tender: TenderView,
    times: list[MovableTime],
    attempt: Attempt = UNTRIED,
    *,
    form: Mapping[str, Any],
) -> Template:
    return await visit.page(
        "addendum.html", attempt, area="tenders", tender=tender, times=times, form=form
    )


async def _confirmation(
    visit: Visit, tender: TenderView, form: Form, text: str, moves: list[Move]
) -> Template:
    invited = tender.invitations or []
    fields = {name: form.one(name) for name in form.names() if name not in {"csrf_token", "then"}}
    return await visit.page(
        "addendum_confirm.html",
        area="tenders",
        tender=tender,
        text=text,
        moves=moves,
        reached=sum(each.declined_at is None for each in invited),
        joined=sum(each.accepted_at is not None for each in invited),
        fields=fields | {"addenda": str(tender.addenda_count)},
    )
