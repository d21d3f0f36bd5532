"""The Beta distribution's quantile, without a library for it.

The regularised incomplete beta function by its continued fraction (DLMF 8.17.22, evaluated by
Lentz's method as in Thompson & Barnett 1986), inverted by safeguarded Newton steps.
"""

from __future__ import annotations

import math

TERMS_MAX = 500
STEPS_MAX = 200
_TINY = 1e-300
_ENOUGH = 1e-15
_CLOSE = 1e-14
_FLAT = -600.0


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b): the chance that a Beta(a, b) variable is at most `x`. a and b are above 0."""
    assert a > 0, "a Beta distribution has positive parameters"
    assert b > 0, "a Beta distribution has positive parameters"
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # The fraction converges fast only left of the mean; right of it the mirror image is used.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta_left(b, a, 1.0 - x)
    return incomplete_beta_left(a, b, x)


def incomplete_beta_left(a: float, b: float, x: float) -> float:
    """The same for x at or left of the mean."""
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    return min(1.0, math.exp(front) * _fraction(a, b, x) / a)


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction by Lentz's method; what must not be 0 is at least _TINY."""
    lower = 1.0 - (a + b) * x / (a + 1.0)
    lower = 1.0 / (lower if lower > _TINY or lower < -_TINY else _TINY)
    upper, value = 1.0, lower
    for term in range(1, TERMS_MAX):
        twice = a + 2 * term
        even = term * (b - term) * x / ((twice - 1.0) * twice)
        odd = -(a + term) * (a + b + term) * x / (twice * (twice + 1.0))
        factor = 1.0
        for coefficient in (even, odd):
            # Spelled out: a rating takes hundreds of these, and a call each costs as much again.
            lower = 1.0 + coefficient * lower
            lower = 1.0 / (lower if lower > _TINY or lower < -_TINY else _TINY)
            upper = 1.0 + coefficient / upper
            if not (upper > _TINY or upper < -_TINY):
                upper = _TINY
            factor = lower * upper
            value *= factor
        if abs(factor - 1.0) < _ENOUGH:
            break
    return value


def beta_quantile(a: float, b: float, level: float) -> float:
    """The x with I_x(a, b) = level, to about 1e-14.

    Newton's step by the density where it stays within what is known, else a halving: a handful of
    steps for ordinary parameters, STEPS_MAX for the strangest.
    """
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(STEPS_MAX):
        over = incomplete_beta(a, b, x) - level
        if over < 0:
            low = x
        else:
            high = x
        log_density = front + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)
        step = over * math.exp(-log_density) if log_density > _FLAT else math.inf
        near = x - step
        if not low < near < high:
            near = (low + high) / 2
        if abs(near - x) <= _CLOSE * x or not 0 < near < 1:
            return near
        x = near
    return x
