"""Which tier a partner's figures reach, and what is missing for the next; pure.

A tier's parameter is reached when the value is at least (or at most) its target; a missing value
reaches nothing. The scores of the reached parameters add up; the tier is eligible from its
threshold on. The highest eligible tier counts, even where a lower one is missed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from marketplace.kernel.decimals import NotADecimal, parse_decimal
from marketplace.kernel.errors import FieldError
from marketplace.kernel.formulas import FormulaError, parse

TIERS_MAX = 20
PARAMETERS_MAX = 20
TARGETS_MAX = 20
SCORE_MAX = 1_000_000
PERIOD_DAYS_MAX = 3_660
PERCENT_PLACES = 2
"""Percentages become whole basis points: the ledger shares money by nothing finer."""
AHEAD_MAX = timedelta(days=3_660)
"""Ten years: beyond it a date is a typing mistake."""

Direction = Literal["at_least", "at_most"]
Number = TypeVar("Number", int, Decimal)


class Key(msgspec.Struct, frozen=True):
    """What is measured: a measure over the last so many days, None: since ever."""

    measure: str
    period_days: int | None = None


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    key: Key
    target: Decimal
    score: int
    direction: Direction = "at_least"

    def is_reached(self, value: Decimal | None) -> bool:
        if value is None:
            return False
        return value >= self.target if self.direction == "at_least" else value <= self.target

    def distance(self, value: Decimal | None) -> Decimal | None:
        """How far an unreached value is from the target; None where there is no value."""
        if value is None:
            return None
        return self.target - value if self.direction == "at_least" else value - self.target


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    threshold: int
    parameters: tuple[Parameter, ...]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    key: Key
    distance: Decimal | None


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """The lowest tier above the present one, and what is missing for it."""

    tier: str
    missing: int
    gaps: tuple[Gap, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """scores    of each tier, lowest first
    reached   every tier whose score suffices; `eligible` is the highest of them
    """

    scores: dict[str, int]
    reached: frozenset[str]
    eligible: str | None
    next: Next | None


Values = Mapping[Key, Decimal]


def judge(tiers: Sequence[Tier], values: Values, current: str | None) -> Standing:
    """Where these figures stand among `tiers`, lowest first; `current` is the approved tier."""
    scores = {tier.code: _score(tier, values) for tier in tiers}
    reached = [tier.code for tier in tiers if scores[tier.code] >= tier.threshold]
    codes = [tier.code for tier in tiers]
    above = tiers[codes.index(current) + 1 :] if current in codes else tiers
    return Standing(
        scores=scores,
        reached=frozenset(reached),
        eligible=reached[-1] if reached else None,
        next=_next(above[0], scores, values) if above else None,
    )


def _score(tier: Tier, values: Values) -> int:
    return sum(each.score for each in tier.parameters if each.is_reached(values.get(each.key)))


def _next(tier: Tier, scores: Mapping[str, int], values: Values) -> Next:
    unreached = [each for each in tier.parameters if not each.is_reached(values.get(each.key))]
    return Next(
        tier=tier.code,
        missing=max(0, tier.threshold - scores[tier.code]),
        gaps=tuple(
            Gap(key=each.key, distance=each.distance(values.get(each.key))) for each in unreached
        ),
    )


def plain(value: Decimal) -> str:
    """Without trailing zeros and never with an exponent: `10000`, `0.5`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(now: Decimal | None, target: Decimal) -> str | None:
    """How much of the target is there, in percent with one decimal; None without a value."""
    if now is None or target == 0:
        return None
    return f"{now / target * 100:.1f}"


def decimal_errors(
    field: str, text: str, *, least: int, most: int | None = None, places: int = 6
) -> list[FieldError]:
    try:
        value = parse_decimal(text, places=places)
    except NotADecimal as wrong:
        return [wrong.at(field)]
    if value < least or (most is not None and value > most):
        limits = f"from {least} to {most}" if most is not None else f"{least} or more"
        return [FieldError(field, "out_of_range", f"This is {limits}.")]
    return []


def measure_errors(field: str, code: str, known: Collection[str]) -> list[FieldError]:
    if code in known:
        return []
    message = f"A measure is one of {', '.join(sorted(known))}."
    return [FieldError(field, "unknown_measure", message, "GET /api/v1/measures lists them.")]


def target_name(measure: str) -> str:
    """What a payout formula calls the target of a measure, beside the measure's own value."""
    return f"{measure}_target"


def formula_names(measures: Sequence[str]) -> list[str]:
    """The inputs of a plan's payout formula."""
    return [*measures, *(target_name(measure) for measure in measures)]


def formula_errors(field: str, text: str, measures: Sequence[str]) -> list[FieldError]:
    try:
        parse(text, formula_names(measures))
    except FormulaError as wrong:
        return [formula_error(field, wrong, formula_names(measures))]
    return []


def formula_error(field: str, wrong: FormulaError, names: Sequence[str]) -> FieldError:
    hint = f"The inputs are {', '.join(names)}." if wrong.code == "unknown_name" else None
    message = f"{wrong.detail} (At character {wrong.position + 1}.)"
    return FieldError(field, wrong.code, message, hint)


def totals_of(
    nodes: Sequence[tuple[UUID, UUID | None]], own: Mapping[UUID, Number]
) -> dict[UUID, Number]:
    """Each node's own figure and those of everything under it; `nodes` are (id, parent), parents
    before their children.
    """
    totals = {node: own[node] for node, _ in nodes}
    for node, parent in reversed(nodes):
        if parent in totals:
            totals[parent] += totals[node]
    return totals
