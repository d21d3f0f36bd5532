"""Resolve a price and say why; what was known when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel import decimals, units
from marketplace.kernel.codes import require_currency
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.money import Amount
from marketplace.kernel.statements import Source
from pricing.lists import queries
from pricing.lists.rates import Rate
from pricing.lists.rules import (
    UNIT_PRICE_PLACES,
    Resolution,
    amount_for,
    least_order,
    plain,
    resolve,
    rounded,
    trimmed,
)
from pricing.lists.schemas import (
    History,
    HistoryEntry,
    LeastOrder,
    ListRef,
    Resolved,
    line_view,
)
from pricing.lists.units import Unit, Wanted

HISTORY_MAX = 1_000


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a price is asked for. `unit` is a code; None: the quantity counts in each line's own
    unit. `currency` None: the price as it is listed.
    """

    quantity: Decimal
    on: date
    unit: str | None = None
    currency: str | None = None
    known_at: datetime | None = None


async def price_of(
    source: Source,
    supplier_id: UUID,
    item: str,
    *,
    quantity: str,
    currency: str | None,
    on: date,
    known_at: datetime | None,
    unit: str | None = None,
) -> Resolved:
    """The price that holds for the caller, and why. `item` is an item's id, whose unit is then the
    default, or a supplier's SKU as written in its list. Raises NotFound, Invalid.
    """
    require_currency("currency", currency)
    skus, items_unit = await _skus(source, supplier_id, item)
    question = Question(
        quantity=parse_quantity(quantity),
        unit=None if unit is None else await unit_code(source, unit),
        currency=currency,
        on=on,
        known_at=known_at,
    )
    if unit is None and items_unit is not None:
        question = msgspec.structs.replace(question, unit=items_unit)
    answer = await answer_for(source, supplier_id, skus, question)
    if unit is None and answer is not None and answer.price is None and _other_unit(answer):
        # Nobody asked for the item's unit, so the line's own is as good.
        own_unit = msgspec.structs.replace(question, unit=None)
        answer = await answer_for(source, supplier_id, skus, own_unit)
    if answer is None:
        raise NotFound("price")
    return answer


def _other_unit(answer: Resolved) -> bool:
    return any(step.outcome == "other_unit" for step in answer.why)


async def answer_for(
    source: Source, supplier_id: UUID, skus: Iterable[str], question: Question
) -> Resolved | None:
    """None when the caller sees no line of these SKUs."""
    lists, combination = await queries.offered(source, supplier_id, skus, question.known_at)
    lines = [line for offered in lists for line in offered.lines]
    if not lines:
        return None
    known = await _units(source, question, {line.unit for line in lines})
    answer = resolve(
        lists,
        quantity=question.quantity,
        currency=question.currency,
        on=question.on,
        unit=question.unit,
        units=known,
        rates=await _rates(source, question, {line.currency for line in lines}),
        combination=combination,
    )
    return _resolved(answer, question, known)


async def _units(source: Source, question: Question, theirs: set[str]) -> dict[str, Unit]:
    if question.unit is None or theirs == {question.unit}:
        return {}
    return await queries.units_by_name(source, theirs | {question.unit})


async def _rates(source: Source, question: Question, theirs: set[str]) -> list[Rate]:
    if question.currency is None or theirs == {question.currency}:
        return []
    return await queries.newest_rates(source, question.on, question.known_at)


async def unit_code(source: Source, unit: str) -> str:
    """The code of a unit as it was asked for, a code or a usual word. Raises Invalid."""
    if (code := units.code_of(unit)) is not None:
        return code
    # The operator may have loaded a list that knows more.
    found = await queries.units_by_name(source, [unit])
    if unit not in found:
        message = "This unit is in no list."
        raise Invalid.field("unit", "unknown_unit", message, units.HINT)
    return found[unit].code


def parse_quantity(quantity: str) -> Decimal:
    """Raises Invalid."""
    try:
        return decimals.parse_quantity(quantity)
    except decimals.NotADecimal as wrong:
        message = "A quantity is a positive decimal number."
        raise Invalid.field("quantity", "malformed", message, wrong.hint) from None


async def _skus(source: Source, supplier_id: UUID, item: str) -> tuple[list[str], str | None]:
    """The SKUs, and the unit of an item of the catalogue."""
    try:
        item_id = UUID(item)
    except ValueError:
        return [item], None
    found = await queries.skus_of_item(source, supplier_id, item_id)
    if found is None:
        raise NotFound("item")
    return found


def _resolved(answer: Resolution, question: Question, known: Mapping[str, Unit]) -> Resolved:
    line, offered, price, currency = answer.line, answer.offered, answer.price, answer.currency
    if line is None or offered is None or price is None or currency is None:
        return Resolved(
            price=None,
            price_unit=None,
            unit=question.unit,
            unit_price=None,
            amount=None,
            least_order=None,
            line=None,
            version=None,
            list=None,
            why=list(answer.why),
        )
    wanted = Wanted(quantity=question.quantity, unit=question.unit, known=known)
    quantity = wanted.in_unit(line.unit)
    assert quantity is not None, "the line was picked for this quantity"
    least = least_order(line, quantity)
    per_unit = Fraction(price) / Fraction(line.price_unit) * wanted.units_of(line.unit)
    return Resolved(
        price=Amount(str(trimmed(price)), currency),
        price_unit=plain(line.price_unit),
        unit=question.unit or line.unit,
        unit_price=Amount(str(trimmed(rounded(per_unit, UNIT_PRICE_PLACES))), currency),
        amount=Amount(str(amount_for(price, line.price_unit, quantity, currency)), currency),
        least_order=None if least is None else LeastOrder(plain(least), line.unit),
        line=line_view(line),
        version=offered.version,
        list=ListRef(offered.id, offered.name, offered.kind),
        why=list(answer.why),
    )


async def history(
    session: AsyncSession,
    supplier_id: UUID,
    item: str,
    *,
    known_at: datetime | None,
    on: date | None,
) -> History:
    """What was known when, for which days. Raises NotFound for a supplier without any list that the
    caller may read.
    """
    skus, _ = await _skus(session, supplier_id, item)
    found = await queries.history(
        session, supplier_id, skus, known_at=known_at, on=on, limit=HISTORY_MAX
    )
    if not found and not await queries.reads_any_list(session, supplier_id):
        raise NotFound("price")
    return History(
        [
            HistoryEntry(
                known_from=row["known_from"],
                known_to=row["known_to"],
                list=ListRef(row["id"], row["list_name"], row["kind"]),
                line=line_view(line),
            )
            for row, line in found
        ]
    )
