"""How a lot's bidders rank: frozen once an award was proposed, else from its auction or offers."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.rules.core import abnormal
from auctions.rules.core.parameters import Terms
from auctions.rules.core.scoring import evaluate
from auctions.rules.core.state import Placed
from auctions.tenders import queries
from auctions.tenders.models import Lot, Tender
from auctions.tenders.rules import AuctionState
from auctions.tenders.schemas.awards import Ranked
from auctions.tenders.service.offers import scale
from marketplace.kernel.money import exponent_of, parse_minor
from ratings.service.gates import standings

ROWS_MAX = 1_000


async def ranking(
    session: AsyncSession, books: Books, tender: Tender, lot: Lot, now: datetime
) -> list[Ranked]:
    """Best first. Raises Unavailable while the auction's book is away."""
    frozen = await queries.award_sheet(session, lot.id)
    if frozen is not None:
        return msgspec.convert(frozen.rows, list[Ranked])
    auction = (await queries.auctions(session, tender.id)).get(lot.id)
    if auction is None:
        return await _by_offers(session, tender, lot, now)
    if auction.state == AuctionState.CANCELLED:
        return []
    organisations = await queries.participants(session, auction.id)
    return await _by_auction(books, auction.id, organisations)


async def _by_auction(
    books: Books, auction_id: UUID, organisations: dict[str, UUID]
) -> list[Ranked]:
    found = []
    async with books.newest(auction_id) as book:
        state = book.fold.state
        for place, (evaluated, _, alias) in enumerate(state.rows[:ROWS_MAX], 1):
            bidder = state.bidders[alias]
            bid = bidder.current
            assert bid is not None, "a row of the standing has a bid"
            found.append(
                Ranked(
                    rank=place,
                    organisation_id=organisations[alias],
                    price_minor=bid.price,
                    evaluated=str(Fraction(evaluated)),
                    coefficient=str(bid.scale.coefficient),
                    alias=alias,
                    rating=bidder.rating,
                    seq=bid.seq,
                    abnormally_low=abnormal.reasons(state, place - 1),
                    lines=_totals(state.terms, bid),
                )
            )
    return found


def _totals(terms: Terms, bid: Placed) -> dict[str, int]:
    return {line.id: total for line, total in zip(terms.lines, bid.lines, strict=True)}


async def _by_offers(
    session: AsyncSession, tender: Tender, lot: Lot, now: datetime
) -> list[Ranked]:
    offers = (await queries.accepted_offers(session, tender.id)).get(lot.id, [])
    bonuses = {row.organisation_id: row for row in await queries.invitations(session, tender.id)}
    bidders = [offer.organisation_id for offer in offers]
    known = await standings(session, tender.buyer_id, bidders, now)
    rows = []
    for offer in offers:
        assert offer.content is not None, "an accepted offer was opened"
        assert offer.price_minor is not None, "an accepted offer was opened"
        invited = bonuses.get(offer.organisation_id)
        weight = scale(
            tender,
            lot,
            offer.content["attributes"],
            bonus_percent=invited.bonus_percent if invited else "0",
            bonus_minor=invited.bonus_minor if invited else 0,
            rating=known[offer.organisation_id].score,
        )
        evaluated = Fraction(evaluate(weight, offer.price_minor))
        rows.append((evaluated, offer.submitted_at, offer, str(weight.coefficient)))
    rows.sort(key=lambda row: row[:2])
    # An offer is first and last word at once.
    prices = [offer.price_minor or 0 for _, _, offer, _ in rows]
    return [
        Ranked(
            rank=place,
            organisation_id=offer.organisation_id,
            price_minor=offer.price_minor or 0,
            evaluated=str(evaluated),
            coefficient=coefficient,
            rating=known[offer.organisation_id].score,
            abnormally_low=abnormal.judge_list(prices, prices, place - 1),
            lines={
                name: parse_minor(text, exponent_of(tender.currency))
                for name, text in (offer.content or {}).get("lines", {}).items()
            },
        )
        for place, (evaluated, _, offer, coefficient) in enumerate(rows, 1)
    ]
