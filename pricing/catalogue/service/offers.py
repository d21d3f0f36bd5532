"""All suppliers' prices for an item side by side, per base unit in one currency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import Amount
from pricing.catalogue import queries
from pricing.catalogue.schemas import Offer, OfferPage
from pricing.lists import service as lists
from pricing.lists.rules import UNIT_PRICE_PLACES, quotient, trimmed
from pricing.lists.schemas import Resolved

OFFERS_MAX = 500


async def offers_for(
    session: AsyncSession, item_id: UUID, *, quantity: str, currency: str | None, on: date
) -> OfferPage:
    """What each visible supplier asks on day `on`; expired and blocked prices are left out. Raises
    NotFound, Invalid.
    """
    lists.parse_quantity(quantity)
    item = await queries.find_item(session, item_id)
    if item is None:
        raise NotFound("item")
    found: list[tuple[Any, str, Resolved]] = []
    for seller in (await queries.sellers(session, item_id, item["sku"]))[:OFFERS_MAX]:
        for sku in seller["skus"]:
            resolved = await lists.price_of(
                session,
                seller["supplier_id"],
                sku,
                quantity=quantity,
                currency=currency,
                on=on,
                known_at=None,
            )
            if resolved.line is not None:
                found.append((seller, sku, resolved))
    units = await queries.unit_bases(
        session, sorted({resolved.line.unit for _, _, resolved in found if resolved.line})
    )
    offers = [_offer(seller, sku, resolved, units) for seller, sku, resolved in found]
    offers.sort(key=_order)
    return OfferPage(offers)


def _order(offer: Offer) -> tuple[str, str, Decimal, str]:
    """Comparable ones first: one unit, one currency, the lowest price."""
    if offer.normal is None:
        return "~", "", Decimal(0), offer.supplier
    return offer.normal_unit, offer.normal.currency, Decimal(offer.normal.amount), offer.supplier


def _offer(seller: Any, sku: str, resolved: Resolved, units: Mapping[str, Any]) -> Offer:
    line, where, version = resolved.line, resolved.list, resolved.version
    assert line is not None
    assert where is not None
    assert version is not None
    base = units.get(line.unit)
    return Offer(
        supplier_id=seller["supplier_id"],
        supplier=seller["name"],
        sku=sku,
        list=where,
        version=version,
        resolved=resolved,
        normal=_normal(resolved, Decimal(1) if base is None else base["factor"]),
        normal_unit=line.unit if base is None else base["base_code"],
        lead_time_days=line.lead_time_days,
        min_order=line.moq or line.min_quantity,
        valid_to=line.valid_to,
    )


def _normal(resolved: Resolved, factor: Decimal) -> Amount | None:
    """The price of one base unit."""
    if resolved.price is None or resolved.price_unit is None:
        return None
    units = Decimal(resolved.price_unit) * factor
    amount = quotient(Decimal(resolved.price.amount), units, UNIT_PRICE_PLACES)
    return Amount(str(trimmed(amount)), resolved.price.currency)
