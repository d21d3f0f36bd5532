"""Suggested suppliers with their reasons, and a market price band for each lot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries
from auctions.tenders.models import LotItem, Tender
from auctions.tenders.rules import AwardState
from auctions.tenders.schemas.suggestions import BandView, ReasonView, Suggested, Suggestions
from auctions.tenders.service.market import market
from auctions.tenders.service.views import money, own_tender, parties
from auctions.tenders.suggesting import SupplierFact, band, same_kind, share, suggestions
from auctions.tenders.weighing import one_decimal
from marketplace.kernel.actor import Actor
from ratings.service.gates import Standing, blocked_suppliers, standings

AWARDS_FULL, PARTS_FULL = 3, 5
"""So many awards or tenders of the kind count in full."""


async def suggest(
    session: AsyncSession,
    actor: Actor,
    tender_id: UUID,
    now: datetime,
) -> Suggestions:
    """For the buyer's own tender, from price lists, past tenders and ratings. Who is blocked is
    left out. Raises NotFound, Forbidden.
    """
    tender = await own_tender(session, actor, tender_id)
    actor.require_capability("buys")
    items = await queries.items(session, tender_id)
    wanted = [item for row in items.values() for item in row]
    past = await queries.past_lots(session, tender.buyer_id, tender_id)
    alike = [row for row in past if any(_alike(item, row) for item in wanted)]
    unwanted = await blocked_suppliers(session, tender.buyer_id)
    told = await market(session, items, tender.currency, now, unwanted)
    found = [*told.facts, *_awarded(alike), *_took_part(alike)]
    invited = {row.organisation_id for row in await queries.invitations(session, tender_id)}
    active = await queries.active_suppliers(session, {fact.organisation_id for fact in found})
    known = await standings(session, tender.buyer_id, active, now)
    blocked = {key for key, standing in known.items() if standing.blocked is not None}
    found += _rated(known)
    rows = suggestions(
        (fact for fact in found if fact.organisation_id in active),
        invited | blocked | {tender.buyer_id},
    )
    names = await parties(session, [row.organisation_id for row in rows])
    return Suggestions(
        suppliers=[
            Suggested(
                organisation=names[row.organisation_id],
                points=one_decimal(row.points),
                reasons=[ReasonView(reason.kind, reason.text) for reason in row.reasons],
            )
            for row in rows
        ],
        bands=[
            _band(tender, lot_id, lot_items, past, told.prices.get(lot_id, []))
            for lot_id, lot_items in items.items()
        ],
    )


def _alike(item: LotItem, row: Any) -> bool:
    if item.item_id is not None and item.item_id == row.item_id:
        return True
    code = (item.classification or {}).get("code")
    return same_kind(code, item.name, row.code, row.name)


def _awarded(alike: Sequence[Any]) -> list[SupplierFact]:
    lots: dict[UUID, set[UUID]] = {}
    for row in alike:
        if row.state == AwardState.ACCEPTED:
            lots.setdefault(row.organisation_id, set()).add(row.lot_id)
    return [
        SupplierFact(
            key, "awarded_before", share(len(won), AWARDS_FULL), f"Won {len(won)} of your lots."
        )
        for key, won in lots.items()
    ]


def _took_part(alike: Sequence[Any]) -> list[SupplierFact]:
    tenders: dict[UUID, set[UUID]] = {}
    for row in alike:
        tenders.setdefault(row.organisation_id, set()).add(row.tender_id)
    return [
        SupplierFact(
            key,
            "took_part",
            share(len(joined), PARTS_FULL),
            f"Took part in {len(joined)} of your tenders of this kind.",
        )
        for key, joined in tenders.items()
    ]


def _rated(known: Mapping[UUID, Standing]) -> list[SupplierFact]:
    return [
        SupplierFact(key, "rating", Fraction(row.score) / 100, f"Rated {row.score} by you.")
        for key, row in known.items()
        if row.score is not None
    ]


def _band(
    tender: Tender,
    lot_id: UUID,
    items: Sequence[LotItem],
    past: Sequence[Any],
    listed: Sequence[int],
) -> BandView:
    """Past awards tell a unit price only where a lot had one item; it is scaled to this lot."""
    known = list(listed)
    awarded = 0
    if len(items) == 1:
        for row in past:
            fits = row.items_count == 1 and row.currency == tender.currency
            if not fits or row.state != AwardState.ACCEPTED or row.unit != items[0].unit:
                continue
            if _alike(items[0], row):
                price = Fraction(row.price_minor) * Fraction(items[0].quantity)
                known.append(round(price / Fraction(row.quantity)))
                awarded += 1
    found = band(known)
    return BandView(
        lot_id=lot_id,
        low=money(found.low, tender.currency) if found else None,
        median=money(found.median, tender.currency) if found else None,
        high=money(found.high, tender.currency) if found else None,
        from_price_lists=len(listed),
        from_past_awards=awarded,
    )
