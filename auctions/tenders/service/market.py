"""What price lists tell of a tender: who offers its items, and what a whole lot would cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import LotItem
from auctions.tenders.service.views import decimal_text
from auctions.tenders.suggesting import SupplierFact, share
from marketplace.kernel.errors import Problem
from marketplace.kernel.money import exponent_of
from pricing.catalogue.schemas import Offer
from pricing.catalogue.service.offers import offers_for

ITEMS_MAX = 50
"""Items of a tender that are looked up; each asks every supplier's lists."""


class Market(msgspec.Struct, frozen=True):
    """`prices` by lot, in minor units: one from each supplier that offers every item of the lot."""

    facts: list[SupplierFact]
    prices: dict[UUID, list[int]]


async def market(
    session: AsyncSession,
    items: Mapping[UUID, Sequence[LotItem]],
    currency: str,
    now: datetime,
    blocked: Collection[UUID],
) -> Market:
    """From the price lists the session may see but those of `blocked` suppliers; items that are not
    from the catalogue tell nothing.
    """
    listed = [item for row in items.values() for item in row if item.item_id][:ITEMS_MAX]
    costs: dict[tuple[UUID, int], dict[UUID, Fraction]] = {}
    for item in listed:
        found = await _offers(session, item, currency, now, blocked)
        costs[item.lot_id, item.position] = _costs(found, currency)
    return Market(_facts(costs, len(listed)), _prices(costs, items, currency))


async def _offers(
    session: AsyncSession, item: LotItem, currency: str, now: datetime, blocked: Collection[UUID]
) -> list[Offer]:
    assert item.item_id is not None, "only items of the catalogue are asked for"
    try:
        page = await offers_for(
            session,
            item.item_id,
            quantity=decimal_text(item.quantity),
            unit=item.unit,
            currency=currency,
            on=now.date(),
            but=blocked,
        )
    except Problem:
        # The item left the catalogue since: the tender keeps its own name for it.
        return []
    return page.items


def _costs(offers: Sequence[Offer], currency: str) -> dict[UUID, Fraction]:
    """The cheapest cost of the wanted quantity by supplier, in major units."""
    found: dict[UUID, Fraction] = {}
    for offer in offers:
        cost = offer.resolved.amount
        if offer.reason is not None or cost is None or cost.currency != currency:
            continue
        amount = Fraction(cost.amount)
        found[offer.supplier_id] = min(amount, found.get(offer.supplier_id, amount))
    return found


def _facts(
    costs: Mapping[tuple[UUID, int], Mapping[UUID, Fraction]], wanted: int
) -> list[SupplierFact]:
    counts: dict[UUID, int] = {}
    for row in costs.values():
        for supplier_id in row:
            counts[supplier_id] = counts.get(supplier_id, 0) + 1
    return [
        SupplierFact(
            key,
            "offers_item",
            share(count, wanted),
            f"Lists {count} of {wanted} items with prices.",
        )
        for key, count in counts.items()
    ]


def _prices(
    costs: Mapping[tuple[UUID, int], Mapping[UUID, Fraction]],
    items: Mapping[UUID, Sequence[LotItem]],
    currency: str,
) -> dict[UUID, list[int]]:
    scale = 10 ** exponent_of(currency)
    found: dict[UUID, list[int]] = {}
    for lot_id, row in items.items():
        known = [costs.get((lot_id, item.position), {}) for item in row]
        complete = set.intersection(*(set(each) for each in known)) if known else set()
        found[lot_id] = [
            round(sum((each[key] for each in known), Fraction(0)) * scale) for key in complete
        ]
    return found
