"""Which line of which price list wins, and the trace that says why; overlaps, breaks, conversion.

All amounts are exact decimals. Times and rates are arguments; nothing here asks the world.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Literal
from uuid import UUID

import msgspec

from marketplace.kernel.money import exponent_of, round_half_even
from pricing.lists.rates import EXACT, Rate, rate_between
from pricing.lists.units import Unit, Wanted

UNIT_PRICE_PLACES = 6
RANKS = {"agreement": 0, "tier": 1, "base": 2}

ListKind = Literal["agreement", "tier", "base"]
Combination = Literal["rank", "lowest"]


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


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sentence of "why this price": what was looked at and what came of it (a stable code).

    outcome  stable name of what came of it, e.g. `won`
    detail   the same in words, with its figures, e.g. `Price list Spring 2026, version 3: 12.50 EUR
             from 100.`
    list     the price list that was looked at; left out: none
    version  the version of that list; left out: none, e.g. `3`
    """

    outcome: str
    detail: str
    list: UUID | None = None
    version: int | None = None


ORDER_CONDITIONS = frozenset(["below_minimum_order", "between_packs"])
"""Steps that say: the price holds, but the asked quantity cannot be ordered."""


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
    exact = EXACT.divide(dividend, divisor)
    return exact.quantize(Decimal(1).scaleb(-places), context=EXACT)


def unit_price(price: Decimal, price_unit: Decimal) -> Decimal:
    """The price of one unit: 10.00 per 100 is 0.10. At most UNIT_PRICE_PLACES decimals."""
    return trimmed(quotient(price, price_unit, UNIT_PRICE_PLACES))


def amount_for(
    price: Decimal, price_unit: Decimal, quantity: Decimal | Fraction, currency: str
) -> Decimal:
    """What `quantity` units cost, rounded once, at the end, to the currency's minor unit."""
    exact = Fraction(price) * Fraction(quantity) / Fraction(price_unit)
    return rounded(exact, exponent_of(currency))


def rounded(value: Fraction, places: int) -> Decimal:
    """To `places` decimals, ties to even."""
    scaled = Decimal(round_half_even(value * 10**places))
    return scaled.scaleb(-places, context=EXACT)


def trimmed(value: Decimal) -> Decimal:
    """Without trailing zeros beyond two decimals: 0.100000 becomes 0.10, 3.703700 3.7037."""
    short = value.normalize(EXACT)
    places = max(2, -int(short.as_tuple().exponent))
    return short.quantize(Decimal(1).scaleb(-places), context=EXACT)


def plain(value: Decimal) -> str:
    """A quantity as people write it: `100`, `2.5`; never an exponent, never a trailing zero."""
    text = format(value.normalize(EXACT), "f")
    return "0" if text == "-0" else text


def valid_on(line: Line, on: date) -> bool:
    starts = line.valid_from is None or line.valid_from <= on
    return starts and (line.valid_to is None or on <= line.valid_to)


def break_for(lines: Iterable[Line], quantity: Decimal | Fraction) -> Line | None:
    """The line with the greatest minimum quantity that `quantity`, in the lines' unit, reaches."""
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
    unit: str | None = None,
    units: Mapping[str, Unit] | None = None,
    rates: Sequence[Rate] = (),
    combination: Combination = "rank",
) -> Resolution:
    """The price for `quantity` of `unit` (None: of each line's own) on day `on`. Lines in
    `currency` go before convertible ones, lines in `unit` likewise.
    """
    wanted = Wanted(quantity=quantity, unit=unit, known=units or {})
    asked = _Asked(wanted=wanted, currency=currency, on=on, rates=rates)
    order = ranked(lists)
    if combination == "lowest":
        return _by_lowest(order, asked)
    why: list[Step] = []
    for offered in order:
        pick = _pick(offered.lines, asked)
        if isinstance(pick, Pick):
            return _resolution(pick, offered, wanted, why)
        why.append(Step(pick.outcome, pick.detail, offered.id, offered.version))
    why.append(Step("no_price", "No price list has a price for this."))
    return Resolution(None, None, None, None, tuple(why))


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; `currency` None: any."""

    wanted: Wanted
    currency: str | None
    on: date
    rates: Sequence[Rate]


class Pick(msgspec.Struct, frozen=True):
    """A line that holds, its price in `currency`, and the rate that made it."""

    line: Line
    price: Decimal
    currency: str
    rate: Rate | None = None


def _by_lowest(order: list[Offered], asked: _Asked) -> Resolution:
    """The supplier combines the lists: of each quantity break the cheapest line counts."""
    today = [
        msgspec.structs.replace(o, lines=tuple(ln for ln in o.lines if valid_on(ln, asked.on)))
        for o in order
    ]
    ladder = combined_lowest(today)
    why = [Step("combined", "The supplier's lists are combined: lowest price of each break.")]
    for offered in today:
        own = tuple(line for line in ladder if any(line is mine for mine in offered.lines))
        why.append(
            Step("considered", f"{len(own)} breaks come from it.", offered.id, offered.version)
        )
    pick = _pick(ladder, asked)
    if isinstance(pick, Step):
        return Resolution(None, None, None, None, (*why, pick))
    owner = next(o for o in today if any(pick.line is mine for mine in o.lines))
    return _resolution(pick, owner, asked.wanted, why)


def _resolution(pick: Pick, offered: Offered, wanted: Wanted, why: list[Step]) -> Resolution:
    steps = [*why]
    if pick.rate is not None:
        quoted = pick.rate.quoted or (pick.rate,)
        detail = ", ".join(rate.described(plain(rate.rate)) for rate in quoted) + "."
        steps.append(Step("converted", detail, offered.id, offered.version))
    steps.append(_won(offered, pick.line, pick.price, pick.currency))
    quantity = wanted.in_unit(pick.line.unit)
    assert quantity is not None, "only what converts is picked"
    steps += [
        Step(outcome, detail, offered.id, offered.version)
        for outcome, detail in order_conditions(pick.line, quantity)
    ]
    return Resolution(pick.price, pick.currency, pick.line, offered, tuple(steps))


def order_conditions(line: Line, quantity: Fraction) -> list[tuple[str, str]]:
    """(code, words) of why `quantity`, in the line's unit, cannot be ordered at its price."""
    found = []
    if line.moq is not None and quantity < Fraction(line.moq):
        found.append(
            ("below_minimum_order", f"The minimum order is {plain(line.moq)} {line.unit}.")
        )
    if line.pack_size is not None and (quantity / Fraction(line.pack_size)).denominator != 1:
        detail = f"It is sold in packs of {plain(line.pack_size)} {line.unit}."
        found.append(("between_packs", detail))
    return found


def least_order(line: Line, quantity: Fraction) -> Decimal | None:
    """The least quantity, in the line's unit, that can be ordered and is not below `quantity`; None
    where `quantity` itself can.
    """
    if not order_conditions(line, quantity):
        return None
    least = max(quantity, Fraction(line.moq or 0))
    if line.pack_size is None:
        assert line.moq is not None, "one of the two conditions failed"
        return line.moq
    return EXACT.multiply(Decimal(ceil(least / Fraction(line.pack_size))), line.pack_size)


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


def _pick(lines: Iterable[Line], asked: _Asked) -> Pick | Step:
    """The line that holds, or the step that says why there is none."""
    known = list(lines)
    if not known:
        return Step("no_line", "It has no line for this SKU.")
    today = [line for line in known if valid_on(line, asked.on)]
    if not today:
        return Step("not_valid", f"It has lines for this SKU, none valid on {asked.on}.")
    countable = [line for line in today if asked.wanted.in_unit(line.unit) is not None]
    if not countable:
        theirs = ", ".join(sorted({line.unit for line in today}))
        return Step("other_unit", f"Its unit {theirs} cannot be counted in {asked.wanted.unit}.")
    same = [line for line in countable if asked.currency in (None, line.currency)]
    reached = _best_break(same, asked.wanted)
    if reached is not None:
        return Pick(reached, reached.price, reached.currency)
    if same:
        return _below_minimum(same)
    return _converted(countable, asked)


def _best_break(lines: Iterable[Line], wanted: Wanted) -> Line | None:
    """Each unit has a ladder of its own. The asked unit's goes first, then the cheapest."""
    ladders: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        ladders[line.unit if wanted.unit else ""].append(line)
    reached = [
        found
        for ladder in ladders.values()
        if (found := break_for(ladder, _counted(wanted, ladder[0]))) is not None
    ]

    def order(line: Line) -> tuple[bool, Fraction]:
        return line.unit != wanted.unit, _cost(line, wanted)

    return min(reached, key=order, default=None)


def _counted(wanted: Wanted, line: Line) -> Fraction:
    counted = wanted.in_unit(line.unit)
    assert counted is not None, "lines that do not convert were left out"
    return counted


def _cost(line: Line, wanted: Wanted) -> Fraction:
    return Fraction(line.price) / Fraction(line.price_unit) * _counted(wanted, line)


def _below_minimum(lines: list[Line]) -> Step:
    least = min(lines, key=lambda line: line.min_quantity)
    return Step(
        "below_minimum", f"Its smallest quantity is {plain(least.min_quantity)} {least.unit}."
    )


def _converted(lines: list[Line], asked: _Asked) -> Pick | Step:
    """The cheapest of the lines in other currencies that a rate leads from."""
    assert asked.currency is not None, "without a currency every line is in it"
    found: list[tuple[Fraction, Pick]] = []
    reachable: list[Line] = []
    for own in sorted({line.currency for line in lines}):
        rate = rate_between(asked.rates, own, asked.currency, asked.on)
        if rate is None:
            continue
        ladder = [line for line in lines if line.currency == own]
        reachable += ladder
        line = _best_break(ladder, asked.wanted)
        if line is not None:
            price = quotient(EXACT.multiply(line.price, rate.rate), Decimal(1), UNIT_PRICE_PLACES)
            cost = _cost(line, asked.wanted) * Fraction(rate.rate)
            found.append((cost, Pick(line, trimmed(price), asked.currency, rate)))
    if found:
        return min(found, key=lambda one: one[0])[1]
    if reachable:
        return _below_minimum(reachable)
    theirs = ", ".join(sorted({line.currency for line in lines}))
    return Step("no_rate", f"Its price is in {theirs} and no rate leads to {asked.currency}.")
