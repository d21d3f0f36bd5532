"""What money rules decide: shares, reversals, due times, terms in force. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Protocol, TypeVar

from marketplace.kernel.money import round_half_even

WHOLE_BP = 10_000
"""Basis points of the whole."""


def share(amount: int, basis_points: int) -> int:
    """So many basis points of an amount in minor units, rounded half-even. Nothing else multiplies
    money by a percent.
    """
    return round_half_even(Fraction(amount * basis_points, WHOLE_BP))


def left_of(accrued: int, sold: int, refunded: int) -> int:
    """What remains of `accrued` when so much of the sale was refunded, rounded half-even. It is
    cumulative: the reversals of a sale in parts add up to the reversal of the whole.
    """
    if sold == 0:
        return 0
    return round_half_even(Fraction(accrued * (sold - refunded), sold))


def points_of(amount: int, exponent: int, points_per_major: Decimal) -> int:
    """Whole points for an amount in minor units, rounded half-even."""
    return round_half_even(Fraction(amount, 10**exponent) * Fraction(points_per_major))


def due_after(at: datetime, hold_days: int) -> datetime:
    """A day is 24 hours, whatever the calendar says."""
    return at + timedelta(hours=24 * hold_days)


def due_of_reversal(due_at: datetime, *, paid_out: bool, at: datetime) -> datetime:
    """The reversal of money that is in no payout is due together with it; of paid money at once."""
    return at if paid_out else due_at


class Period(Protocol):
    """Half-open: `[from_at, to_at)`; `to_at` None has no end."""

    @property
    def from_at(self) -> datetime: ...

    @property
    def to_at(self) -> datetime | None: ...


P = TypeVar("P", bound=Period)


def in_force(periods: Iterable[P], at: datetime) -> P | None:
    """The period that holds at that moment."""
    for period in periods:
        if period.from_at <= at and (period.to_at is None or at < period.to_at):
            return period
    return None


def is_paid_out(total: int, minimum: int) -> bool:
    """Whether what is due is paid now; otherwise all of it is carried over."""
    return total > 0 and total >= minimum
