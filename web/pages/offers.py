"""Sealed offers for their buyer: the opening, which of them qualify, and the way on."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Template

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.rules import HIDDEN, OfferState
from auctions.tenders.schemas.offers import OfferView
from auctions.tenders.schemas.tender import LotView, TenderView
from auctions.tenders.sending import Desk
from auctions.tenders.service.opening_room import OpeningRoom, Share
from marketplace.accounts.schemas import MemberView
from marketplace.accounts.service import colleagues
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Malformed
from marketplace.kernel.settings import Settings
from marketplace.kernel.workflow import Refusal
from web.pages.bid_fields import Answer, answers_of
from web.pages.forms import typed_time
from web.pages.render import go
from web.pages.roles import known_roles, roles_in_order
from web.pages.tender_page import DECIDED_ON
from web.pages.visit import UNTRIED, Attempt, Visit
from web.translate import Language

FOR_MEMBERS = allow(scope=None, waiting=True)
REASON_CHARS_MAX = 1_000
NO_REASON = {"reason_missing": "reason"}
FIELDS = frozenset(["reason", "starts_at"])
START_IN = timedelta(minutes=10)


class Row(msgspec.Struct, frozen=True):
    """One opened offer and what this viewer may do with it."""

    offer: OfferView
    answers: list[Answer]
    steps: list[str]


class LotOffers(msgspec.Struct, frozen=True):
    """`rows` best first; `sealed` is how many are still closed."""

    lot: LotView
    rows: list[Row]
    sealed: int
    award_href: str | None


class Seat(msgspec.Struct, frozen=True):
    """One person's part in the opening: who gave it, or who could."""

    number: int
    by: str
    own: bool
    at: datetime | None


class TenderOfferPages(Controller):
    path = "/tenders/{tender_id:uuid}/offers"

    @get("/", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, tender_id: UUID) -> Template:
        return await _page(visit, tender_id)

    @post("/open", opt=FOR_MEMBERS)
    async def open_offers(self, visit: Visit, settings: Settings, tender_id: UUID) -> Response[Any]:
        """Release the own part; the last one opens every offer at once."""
        async with visit.trying() as attempt:
            await service.open_offers(
                visit.session, visit.actor, tender_id, settings.secret, visit.now
            )
            return go(f"/tenders/{tender_id}/offers")
        return await _page(visit, tender_id, attempt, about="open")

    @post("/start", opt=FOR_MEMBERS)
    async def start(
        self, visit: Visit, database: Database, clock: Clock, books: Books, tender_id: UUID
    ) -> Response[Any]:
        """On to the auctions, at the typed time or as the rules of each lot say."""
        form = await visit.form()
        async with visit.trying(form) as attempt:
            starts_at = form.instant("starts_at") if form.one("starts_at") else None
            desk = Desk(database, books, clock)
            await service.start_auctions(
                visit.session, visit.actor, tender_id, starts_at, desk, visit.now
            )
            return go(f"/tenders/{tender_id}")
        return await _page(visit, tender_id, attempt)

    @post("/skip_auction", opt=FOR_MEMBERS)
    async def skip_auction(self, visit: Visit, tender_id: UUID) -> Response[Any]:
        """On to the award, on the qualified offers alone."""
        async with visit.trying() as attempt:
            await service.skip_auctions(visit.session, visit.actor, tender_id, visit.now)
            return go(f"/tenders/{tender_id}")
        return await _page(visit, tender_id, attempt)

    @post("/fail", opt=FOR_MEMBERS)
    async def fail(
        self, visit: Visit, database: Database, clock: Clock, books: Books, tender_id: UUID
    ) -> Response[Any]:
        """No award at all."""
        form = await visit.form()
        reason = form.one("reason")[:REASON_CHARS_MAX]
        async with visit.trying(form, codes=NO_REASON) as attempt:
            desk = Desk(database, books, clock)
            await service.fail(visit.session, visit.actor, tender_id, reason, desk, visit.now)
            return go(f"/tenders/{tender_id}")
        return await _page(visit, tender_id, attempt, about="fail")


class OfferPages(Controller):
    path = "/offers/{offer_id:uuid}"

    @post("/{event:str}", opt=FOR_MEMBERS)
    async def qualify(self, visit: Visit, offer_id: UUID, event: str) -> Response[Any]:
        """It qualifies, or is rejected for a reason that its supplier reads."""
        form = await visit.form()
        reason = form.one("reason")[:REASON_CHARS_MAX] if event == "reject" else None
        tender_id = await service.tender_of_offer(visit.session, visit.actor, offer_id)
        async with visit.trying(form, codes=NO_REASON) as attempt:
            if event not in {"accept", "reject"}:
                raise Malformed("malformed", "There is no such button.")
            await service.qualify(visit.session, visit.actor, offer_id, event, reason, visit.now)
            return go(f"/tenders/{tender_id}/offers#offer-{offer_id}")
        return await _page(visit, tender_id, attempt, about=str(offer_id))


async def _page(
    visit: Visit, tender_id: UUID, attempt: Attempt = UNTRIED, *, about: str = ""
) -> Template:
    """`about` is the event or the offer that `attempt` is of. Raises NotFound."""
    session, actor, fmt = visit.session, visit.actor, visit.fmt
    room = await service.show_opening(session, actor, tender_id, visit.now)
    tender = await service.show(session, actor, tender_id)
    offers = (await service.list_offers(session, actor, tender_id)).items
    people = (await colleagues.members(session, actor)).items
    words = _Words(fmt, room)
    errors = {name: text for name, text in attempt.errors.items() if name in FIELDS}
    lots = [_lot(lot, tender, offers, room, fmt) for lot in tender.lots]
    return await visit.page(
        "offers.html",
        attempt,
        area="tenders",
        tender=tender,
        asked=tender.offers is not None and tender.state not in HIDDEN,
        lots=lots,
        total=sum(room.sealed.values()),
        undecided=_count(offers, OfferState.OPENED),
        qualified=_count(offers, OfferState.ACCEPTED),
        seats=[_seat(share, people, actor) for share in room.shares],
        next_people=_next_people(room, people),
        why={event: words.of(each, event) for event, each in room.refusals.items()},
        form=attempt.typed or {"starts_at": _start(tender, visit.now)},
        errors=errors,
        about=about,
        problem=None if errors else words.box(attempt, about),
    )


class _Words:
    """Refusals in the page's own words."""

    def __init__(self, fmt: Language, room: OpeningRoom) -> None:
        _ = fmt.gettext
        titles = [role.title for role in roles_in_order(room.openers, known_roles(_))]
        self._known = {
            "already_released": _("Your approval is on record. Somebody else must give the other."),
            "not_independent": _(
                "One of you two invited the other or gave the role. Another colleague must approve."
            ),
            "role_too_new": _(
                "Your role for it began after the offers were due. It takes somebody who had one."
            ),
            "offers_not_due": _("Nobody can open an offer before the last minute is over."),
            "offers_undecided": _("Qualify or reject every offer first."),
            "nobody_qualified": _("No offer is qualified, so there is nobody to go on with."),
            "offer_damaged": _("This offer cannot be read, so it cannot qualify."),
            "undefined_transition": _("Somebody was faster. Below is how it stands now."),
            "wrong_state": _("Somebody was faster. Below is how it stands now."),
        }
        self._opening = _("Opening takes one of these roles: %(roles)s.") % {
            "roles": ", ".join(titles)
        }
        self._deciding = _("Your roles let you read this, not decide it.")

    def of(self, refusal: Refusal, event: str) -> str:
        if refusal.code == "role_missing":
            return self._opening if event == "open" else self._deciding
        return self._known.get(refusal.code, refusal.detail)

    def box(self, attempt: Attempt, event: str) -> dict[str, str] | None:
        problem = attempt.problem
        if problem is None or attempt.box is None or problem.errors:
            return attempt.box
        return attempt.box | {"detail": self.of(Refusal(problem.code, problem.detail), event)}


def _lot(
    lot: LotView, tender: TenderView, offers: list[OfferView], room: OpeningRoom, fmt: Language
) -> LotOffers:
    rows = [
        Row(offer, answers_of(lot, offer, tender.currency, fmt), room.steps.get(offer.id, []))
        for offer in offers
        if offer.lot_id == lot.id
    ]
    award_href = f"/lots/{lot.id}/award" if tender.state in DECIDED_ON else None
    return LotOffers(lot, sorted(rows, key=_worth), room.sealed.get(lot.id, 0), award_href)


def _worth(row: Row) -> tuple[bool, Decimal]:
    """What could not be read comes last."""
    evaluated = row.offer.evaluated
    return evaluated is None, Decimal(evaluated.amount) if evaluated else Decimal(0)


def _count(offers: list[OfferView], state: OfferState) -> int:
    return sum(offer.state == state for offer in offers)


def _seat(share: Share, people: list[MemberView], actor: Actor) -> Seat:
    names = {each.id: each.name for each in people}
    by = names.get(share.released_by, "") if share.released_by else ""
    return Seat(share.number, by, share.released_by == actor.user_id, share.released_at)


def _next_people(room: OpeningRoom, people: list[MemberView]) -> list[str]:
    """Colleagues who could open together with the viewer."""
    done = {share.released_by for share in room.shares}
    return [each.name for each in people if each.id in room.partners - done]


def _start(tender: TenderView, now: datetime) -> str:
    """A start to offer where a lot's own has passed by now, else none."""
    for lot in tender.lots:
        try:
            own = datetime.fromisoformat(str(lot.rules.get("starts_at")))
        except ValueError:
            continue
        if own < now:
            return typed_time((now + START_IN).replace(second=0, microsecond=0))
    return ""
