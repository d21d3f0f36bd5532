"""What price lists say to the lines of an order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.units import code_of
from marketplace.orders.listed import AskedLine, ListPrice
from pricing.lists import queries
from pricing.lists.rules import UNIT_PRICE_PLACES, rounded
from pricing.lists.schemas import Resolved
from pricing.lists.service.prices import Question, answer_for
from pricing.lists.units import Wanted


async def list_prices(
    session: AsyncSession,
    supplier_id: UUID,
    currency: str,
    lines: Sequence[AskedLine],
    on: date,
) -> list[ListPrice | None]:
    """For each line the price that holds for the session's organisation; None where there is none
    in this currency, or where the quantity is below the minimum order or between packs.
    """
    return [await _price(session, supplier_id, currency, line, on) for line in lines]


async def _price(
    session: AsyncSession, supplier_id: UUID, currency: str, line: AskedLine, on: date
) -> ListPrice | None:
    skus = [line.sku] if line.sku is not None else []
    if not skus and line.item_id is not None:
        known = await queries.skus_of_item(session, supplier_id, line.item_id)
        skus = known[0] if known else []
    if not skus:
        return None
    question = Question(
        quantity=line.quantity,
        unit=await _code(session, line.unit),
        currency=currency,
        on=on,
    )
    answer = await answer_for(session, supplier_id, skus, question)
    if answer is None or answer.line is None or answer.least_order is not None:
        return None
    if answer.line.price.currency != currency:
        return None
    return await _exact(session, answer, question)


async def _code(session: AsyncSession, unit: str) -> str:
    """A unit that no list knows is still the same as a line's that is written so."""
    if (code := code_of(unit)) is not None:
        return code
    known = await queries.units_by_name(session, [unit])
    return known[unit].code if unit in known else unit


async def _exact(session: AsyncSession, answer: Resolved, question: Question) -> ListPrice | None:
    """In the asked unit: as the list writes it where the unit is the same, else for one unit, if
    that can be written exactly.
    """
    line, where, version = answer.line, answer.list, answer.version
    assert line is not None, "asked by the caller"
    assert where is not None, "a line has a list"
    assert version is not None, "a line has a version"
    assert question.unit is not None, "a line of an order has a unit"
    price, price_unit = Decimal(line.price.amount), Decimal(line.price_unit)
    if line.unit != question.unit:
        known = await queries.units_by_name(session, [line.unit, question.unit])
        wanted = Wanted(quantity=question.quantity, unit=question.unit, known=known)
        for_one = Fraction(price) / Fraction(price_unit) * wanted.units_of(line.unit)
        price, price_unit = rounded(for_one, UNIT_PRICE_PLACES), Decimal(1)
        if Fraction(price) != for_one:
            return None
    return ListPrice(price=price, price_unit=price_unit, list_id=where.id, version=version)
