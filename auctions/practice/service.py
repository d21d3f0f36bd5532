"""Beginning a practice auction: the rules of a lot or given ones, shortened, with bots.

It is an auction like any other, a book with terms, so page, live channel, receipts and transcript
are the same code. It differs in one row: `practice_auctions` instead of `auctions`. Therefore no
tender, award, rating or statistic can see it, and only its organisation can enter.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.practice import queries, rules
from auctions.practice.models import PracticeAuction
from auctions.practice.schemas import NewPractice, PracticeView
from auctions.rules.core.parameters import Terms
from auctions.rules.terms.read import read_terms
from auctions.tenders import queries as tenders
from auctions.tenders.aliases import draw_alias
from auctions.tenders.service.lot_terms import lot_terms
from auctions.tenders.service.views import visible_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import from_micros, rfc3339, to_micros
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Conflict, Invalid, NotFound, TooFast, Unavailable
from marketplace.kernel.ids import new_id

RUNNING_MAX = 3
HOURLY_MAX = 20
EVERYBODY_MAX = 300
"""At once, an organisation; begun within an hour, an organisation; at once, all together."""

HOUR = timedelta(hours=1)


class Source(msgspec.Struct, frozen=True):
    """What is practised. `buying`: the learner looks on as the buyer does."""

    terms: Terms
    title: str
    buying: bool
    tender_id: UUID | None = None
    lot_id: UUID | None = None


async def require_room(database: Database) -> None:
    """Raises Unavailable when the whole room is full; asked in a transaction of the house."""
    async with database.transaction(SYSTEM) as session:
        running = await queries.running_count(session)
    if running >= EVERYBODY_MAX:
        raise Unavailable("practice_full", "The practice room is full.", retry_after_s=60)


async def begin(
    session: AsyncSession, actor: Actor, new: NewPractice, books: Books, now: datetime
) -> PracticeView:
    """A private auction that starts in some seconds. Raises NotFound, Forbidden, Invalid, Conflict
    (too many run), TooFast (too many in an hour).
    """
    auction_id = new_id()
    source = await _source(session, actor, new, auction_id, now)
    actor.require_role(*queries.ROLES[source.buying])
    await _require_within_limits(session, actor, now)
    terms = rules.practice_terms(source.terms, str(auction_id), to_micros(now))
    aliases = _aliases(rules.bots_count(terms) + 1)
    alias, bots = (None, aliases[1:]) if source.buying else (aliases[0], aliases[1:])
    session.add(
        PracticeAuction(
            id=auction_id,
            organisation_id=actor.organisation_id,
            user_id=actor.user_id,
            tender_id=source.tender_id,
            lot_id=source.lot_id,
            title=source.title,
            alias=alias,
            bots=bots,
            created_at=now,
            due_at=now,
        )
    )
    await session.flush()
    await books.create(session, auction_id=auction_id, terms=terms)
    return PracticeView(
        auction_id=auction_id,
        role="buyer" if source.buying else "bidder",
        alias=alias,
        title=source.title,
        starts_at=from_micros(terms.starts_at_us),
        url=f"/auctions/{auction_id}",
    )


async def _source(
    session: AsyncSession, actor: Actor, new: NewPractice, auction_id: UUID, now: datetime
) -> Source:
    if (new.lot_id is None) == (new.rules is None):
        raise Invalid.field("lot_id", "one_of", "Name either a lot or rules.")
    if new.lot_id is not None:
        return await _from_lot(session, actor, new.lot_id, auction_id, now)
    assert new.rules is not None, "one of the two is there"
    terms = read_terms(
        {**new.rules, "starts_at": rfc3339(to_micros(now))},
        auction=str(auction_id),
        currency=new.currency,
        ceiling=new.ceiling,
    )
    return Source(terms, new.title, buying="supplies" not in actor.capabilities)


async def _from_lot(
    session: AsyncSession, actor: Actor, lot_id: UUID, auction_id: UUID, now: datetime
) -> Source:
    lot = await tenders.lot(session, lot_id)
    if lot is None:
        raise NotFound("lot")
    tender = await visible_tender(session, actor, lot.tender_id)
    terms = lot_terms(tender, lot, auction_id, None, now)
    buying = tender.buyer_id == actor.organisation_id
    return Source(terms, lot.title, buying, tender.id, lot.id)


async def _require_within_limits(session: AsyncSession, actor: Actor, now: datetime) -> None:
    await queries.take_turns(session, actor.organisation_id)
    running, recent, first = await queries.counts(session, actor.organisation_id, now - HOUR)
    if running >= RUNNING_MAX:
        detail = f"At most {RUNNING_MAX} practice auctions at once; one of them ends soon."
        raise Conflict("practice_limit", detail)
    if recent >= HOURLY_MAX and first is not None:
        wait_s = int((first + HOUR - now).total_seconds()) + 1
        raise TooFast(f"At most {HOURLY_MAX} practice auctions an hour.", retry_after_s=wait_s)


def _aliases(count: int) -> list[str]:
    """As many different ones."""
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        drawn[draw_alias()] = None
    return list(drawn)
