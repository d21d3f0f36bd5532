"""Which line of which price list wins, and the trace that says why; overlaps, breaks, conversion.

All amounts are exact decimals. Times and rates are arguments; nothing here asks the world.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal
from uuid import UUID

import msgspec

from marketplace.kernel.money import exponent_of

UNIT_PRICE_PLACES = 6
RANKS = {"agreement": 0, "tier": 1, "base": 2}

ListKind = Literal["agreement", "tier", "base"]
Combination = Literal["rank", "lowest"]

# Wide enough that no product or quotient of admitted values is rounded before we say so.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One published price: `price` in `currency` for `price_unit` units, from `min_quantity` on.

    `valid_from` and `valid_to` are both inclusive; None is open. `row` is the row of the upload.
    """

    sku: str
    unit: str
    currency: str
    price: Decimal
    price_unit: Decimal = Decimal(1)
    min_quantity: Decimal = Decimal(1)
    valid_from: date | None = None
    valid_to: date | None = None
    supplier_sku: str | None = None
    name: str | None = None
    lead_time_days: int | None = None
    pack_size: Decimal | None = None
    moq: Decimal | None = None
    incoterm: str | None = None
    since: int = 1
    until: int | None = None
    row: int = 0


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A price list as one buyer sees it, with the lines of one SKU in its current version."""

    id: UUID
    name: str
    kind: ListKind
    version: int
    lines: tuple[Line, ...]
    priority: int = 100


class Rate(msgspec.Struct, frozen=True):
    """One unit of `base` costs `rate` of `quote` from `on_date` until the next rate."""

    base: str
    quote: str
    on_date: date
    rate: Decimal
    source: str = ""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sentence of "why this price": what was looked at and what came of it (a stable code)."""

    outcome: str
    detail: str
    list: UUID | None = None
    version: int | None = None


class Resolution(msgspec.Struct, frozen=True):
    """The winning line with its list, or neither; `price` is the line's price in the currency
    asked for, per `line.price_unit`.
    """

    price: Decimal | None
    currency: str | None
    line: Line | None
    offered: Offered | None
    why: tuple[Step, ...]


def quotient(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """`dividend / divisor` to `places` decimals, ties to even."""
    exact = _EXACT.divide(dividend, divisor)
    return exact.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def unit_price(price: Decimal, price_unit: Decimal) -> Decimal:
    """The price of one unit: 10.00 per 100 is 0.10. At most UNIT_PRICE_PLACES decimals."""
    return trimmed(quotient(price, price_unit, UNIT_PRICE_PLACES))


def amount_for(price: Decimal, price_unit: Decimal, quantity: Decimal, currency: str) -> Decimal:
    """What `quantity` units cost, rounded once, at the end, to the currency's minor unit."""
    return quotient(_EXACT.multiply(price, quantity), price_unit, exponent_of(currency))


def trimmed(value: Decimal) -> Decimal:
    """Without trailing zeros beyond two decimals: 0.100000 becomes 0.10, 3.703700 3.7037."""
    short = value.normalize(_EXACT)
    places = max(2, -int(short.as_tuple().exponent))
    return short.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def plain(value: Decimal) -> str:
    """A quantity as people write it: `100`, `2.5`; never an exponent, never a trailing zero."""
    text = format(value.normalize(_EXACT), "f")
    return "0" if text == "-0" else text


def valid_on(line: Line, on: date) -> bool:
    starts = line.valid_from is None or line.valid_from <= on
    return starts and (line.valid_to is None or on <= line.valid_to)


def break_for(lines: Iterable[Line], quantity: Decimal) -> Line | None:
    """The line with the greatest minimum quantity that `quantity` reaches."""
    reached = [line for line in lines if line.min_quantity <= quantity]
    return max(reached, key=lambda line: line.min_quantity, default=None)


def overlaps(lines: Iterable[Line]) -> list[tuple[Line, Line]]:
    """Pairs of lines that would both hold on some day: same SKU, unit, currency and minimum
    quantity, and periods that touch. Each line is paired with the first one it collides with.
    """
    ladders: dict[tuple[str, str, str, Decimal], list[Line]] = defaultdict(list)
    for line in lines:
        ladders[line.sku, line.unit, line.currency, line.min_quantity].append(line)
    found = []
    for ladder in ladders.values():
        ladder.sort(key=lambda line: (line.valid_from or date.min, line.row))
        longest = ladder[0]
        for line in ladder[1:]:
            if (line.valid_from or date.min) <= (longest.valid_to or date.max):
                found.append((longest, line))
            if (line.valid_to or date.max) > (longest.valid_to or date.max):
                longest = line
    return found


def rate_between(rates: Sequence[Rate], base: str, quote: str, on: date) -> Rate | None:
    """The newest rate on or before `on`, read in either direction; None when there is none."""
    direct = [r for r in rates if (r.base, r.quote) == (base, quote) and r.on_date <= on]
    inverse = [r for r in rates if (r.base, r.quote) == (quote, base) and r.on_date <= on]
    newest = max(direct, key=lambda r: r.on_date, default=None)
    other = max(inverse, key=lambda r: r.on_date, default=None)
    if other is None or (newest is not None and newest.on_date >= other.on_date):
        return newest
    return Rate(base, quote, other.on_date, _EXACT.divide(Decimal(1), other.rate), other.source)


def ranked(lists: Iterable[Offered]) -> list[Offered]:
    """Agreement before tier before base; within one kind the lower priority number first."""
    return sorted(lists, key=lambda offered: (RANKS[offered.kind], offered.priority, offered.id))


def combined_lowest(lists: Iterable[Offered]) -> tuple[Line, ...]:
    """One ladder out of several lists: the lowest unit price of each quantity break (the earlier
    list keeps a tie). Lines of different currencies or units are never compared.
    """
    best: dict[tuple[str, str, Decimal], Line] = {}
    for offered in ranked(lists):
        for line in offered.lines:
            key = (line.currency, line.unit, line.min_quantity)
            held = best.get(key)
            if held is None or unit_price(line.price, line.price_unit) < unit_price(
                held.price, held.price_unit
            ):
                best[key] = line
    return tuple(sorted(best.values(), key=lambda line: (line.currency, line.min_quantity)))


def resolve(
    lists: Iterable[Offered],
    *,
    quantity: Decimal,
    currency: str | None,
    on: date,
    rates: Sequence[Rate] = (),
    combination: Combination = "rank",
) -> Resolution:
    """The price for `quantity` on day `on`. Lines in `currency` go before convertible ones."""
    why: list[Step] = []
    order = ranked(lists)
    if combination == "lowest":
        return _by_lowest(order, quantity, currency, on, rates, why)
    for offered in order:
        won = _from_list(offered, offered.lines, quantity, currency, on, rates, why)
        if won is not None:
            return won
    why.append(Step("no_price", "No price list has a price for this."))
    return Resolution(None, None, None, None, tuple(why))


def _by_lowest(
    order: list[Offered],
    quantity: Decimal,
    currency: str | None,
    on: date,
    rates: Sequence[Rate],
    why: list[Step],
) -> Resolution:
    """The supplier combines the lists: of each quantity break the cheapest line counts."""
    today = [
        msgspec.structs.replace(o, lines=tuple(ln for ln in o.lines if valid_on(ln, on)))
        for o in order
    ]
    ladder = combined_lowest(today)
    why.append(Step("combined", "The supplier's lists are combined: lowest price of each break."))
    for offered in today:
        own = tuple(line for line in ladder if any(line is mine for mine in offered.lines))
        why.append(
            Step("considered", f"{len(own)} breaks come from it.", offered.id, offered.version)
        )
    pick = _pick(ladder, quantity, currency, on, rates)
    if isinstance(pick, Step):
        return Resolution(None, None, None, None, (*why, pick))
    line, price, money = pick
    owner = next(o for o in today if any(line is mine for mine in o.lines))
    why.append(_won(owner, line, price, money))
    return Resolution(price, money, line, owner, tuple(why))


def _from_list(
    offered: Offered,
    lines: Iterable[Line],
    quantity: Decimal,
    currency: str | None,
    on: date,
    rates: Sequence[Rate],
    why: list[Step],
) -> Resolution | None:
    pick = _pick(lines, quantity, currency, on, rates)
    if isinstance(pick, Step):
        why.append(Step(pick.outcome, pick.detail, offered.id, offered.version))
        return None
    line, price, money = pick
    if money != line.currency:
        rate = rate_between(rates, line.currency, money, on)
        assert rate is not None
        why.append(
            Step(
                "converted",
                f"1 {rate.base} = {plain(rate.rate)} {rate.quote} since {rate.on_date}.",
                offered.id,
                offered.version,
            )
        )
    why.append(_won(offered, line, price, money))
    return Resolution(price, money, line, offered, tuple(why))


def _won(offered: Offered, line: Line, price: Decimal, currency: str) -> Step:
    period = f"valid from {line.valid_from or 'ever'} to {line.valid_to or 'further notice'}"
    return Step(
        "won",
        f"{offered.kind.capitalize()} list “{offered.name}”, version {line.since}, row {line.row}: "
        f"{price} {currency} per {plain(line.price_unit)} {line.unit} "
        f"from {plain(line.min_quantity)} on, {period}.",
        offered.id,
        offered.version,
    )


def _pick(
    lines: Iterable[Line],
    quantity: Decimal,
    currency: str | None,
    on: date,
    rates: Sequence[Rate],
) -> tuple[Line, Decimal, str] | Step:
    """The line and its price in the currency asked for, or the step that says why there is none."""
    known = list(lines)
    if not known:
        return Step("no_line", "It has no line for this SKU.")
    today = [line for line in known if valid_on(line, on)]
    if not today:
        return Step("not_valid", f"It has lines for this SKU, none valid on {on}.")
    same = [line for line in today if currency in (None, line.currency)]
    line = break_for(same, quantity)
    if line is not None:
        return line, line.price, line.currency
    if same:
        least = min(same, key=lambda found: found.min_quantity).min_quantity
        return Step("below_minimum", f"Its smallest quantity is {plain(least)}.")
    assert currency is not None
    return _converted(today, quantity, currency, on, rates)


def _converted(
    today: list[Line], quantity: Decimal, currency: str, on: date, rates: Sequence[Rate]
) -> tuple[Line, Decimal, str] | Step:
    for own in sorted({line.currency for line in today}):
        rate = rate_between(rates, own, currency, on)
        line = break_for((ln for ln in today if ln.currency == own), quantity)
        if rate is not None and line is not None:
            price = _EXACT.multiply(line.price, rate.rate)
            return line, trimmed(quotient(price, Decimal(1), UNIT_PRICE_PLACES)), currency
    return Step("no_rate", f"Its price is in another currency and no rate leads to {currency}.")
