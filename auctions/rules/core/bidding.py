"""What a price must satisfy to enter the standing, and the highest price that does.

`objection` decides; `highest` is its border. Both use the same pieces, so that what a bidder is
told ("you must bid ...") is exactly what is accepted.
"""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from math import ceil, floor

from marketplace.kernel.money import MINOR_MAX

from .outcomes import Code
from .parameters import PPM, Step
from .scoring import Exact, Scale, evaluate, price_at
from .standing import rival_lead
from .state import State


def step_value(step: Step, base: Exact) -> int:
    """The step at this price: of the last band that starts at or below it, else the plain value."""
    value = step.value
    for band in step.bands:
        if band.from_minor > base:
            break
        value = band.value
    return value


def stepped_down(step: Step, base: Exact) -> Exact:
    """`base` less one step, exact."""
    value = step_value(step, base) if step.bands else step.value
    if step.kind == "amount":
        return base - value
    return Fraction(base * (PPM - value)) / PPM


def leads_above(step: Step, evaluated: Exact) -> list[Exact]:
    """Where a rival's lead may stand at the lowest so that `evaluated` is one step in front of it,
    lowest first: one candidate for each band, to be tried with `objection`.
    """
    near = evaluated + step.front_buffer
    if step.against == "own":
        return [near]
    starts = [(0, step.value), *((band.from_minor, band.value) for band in step.bands)]
    leads = []
    for start, value in starts:
        over = evaluated + value
        if step.kind == "percent":
            over = Fraction(evaluated * PPM) / (PPM - value)
        leads.append(max(near, over, start))
    return sorted(leads)


def ceiling(state: State) -> int:
    """The highest price anybody may bid, in minor units."""
    return state.top


def border(state: State, alias: str, scale: Scale) -> int:
    """The highest price that ceiling and step leave open; below 1 when none is left.

    A step against the own bid is taken off the price that, at today's answers, would be worth as
    much as that bid. A step against the lead is taken off the lead's evaluated price.
    """
    top, step = ceiling(state), state.now.step
    if step.against == "lead":
        if not state.rows:
            return top
        left = price_at(scale, stepped_down(step, state.rows[0][0]))
    else:
        bids = state.bidders[alias].bids
        if not bids:
            return top
        placed = bids[-1]
        base: Exact = placed.price
        if placed.scale is not scale and placed.scale != scale:
            base = price_at(scale, evaluate(placed.scale, placed.price))
        left = stepped_down(step, base)
    whole = left if isinstance(left, int) else floor(left)
    return whole if whole < top else top


def objection(state: State, alias: str, scale: Scale, price: int) -> Code | None:
    """Why this price may not stand, or None. `price` is above zero."""
    if price > border(state, alias, scale):
        return _above_border(state, alias, scale, price)
    step, ties = state.now.step, state.terms.ties
    if ties == "allowed" and not (step.front_buffer or step.back_buffer):
        return None
    lead = rival_lead(state, alias)
    if lead is None:
        return None
    evaluated = evaluate(scale, price)
    if _in_buffer(step, lead[0], evaluated):
        return Code.STEP_TOO_SMALL if evaluated < lead[0] else Code.NOT_BELOW_LEAD
    if ties != "allowed" and _ties(state, evaluated):
        return Code.TIE_FORBIDDEN
    return None


def _above_border(state: State, alias: str, scale: Scale, price: int) -> Code:
    if price > ceiling(state):
        return Code.ABOVE_CEILING
    lead = rival_lead(state, alias)
    if state.now.step.against == "own" or lead is None or evaluate(scale, price) < lead[0]:
        return Code.STEP_TOO_SMALL
    return Code.NOT_BELOW_LEAD


def free_objection(state: State, alias: str, scale: Scale, price: int) -> Code | None:
    """The same where no step counts (sealed)."""
    if price > ceiling(state):
        return Code.ABOVE_CEILING
    best = free_highest(state, alias, scale)
    return Code.STEP_TOO_SMALL if best is None or price > best else None


def free_highest(state: State, alias: str, scale: Scale) -> int | None:
    """The highest price where no step counts: ceiling, and below an older own bid."""
    top, row = ceiling(state), state.row_of.get(alias)
    if row is not None:
        top = min(top, ceil(price_at(scale, row[0])) - 1)
    return top if top >= 1 else None


def highest(state: State, alias: str, scale: Scale, at_most: int = MINOR_MAX) -> int | None:
    """The highest price <= `at_most` to which there is no objection; None when there is none."""
    price = min(border(state, alias, scale), at_most)
    lead = rival_lead(state, alias)
    if lead is None:
        return price if price >= 1 else None
    while price >= 1:
        evaluated = evaluate(scale, price)
        if _in_buffer(state.now.step, lead[0], evaluated):
            price = min(price - 1, _below_buffer(state.now.step, scale, lead[0]))
        elif state.terms.ties != "allowed" and _ties(state, evaluated):
            price -= 1
        else:
            return price
    return None


def highest_below(state: State, alias: str, scale: Scale, evaluated: Exact) -> int | None:
    """The highest acceptable price that is worth strictly less than `evaluated`."""
    return highest(state, alias, scale, ceil(price_at(scale, evaluated)) - 1)


def highest_at(state: State, alias: str, scale: Scale, evaluated: Exact) -> int | None:
    """The highest acceptable price that is worth at most `evaluated`."""
    return highest(state, alias, scale, floor(price_at(scale, evaluated)))


def _in_buffer(step: Step, lead: Exact, evaluated: Exact) -> bool:
    if evaluated < lead:
        return lead - evaluated < step.front_buffer
    return evaluated - lead < step.back_buffer


def _below_buffer(step: Step, scale: Scale, lead: Exact) -> int:
    """The highest price in front of the lead and outside the buffer."""
    if step.front_buffer:
        return floor(price_at(scale, lead - step.front_buffer))
    return ceil(price_at(scale, lead)) - 1


def _ties(state: State, evaluated: Exact) -> bool:
    """Whether somebody stands at exactly this evaluated price (`forbid_lead`: at rank 1 only).

    The own bid never does: its step is at least one minor unit.
    """
    rows = state.rows
    if state.terms.ties == "forbid_lead":
        return rows[0][0] == evaluated
    index = bisect_left(rows, (evaluated, -1, ""))
    return index < len(rows) and rows[index][0] == evaluated
