"""What a price is worth: coefficient and evaluated price, in exact fractions.

    coefficient     = 1 + sum of values / (1 - sum of maxima)
    evaluated price = (price * (1 - bonus percent) - bonus) / coefficient + sum of costs

For a given bidder and answers this is a rising straight line in the price, so it can be inverted:
"what must I bid?" is answered by the same line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd

import msgspec

from marketplace.kernel.money import NotAnAmount, parse_minor

from .parameters import PPM, Feature, Terms

Exact = int | Fraction
"""Minor units, exact."""

RATING_PLACES = PERCENT_PLACES = 4
BONUS_PPM_MAX = 10 * PPM


class WrongAnswer(ValueError):
    """An answer to a feature or a cost is missing, unknown or no number. `about` is the id of what
    was asked, empty where it is none of the bidder's answers.
    """

    def __init__(self, detail: str, about: str = "") -> None:
        super().__init__(detail)
        self.about = about


class Scale(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How one bidder's prices are evaluated: the coefficient as a fraction, bonus and costs."""

    coefficient_num: int = 1
    coefficient_den: int = 1
    keep_ppm: int = PPM
    bonus_minor: int = 0
    costs_minor: int = 0

    @property
    def coefficient(self) -> Fraction:
        return Fraction(self.coefficient_num, self.coefficient_den)

    @property
    def coefficient_text(self) -> str:
        """`"a"` or `"a/b"`, in lowest terms."""
        whole = self.coefficient_den == 1
        return str(self.coefficient_num if whole else self.coefficient)


PLAIN = Scale()
"""Of a bidder whose price is the evaluated price: by far the most common one."""


@lru_cache(maxsize=4_096)
def _line(scale: Scale) -> tuple[int, int, int]:
    """(a, b, d) with evaluated = (a * price + b) / d; a and d above zero, in lowest terms."""
    a = scale.keep_ppm * scale.coefficient_den
    d = PPM * scale.coefficient_num
    b = scale.costs_minor * d - scale.bonus_minor * PPM * scale.coefficient_den
    common = gcd(a, b, d)
    return a // common, b // common, d // common


def evaluate(scale: Scale, price: int) -> Exact:
    """The evaluated price of `price`, both in minor units."""
    if scale is PLAIN or scale == PLAIN:
        return price
    a, b, d = _line(scale)
    return a * price + b if d == 1 else Fraction(a * price + b, d)


def read_exact(text: str) -> Exact:
    """The inverse of `str`: `"a"` or `"a/b"`."""
    return Fraction(text) if "/" in text else int(text)


def price_at(scale: Scale, evaluated: Exact) -> Exact:
    """The price that is worth exactly `evaluated`: the inverse of `evaluate`, not rounded."""
    if scale is PLAIN or scale == PLAIN:
        return evaluated
    a, b, d = _line(scale)
    return evaluated * d - b if a == 1 else Fraction(evaluated * d - b) / a


def coefficient(values: Sequence[Fraction], maxima: Sequence[Fraction]) -> Fraction:
    """1 + sum of values / (1 - sum of maxima); the maxima add up to less than 1."""
    return 1 + sum(values, Fraction(0)) / (1 - sum(maxima, Fraction(0)))


def scale_of(
    terms: Terms, answers: Mapping[str, str], *, keep_ppm: int, bonus_minor: int, rating: str | None
) -> Scale:
    """The scale of a bidder who gives these answers. Raises WrongAnswer, naming the answer."""
    scoring = terms.scoring
    known = {f.id for f in scoring.features if f.source == "options"} | {
        c.id for c in scoring.costs
    }
    unknown = sorted(set(answers) - known)
    if unknown:
        raise WrongAnswer(f"This auction does not ask for {unknown[0]!r}.", unknown[0])
    worth = coefficient(
        [_value(feature, answers, rating) for feature in scoring.features],
        [Fraction(feature.max_ppm, PPM) for feature in scoring.features],
    )
    costs = sum(_cost(answers, cost.id, terms.exponent) for cost in scoring.costs)
    scale = Scale(worth.numerator, worth.denominator, keep_ppm, bonus_minor, costs)
    return PLAIN if scale == PLAIN else scale


def _value(feature: Feature, answers: Mapping[str, str], rating: str | None) -> Fraction:
    if feature.source == "rating":
        points = parse_minor(rating or feature.unrated, RATING_PLACES)
        return Fraction(feature.max_ppm * points, PPM * 100 * 10**RATING_PLACES)
    answer = answers.get(feature.id)
    for option in feature.options:
        if option.id == answer:
            return Fraction(option.value_ppm, PPM)
    choices = ", ".join(option.id for option in feature.options)
    raise WrongAnswer(f"Answer {feature.id!r} with one of: {choices}.", feature.id)


def _cost(answers: Mapping[str, str], cost_id: str, exponent: int) -> int:
    try:
        amount = parse_minor(answers[cost_id], exponent)
    except (KeyError, NotAnAmount):
        message = f"Answer {cost_id!r} with an amount such as 120.00."
        raise WrongAnswer(message, cost_id) from None
    if amount < 0:
        raise WrongAnswer(f"The cost {cost_id!r} cannot be below zero.", cost_id)
    return amount


def read_keep_ppm(bonus_percent: str) -> int:
    """`"2.5"` percent off leaves 975,000 parts. Raises WrongAnswer outside [-1000, 100)."""
    try:
        bonus_ppm = parse_minor(bonus_percent, PERCENT_PLACES)
    except NotAnAmount as error:
        raise WrongAnswer(f"bonus_percent: {error.detail}") from None
    if not -BONUS_PPM_MAX <= bonus_ppm < PPM:
        raise WrongAnswer("bonus_percent must be at least -1000 and below 100.")
    return PPM - bonus_ppm


def read_rating(rating: str | None) -> int | None:
    """A rating in 10^-4 points, None for not rated. Raises WrongAnswer outside [0, 100]."""
    if rating is None:
        return None
    try:
        points = parse_minor(rating, RATING_PLACES)
    except NotAnAmount as error:
        raise WrongAnswer(f"rating: {error.detail}") from None
    if not 0 <= points <= 100 * 10**RATING_PLACES:
        raise WrongAnswer("A rating lies between 0 and 100.")
    return points
