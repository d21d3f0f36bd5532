"""Decayed sums that never have to be walked again.

Forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009): instead of fading
every past order each day, a new order is weighed by g(t) = 2^((t - L0)/H) from a fixed landmark L0.
The sum of x·g(t) is what is kept; divided by g(now) it is the decayed sum of that moment. So an
event, or its reversal, is one addition, late events are ordinary ones, and reading costs the same
whatever the history.

g(t) doubles every half-life and would leave float8 after about 900 of them. `rebase` moves L0
forward by whole half-lives; that multiplies by a power of two and therefore loses no bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ratings.policy import Parameters

REBASE_AFTER = 256
"""Half-lives between landmark and now that bring a re-basing: far from float8's 2^1024."""
MONTHS = 1_200
"""Months from January 2000 that a set of active months can hold."""


class OrderLine(msgspec.Struct, frozen=True):
    """value_minor  what was paid for the line, in minor units of its order's currency
    log_ratio    ln(paid / reference), None where no reference was known
    """

    value_minor: int
    log_ratio: float | None = None


class CompletedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that a rating needs to know of an order. `severity` is the capped sum of its claims."""

    ordered_at: datetime
    completed_at: datetime
    currency: str
    lines: Sequence[OrderLine]
    severity: float = 0.0


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Weighed sums, either at a landmark or decayed to a moment.

    orders    N      volume   V, minor units     matured  M
    blemish   B      priced   Σ w·v of lines with a reference
    excess    Σ w·v·x of the same lines
    """

    orders: float = 0.0
    volume: float = 0.0
    matured: float = 0.0
    blemish: float = 0.0
    priced: float = 0.0
    excess: float = 0.0

    def plus(self, other: Sums, times: float = 1.0) -> Sums:
        """`self + times · other`; times -1 takes it back."""
        return Sums(
            orders=self.orders + times * other.orders,
            volume=self.volume + times * other.volume,
            matured=self.matured + times * other.matured,
            blemish=self.blemish + times * other.blemish,
            priced=self.priced + times * other.priced,
            excess=self.excess + times * other.excess,
        )

    def scaled(self, factor: float) -> Sums:
        return Sums().plus(self, factor)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a supplier at a moment: decayed sums and the months with an order."""

    sums: Sums
    active_months: int


def growth(at: datetime, landmark: datetime, parameters: Parameters) -> float:
    """g(t): how much an order of time `at` weighs, seen from the landmark."""
    exponent: float = (at - landmark) / parameters.half_life()
    return float(2.0**exponent)


def contribution(
    order: CompletedOrder, landmark: datetime, matured_until: datetime, parameters: Parameters
) -> Sums:
    """What an order adds to the sums at the landmark. It is in M once its claim window has passed,
    and whether it has claims plays no part in that.
    """
    weight = growth(order.ordered_at, landmark, parameters)
    rate = parameters.minor_rate(order.currency)
    limit = parameters.price_limit
    volume = priced = excess = 0.0
    for line in order.lines if rate is not None else ():
        assert rate is not None, "lines without a rate are left out"
        value = line.value_minor * rate
        volume += value
        if line.log_ratio is not None:
            priced += value
            excess += value * max(-limit, min(limit, line.log_ratio))
    matured = order.completed_at + parameters.maturity() <= matured_until
    return Sums(
        orders=1.0,
        volume=volume,
        matured=1.0 if matured else 0.0,
        blemish=order.severity,
        priced=priced,
        excess=excess,
    ).scaled(weight)


def decayed(sums: Sums, landmark: datetime, now: datetime, parameters: Parameters) -> Sums:
    """Sums at the landmark as they count at `now`."""
    return sums.scaled(1.0 / growth(now, landmark, parameters))


def rebase(sums: Sums, half_lives: int) -> Sums:
    """The same sums seen from a landmark that many half-lives later; exact."""
    return sums.scaled(2.0**-half_lives)


def capped(severities: Sequence[float]) -> float:
    """min(1, Σ severity): one order is at most one bad order."""
    return min(1.0, sum(severities))


def month_index(at: datetime) -> int:
    """Months since January 2000, UTC; the order's place in the set of active months."""
    day = at.astimezone(UTC)
    return max(0, min(MONTHS - 1, (day.year - 2000) * 12 + day.month - 1))
