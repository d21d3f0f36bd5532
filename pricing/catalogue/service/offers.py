"""All suppliers' prices for an item side by side, per base unit in one currency."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.codes import require_currency
from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import Amount
from pricing.catalogue import queries
from pricing.catalogue.schemas import Offer, OfferPage
from pricing.lists import service as lists
from pricing.lists.rules import ORDER_CONDITIONS, UNIT_PRICE_PLACES, Step, quotient, trimmed
from pricing.lists.schemas import Resolved
from pricing.lists.service import Question

OFFERS_MAX = 500
# Why a list gave no price, the most telling first. Expired prices and none at all are not listed.
_NO_PRICE = ("below_minimum", "no_rate", "other_unit")


class _Found(msgspec.Struct, frozen=True):
    """What one SKU of a supplier gave; `why_not` is the step that keeps it from being compared."""

    seller: Any
    sku: str
    resolved: Resolved
    why_not: Step | None


async def offers_for(
    session: AsyncSession,
    item_id: UUID,
    *,
    quantity: str,
    currency: str | None,
    on: date,
    unit: str | None = None,
    but: Collection[UUID] = (),
) -> OfferPage:
    """What each visible supplier `but` these asks on day `on`; expired and blocked prices are left
    out. Raises NotFound, Invalid.
    """
    amount = lists.parse_quantity(quantity)
    require_currency("currency", currency)
    item = await queries.find_item(session, item_id)
    if item is None:
        raise NotFound("item")
    asked_unit = item["unit"] if unit is None else await lists.unit_code(session, unit)
    question = Question(quantity=amount, unit=asked_unit, currency=currency, on=on)
    sellers = await queries.sellers(session, item_id, item["sku"])
    wanted = [seller for seller in sellers if seller["supplier_id"] not in but]
    found = [
        one
        for seller in wanted[:OFFERS_MAX]
        for sku in seller["skus"]
        if (one := await _look(session, seller, sku, question)) is not None
    ]
    names = {one.resolved.line.unit for one in found if one.resolved.line} | {asked_unit}
    units = await queries.unit_bases(session, sorted(names))
    offers = [_offer(one, units) for one in found]
    offers.sort(key=_order)
    return OfferPage(offers)


async def _look(session: AsyncSession, seller: Any, sku: str, question: Question) -> _Found | None:
    """None where the supplier has no price for it today."""
    supplier_id = seller["supplier_id"]
    resolved = await lists.answer_for(session, supplier_id, [sku], question)
    if resolved is None:
        return None
    steps = {step.outcome: step for step in resolved.why}
    if resolved.line is not None:
        refused = next((steps[code] for code in steps if code in ORDER_CONDITIONS), None)
        return _Found(seller, sku, resolved, refused)
    why_not = next((steps[code] for code in _NO_PRICE if code in steps), None)
    if why_not is None:
        return None
    if why_not.outcome != "below_minimum":
        # Not comparable, but a price all the same: as it is listed.
        listed = msgspec.structs.replace(question, unit=None, currency=None)
        resolved = await lists.answer_for(session, supplier_id, [sku], listed) or resolved
    return _Found(seller, sku, resolved, why_not)


def _order(offer: Offer) -> tuple[bool, str, str, Decimal, str, str]:
    """Comparable ones first: one unit, one currency, the lowest price."""
    if offer.normal is None or offer.normal_unit is None:
        return True, "~", "", Decimal(0), offer.supplier, offer.sku
    price = Decimal(offer.normal.amount)
    aside = offer.reason is not None
    return aside, offer.normal_unit, offer.normal.currency, price, offer.supplier, offer.sku


def _offer(found: _Found, units: Mapping[str, Any]) -> Offer:
    resolved, line = found.resolved, found.resolved.line
    base = None if line is None else units.get(line.unit)
    comparable = found.why_not is None or found.why_not.outcome in ORDER_CONDITIONS
    normal = _normal(resolved, Decimal(1) if base is None else base["factor"])
    return Offer(
        supplier_id=found.seller["supplier_id"],
        supplier=found.seller["name"],
        sku=found.sku,
        list=resolved.list,
        version=resolved.version,
        resolved=resolved,
        normal=normal if comparable else None,
        normal_unit=None if line is None else line.unit if base is None else base["base_code"],
        reason=None if found.why_not is None else found.why_not.outcome,
        detail=None if found.why_not is None else found.why_not.detail,
        lead_time_days=None if line is None else line.lead_time_days,
        min_order=None if line is None else line.moq or line.min_quantity,
        valid_to=None if line is None else line.valid_to,
    )


def _normal(resolved: Resolved, factor: Decimal) -> Amount | None:
    """The price of one base unit."""
    if resolved.price is None or resolved.price_unit is None:
        return None
    units = Decimal(resolved.price_unit) * factor
    amount = quotient(Decimal(resolved.price.amount), units, UNIT_PRICE_PLACES)
    return Amount(str(trimmed(amount)), resolved.price.currency)
