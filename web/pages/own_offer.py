"""A supplier's own sealed offers: handing them in, replacing them, taking them back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import service
from auctions.tenders.schemas.offers import NewOffer
from auctions.tenders.schemas.tender import LotView, TenderView
from auctions.tenders.service.offer_room import OwnOffer, OwnOffers
from marketplace.kernel.access import UNCOUNTED, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import FieldError, Invalid, NotFound, Problem
from web.pages.bid_fields import Answer, LineOfLot, Question, answers_of, lines_of, questions
from web.pages.forms import Form
from web.pages.render import go, told
from web.pages.roles import known_roles
from web.pages.visit import UNTRIED, Attempt, Visit
from web.translate import Language

FOR_MEMBERS = allow(scope=None, waiting=True)
# As over the API: a stored hash of the body would let prices be tried out until one fits.
SEALED = UNCOUNTED | {"access": msgspec.structs.replace(FOR_MEMBERS["access"], idempotent=False)}
OFFER_TAKER = "partner_manager"


class LotOffer(msgspec.Struct, frozen=True):
    """One lot: what was handed in, and the form as it was typed with what is wrong in it."""

    lot: LotView
    own: OwnOffer | None
    questions: list[Question]
    lines: list[LineOfLot]
    answers: list[Answer]
    form: dict[str, str | list[str]]
    errors: dict[str, str]


class OwnOfferPages(Controller):
    path = "/tenders/{tender_id:uuid}/offer"

    @get("/", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, tender_id: UUID) -> Template:
        return await _page(visit, tender_id)

    @post("/{lot_id:uuid}", opt=SEALED)
    async def submit(self, visit: Visit, tender_id: UUID, lot_id: UUID) -> Response[Any]:
        """Hand in an offer, or replace the own former one."""
        form = await visit.form()
        tender, lot = await _lot(visit.session, visit.actor, tender_id, lot_id)
        async with visit.trying(form) as attempt:
            offer = _read(form, lot, tender)
            await service.submit(visit.session, visit.actor, lot_id, offer, visit.now)
            return go(f"/tenders/{tender_id}/offer#lot-{lot_id}")
        return await _page(visit, tender_id, attempt, about=lot_id)

    @post("/{lot_id:uuid}/withdraw", opt=FOR_MEMBERS | UNCOUNTED)
    async def withdraw(self, visit: Visit, tender_id: UUID, lot_id: UUID) -> Response[Any]:
        """Take the own offer back."""
        await _lot(visit.session, visit.actor, tender_id, lot_id)
        async with visit.trying() as attempt:
            await service.withdraw_offer(visit.session, visit.actor, lot_id, visit.now)
            return go(f"/tenders/{tender_id}/offer#lot-{lot_id}")
        return await _page(visit, tender_id, attempt)


async def _lot(
    session: AsyncSession, actor: Actor, tender_id: UUID, lot_id: UUID
) -> tuple[TenderView, LotView]:
    """Raises NotFound."""
    tender = await service.show(session, actor, tender_id)
    for lot in tender.lots:
        if lot.id == lot_id:
            return tender, lot
    raise NotFound("lot")


def _number(form: Form, name: str, path: str, errors: list[FieldError]) -> str:
    """What was typed, under the API's name of the field."""
    try:
        return form.decimal(name)
    except Invalid as problem:
        errors += [msgspec.structs.replace(error, field=path) for error in problem.errors]
        return ""


def _read(form: Form, lot: LotView, tender: TenderView) -> NewOffer:
    """As the API takes it. Raises Invalid with the API's own field names."""
    errors = list[FieldError]()
    given = {
        each.id: form.one(f"answer-{each.id}")
        if each.options
        else _number(form, f"answer-{each.id}", f"attributes.{each.id}", errors)
        for each in questions(lot.rules)
    }
    price = _number(form, "price", "price.amount", errors)
    if errors:
        raise Invalid("invalid", "Some fields need another look.", errors=errors)
    content = {
        "price": {"amount": price, "currency": tender.currency},
        "attributes": {name: text for name, text in given.items() if text},
        "lines": {each.id: form.one(f"line-{each.id}") for each in lines_of(lot.rules)},
        # A browser ends each line with two characters, and counts them as one.
        "note": form.one("note").replace("\r\n", "\n"),
    }
    try:
        return msgspec.convert(content, NewOffer)
    except msgspec.ValidationError as error:
        # Its words and its place, never the value.
        message, _, place = str(error).partition(" - at `$.")
        field = FieldError(place.rstrip("`"), "invalid", f"{message}.")
        raise Invalid("invalid", "Some fields need another look.", errors=[field]) from None


async def _page(
    visit: Visit, tender_id: UUID, attempt: Attempt = UNTRIED, *, about: UUID | None = None
) -> Template:
    """`about` is the lot whose form was tried. Raises NotFound."""
    room = await service.show_own_offers(visit.session, visit.actor, tender_id, visit.now)
    tender = await service.show(visit.session, visit.actor, tender_id)
    fmt = visit.fmt
    lots = [
        _shown(lot, tender, room, fmt, attempt if lot.id == about else UNTRIED)
        for lot in tender.lots
    ]
    at_fields = any(each.errors for each in lots)
    why = _why(room, tender, fmt)
    return await visit.page(
        "own_offer.html",
        attempt,
        area="tenders",
        tender=tender,
        lots=lots,
        why=why,
        closed=room.refusal is not None,
        problem=None if at_fields else _box(attempt.problem, room, why),
    )


def _box(problem: Problem | None, room: OwnOffers, why: str) -> dict[str, str] | None:
    """What the page says anyway is said in its own words."""
    shown = told(problem)
    if problem is None or shown is None or room.refusal is None:
        return shown
    return shown | {"detail": why} if problem.code == room.refusal.code else shown


def _shown(
    lot: LotView, tender: TenderView, room: OwnOffers, fmt: Language, attempt: Attempt
) -> LotOffer:
    own = room.offers.get(lot.id)
    asked = questions(lot.rules)
    return LotOffer(
        lot,
        own,
        asked,
        lines_of(lot.rules),
        answers_of(lot, own.view, tender.currency, fmt) if own else [],
        attempt.typed,
        _errors(attempt, asked, fmt),
    )


def _errors(attempt: Attempt, asked: list[Question], fmt: Language) -> dict[str, str]:
    """By field of the form; empty where one of them is not on the page."""
    _ = fmt.gettext
    found = {}
    for path, message in attempt.errors.items():
        if path == "price.amount":
            found["price"] = message
        elif path == "note":
            found["note"] = message
        else:
            for each in asked:
                if path == f"attributes.{each.id}":
                    choose, write = _("Choose one of these."), _("Write an amount such as 120.00.")
                    found[f"answer-{each.id}"] = choose if each.options else write
    return found


def _why(room: OwnOffers, tender: TenderView, fmt: Language) -> str:
    """Why nothing can be handed in now, in the page's own words; empty where it can."""
    _ = fmt.gettext
    if room.refusal is None:
        return ""
    closed = _("The last minute is over. The buyer opens the offers next.")
    if tender.opened_at is not None:
        closed = _("The buyer has opened the offers.")
    elif tender.state != "published":
        closed = _("This tender ended before the opening. What was handed in stays sealed.")
    role = known_roles(_)[OFFER_TAKER].title
    words = {
        "offers_closed": closed,
        "terms_not_accepted": _("Accept the terms of the tender first."),
        "role_missing": _("Handing in an offer takes this role: %(role)s.") % {"role": role},
        "organisation_not_active": _("Your organisation is not approved yet, or it is suspended."),
    }
    return words.get(room.refusal.code, room.refusal.detail)
