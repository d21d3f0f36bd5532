"""The list of one's auctions: what runs, what comes, what is over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.live.hub import Hub
from auctions.tenders import service
from auctions.tenders.queries import TENDERS
from auctions.tenders.schemas.awards import AwardView
from auctions.tenders.schemas.tender import LotView, TenderView
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import Amount
from web.pages import queries
from web.pages.own_awards import notes_of, own_awards
from web.pages.queries import Progress
from web.pages.render import page
from web.pages.tiles import LIVE, Figures, figures
from web.pages.visit import Visit

TENDERS_MAX = 20
LIVE_MAX = 12
"""So many tiles come with their figures at once; any others fetch theirs."""

CLOSED_MAX = 6
"""So many finished ones say how they ended; opening the book of an old one costs a read."""

OVER = frozenset(["closed", "cancelled"])
STATES = LIVE | OVER | {"scheduled"}
MOVED = "auction-moved"
"""What the list hears when an auction opened, paused or ended: it fetches itself anew."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One auction in the list. `note` is what the reader should do."""

    id: UUID
    href: str
    state: str
    title: str
    tender_title: str
    starts_at: datetime | None
    close_at: datetime | None
    ceiling: Amount | None
    note: str | None
    won: bool = False
    declined: bool = False
    figures: Figures | None = None

    @property
    def polled(self) -> str:
        """The state that the tile asks about every two seconds; nothing once it is over."""
        return "" if self.state in OVER else self.state


class Group(msgspec.Struct, frozen=True):
    key: str
    title: str
    auctions: list[Card]


class HomePage(Controller):
    path = "/auctions"

    @get("/", opt=allow(scope=None, waiting=True))
    async def home(self, visit: Visit, database: Database, live: Hub) -> Template:
        running = await queries.running_auctions(database) if visit.actor.operator else []
        tenders = await _tenders(visit.session, visit.actor)
        awards = await own_awards(visit.session, visit.actor)
        auction_ids = [lot.auction_id for tender in tenders for lot in tender.lots]
        known = await queries.progress(database, filter(None, auction_ids))
        _ = visit.fmt.gettext
        notes = notes_of(_)
        cards = [
            _card(tender, lot, known[lot.auction_id], visit.actor, notes, awards.get(lot.id))
            for tender in tenders
            for lot in tender.lots
            if lot.auction_id in known
        ]
        cards = await _with_figures(live, visit.session, visit.actor, cards)
        titles = {"open": _("Live now"), "next": _("Coming up"), "past": _("Finished")}
        grouped = [
            Group(key, title, [card for card in cards if _group_of(card) == key])
            for key, title in titles.items()
        ]
        shown = [group for group in grouped if group.auctions]
        return await visit.page(
            "home.html",
            area="auctions",
            groups=shown,
            running=running,
            waiting=[award for award in awards.values() if award.state == "offered"],
        )

    @get("/{auction_id:uuid}/figures", opt=allow(scope=None, waiting=True))
    async def tile(self, visit: Visit, live: Hub, auction_id: UUID, was: str = "") -> Template:
        """The figures of one tile; `was` is the state it shows. Raises NotFound."""
        now = await figures(live, visit.session, visit.actor, auction_id)
        if now is None:
            raise NotFound("auction")
        polled = was if was in STATES else now.state
        answer = page(
            visit.request,
            "parts/figures_alone.html",
            id=auction_id,
            figures=now,
            polled="" if now.state in OVER else polled,
        )
        if now.state != was:
            answer.headers["HX-Trigger"] = MOVED
        return answer


async def _with_figures(
    live: Hub, session: AsyncSession, actor: Actor, cards: list[Card]
) -> list[Card]:
    wanted = [card.id for card in cards if card.state in LIVE][:LIVE_MAX]
    wanted += [card.id for card in cards if card.state == "closed"][:CLOSED_MAX]
    known = {each: await figures(live, session, actor, each) for each in wanted}
    return [msgspec.structs.replace(card, figures=known.get(card.id)) for card in cards]


async def _tenders(session: AsyncSession, actor: Actor) -> list[TenderView]:
    """The newest with an auction, at most TENDERS_MAX."""
    lines = (await service.listing(session, actor, page=TENDERS.page(TENDERS_MAX))).items
    return [
        await service.show(session, actor, line.id)
        for line in lines
        if line.published_at is not None
    ]


def _card(
    tender: TenderView,
    lot: LotView,
    progress: Progress,
    actor: Actor,
    notes: dict[str, str],
    award: AwardView | None,
) -> Card:
    assert lot.auction_id is not None, "asked for above"
    mine = tender.buyer.id == actor.organisation_id
    joined = mine or lot.alias is not None
    over = progress.status in OVER
    where = f"/auctions/{lot.auction_id}" if joined else f"/tenders/{tender.id}"
    answer = "accept" if tender.declined_at is None else "declined"
    note = None if joined or over else notes[answer]
    if award is not None:
        where, note = f"/awards/{award.id}", notes[award.state]
    return Card(
        id=lot.auction_id,
        href=where,
        state=progress.status,
        title=lot.title,
        tender_title=tender.title if mine else f"{tender.title} · {tender.buyer.name}",
        starts_at=lot.starts_at,
        close_at=progress.close_at,
        ceiling=lot.ceiling,
        note=note,
        won=award is not None and award.state == "accepted",
        declined=answer == "declined",
    )


def _group_of(card: Card) -> str:
    if card.state in LIVE:
        return "open"
    return "next" if card.state == "scheduled" else "past"
