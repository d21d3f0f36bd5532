"""Exchange rates, read in either direction and over other currencies where none leads straight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

# Wide enough that no product or quotient of admitted values is rounded before we say so.
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)

HOPS_MAX = 4
"""Rates of one conversion. Central banks quote against one base, so two do; a longer chain than
this would say more about its weakest rate than about the price.
"""


class Rate(msgspec.Struct, frozen=True):
    """One unit of `base` costs `rate` of `quote` from `on_date` until the next rate. `quoted` are
    the rates as published that a computed one was made of.
    """

    base: str
    quote: str
    on_date: date
    rate: Decimal
    source: str = ""
    quoted: tuple[Rate, ...] = ()

    def described(self, number: str) -> str:
        return f"1 {self.base} = {number} {self.quote} since {self.on_date}"


def rate_between(rates: Sequence[Rate], base: str, quote: str, on: date) -> Rate | None:
    """The rate of day `on`: the newest direct one where there is one, read in either direction;
    else over as few other currencies as possible, by the chain whose oldest rate is the newest.
    None when no chain leads there.
    """
    newest = _newest(rates, on)
    reached = {base: Rate(base, base, date.max, Decimal(1))}
    for _ in range(HOPS_MAX):
        if quote in reached:
            return reached[quote]
        found: dict[str, Rate] = {}
        for (start, end), step in newest.items():
            if start in reached and end not in reached:
                chain = _chained(reached[start], step)
                if end not in found or _order(chain) < _order(found[end]):
                    found[end] = chain
        if not found:
            break
        reached |= found
    return reached.get(quote)


def _newest(rates: Sequence[Rate], on: date) -> dict[tuple[str, str], Rate]:
    """The newest rate of each direction, in which an inverse counts as a rate too; on the same day
    the one that was quoted this way round.
    """
    found: dict[tuple[str, str], Rate] = {}
    for rate in rates:
        if rate.on_date > on or rate.base == rate.quote:
            continue
        inverse = Rate(
            rate.quote,
            rate.base,
            rate.on_date,
            EXACT.divide(Decimal(1), rate.rate),
            rate.source,
            (rate,),
        )
        for each in (rate, inverse):
            key = (each.base, each.quote)
            known = found.get(key)
            if known is None or (each.on_date, not each.quoted) > (known.on_date, not known.quoted):
                found[key] = each
    return found


def _chained(before: Rate, step: Rate) -> Rate:
    if before.base == before.quote:
        return step
    return Rate(
        before.base,
        step.quote,
        min(before.on_date, step.on_date),
        EXACT.multiply(before.rate, step.rate),
        quoted=(*(before.quoted or (before,)), *(step.quoted or (step,))),
    )


def _order(chain: Rate) -> tuple[int, tuple[str, ...]]:
    """The newest first; equally old chains in a fixed order."""
    return -chain.on_date.toordinal(), tuple(one.base + one.quote for one in chain.quoted)
