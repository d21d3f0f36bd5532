"""Tenders: the list, the short form for buyers, and one tender with the terms to accept."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.practice.queries import ROLES
from auctions.tenders import service
from auctions.tenders.queries import BIDDER_ROLES
from auctions.tenders.schemas.awards import AwardView
from auctions.tenders.schemas.tender import (
    AcceptTerms,
    ItemView,
    LotView,
    TenderLine,
    TenderView,
)
from auctions.tenders.sending import Desk
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, Problem
from marketplace.kernel.settings import Settings
from web.pages import queries
from web.pages.dossier import dossier
from web.pages.forms import read_form
from web.pages.home import own_awards
from web.pages.render import (
    AnyRequest,
    field_errors,
    go,
    language_of,
    page,
    told,
    viewer_of,
)
from web.pages.tender_form import NAMES, defaults, read_tender
from web.pages.terms import explained, lot_terms, unit_words
from web.translate import Language

LIST_MAX = AWARDS_MAX = 100
BEFORE_THE_END = frozenset(["published", "opened", "in_auction"])
DECIDED_ON = frozenset(["awarding", "awarded"])
FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_AUTHORS = allow("procurement_officer", scope=None)


class TenderPages(Controller):
    path = "/tenders"

    @get("/", opt=FOR_MEMBERS)
    async def list_tenders(
        self, request: AnyRequest, session: AsyncSession, actor: Actor
    ) -> Template:
        who = await viewer_of(session, actor)
        found = await service.listing(session, actor, limit=LIST_MAX)
        _ = language_of(request).gettext
        notes = {
            "accept": _("Accept the terms"),
            "offered": _("Awarded to you: answer now"),
            "accepted": _("You won"),
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
        return await _tender_page(request, session, actor, clock, tender_id)

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
            return await _tender_page(request, session, actor, clock, tender_id, problem)
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
            return await _tender_page(request, session, actor, clock, tender_id, problem)
        return go(f"/tenders/{tender_id}")

    @post("/{tender_id:uuid}/participation", opt=FOR_MEMBERS)
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
            return await _tender_page(request, session, actor, clock, tender_id, changed)
        answer = AcceptTerms(accept_terms=form.one("accept_terms") == "true")
        desk = Desk(database, books, clock)
        await service.participate(session, actor, tender_id, answer, desk, clock.now())
        return go(f"/tenders/{tender_id}")


def _line(line: TenderLine, notes: dict[str, str], award: AwardView | None) -> dict[str, Any]:
    waits = not line.mine and line.accepted_at is None and line.state == "published"
    note = notes["accept"] if waits else notes[award.state] if award else None
    return {
        "id": line.id,
        "title": line.title,
        "buyer_name": None if line.mine else line.buyer.name,
        "lots": line.lots_count,
        "starts_at": line.starts_at,
        "state": line.state,
        "note": note,
        "won": award is not None and award.state == "accepted",
    }


async def _tender_page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    clock: Clock,
    tender_id: UUID,
    problem: Problem | None = None,
) -> Template:
    """Raises NotFound."""
    who = await viewer_of(session, actor)
    fmt = language_of(request)
    tender = await service.show(session, actor, tender_id)
    mine = tender.buyer.id == actor.organisation_id
    awards = await service.list_awards(session, actor, limit=AWARDS_MAX, tender_id=tender_id)
    shown = {
        "id": tender.id,
        "title": tender.title,
        "state": tender.state,
        "buyer_name": None if mine else tender.buyer.name,
        "participates": tender.accepted_at is not None,
        "ahead": tender.state in BEFORE_THE_END,
        "may_accept": _may_accept(tender, actor, mine),
        "may_practise": _may_practise(actor, mine),
        "may_publish": mine and tender.state == "draft",
        "may_ask": not mine and tender.state in BEFORE_THE_END and actor.has_role(*BIDDER_ROLES),
        "may_answer": mine and actor.has_role("procurement_officer"),
        "addenda_count": tender.addenda_count,
        "offers": tender.offers,
        "offers_href": f"/tenders/{tender.id}/offers" if mine else None,
        "own_offer_href": _own_offer_href(tender, mine),
        "handed_in": await _handed_in(session, actor, tender, clock.now()),
        "opened_at": tender.opened_at,
        "invited": _invited(tender),
        "lots": [_lot(lot, tender, mine, fmt) for lot in tender.lots],
        # The buyer finds them on the sheets.
        "awards": [] if mine else awards.items,
    }
    return page(
        request,
        "tender.html",
        viewer=who,
        status=problem.status if problem else 200,
        area="tenders",
        tender=shown,
        dossier=await dossier(session, actor, tender, fmt),
        problem=told(problem),
    )


async def _handed_in(
    session: AsyncSession, actor: Actor, tender: TenderView, now: datetime
) -> int | None:
    """For how many lots the viewer's own offer is there, None where none can be."""
    if not _own_offer_href(tender, tender.buyer.id == actor.organisation_id):
        return None
    own = await service.show_own_offers(session, actor, tender.id, now)
    return sum(offer.sha256 is not None for offer in own.offers.values())


def _may_accept(tender: TenderView, actor: Actor, mine: bool) -> bool:
    ready = tender.state not in {"cancelled", "awarded", "unsuccessful"} and not mine
    return ready and tender.accepted_at is None and actor.state == "active"


def _own_offer_href(tender: TenderView, mine: bool) -> str | None:
    takes_part = not mine and tender.accepted_at is not None
    return f"/tenders/{tender.id}/offer" if takes_part and tender.offers else None


def _may_practise(actor: Actor, mine: bool) -> bool:
    return actor.state == "active" and actor.has_role(*ROLES[mine])


def _invited(tender: TenderView) -> list[dict[str, Any]] | None:
    if tender.invitations is None:
        return None
    return [
        {"name": each.organisation.name, "accepted": each.accepted_at is not None}
        for each in tender.invitations
    ]


def _lot(lot: LotView, tender: TenderView, mine: bool, fmt: Language) -> dict[str, Any]:
    joined = mine or lot.alias is not None
    return {
        "id": lot.id,
        "title": lot.title,
        "explained": explained(lot, tender.currency, fmt),
        "description": lot.description,
        "positions": [_position(item, fmt) for item in lot.items],
        "terms": lot_terms(lot, tender.currency, fmt),
        "award_href": f"/lots/{lot.id}/award" if mine and tender.state in DECIDED_ON else None,
        "auction_href": f"/auctions/{lot.auction_id}" if lot.auction_id and joined else None,
    }


def _position(item: ItemView, fmt: Language) -> dict[str, Any]:
    coded = item.classification
    return {
        "name": item.name,
        "description": item.description,
        "quantity": item.quantity,
        "unit": unit_words(item.unit, fmt.gettext),
        "classification": coded and f"{coded.scheme} {coded.code} {coded.title}".strip(),
    }
