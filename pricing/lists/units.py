"""A wanted quantity, counted in the unit of a price line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """`factor` units of `base` make one; a unit without a known base is its own."""

    code: str
    base: str
    factor: Decimal


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity` of `unit`; None: of whatever unit a line has. `known` are units by their code."""

    quantity: Decimal
    unit: str | None = None
    known: Mapping[str, Unit] = msgspec.field(default_factory=dict)

    def in_unit(self, unit: str) -> Fraction | None:
        """How many of `unit` that is; None where no conversion is known."""
        if self.unit in (None, unit):
            return Fraction(self.quantity)
        assert self.unit is not None, "asked above"
        asked, theirs = self.known.get(self.unit), self.known.get(unit)
        if asked is None or theirs is None or asked.base != theirs.base:
            return None
        return Fraction(self.quantity) * Fraction(asked.factor) / Fraction(theirs.factor)

    def units_of(self, lines_unit: str) -> Fraction:
        """How many of the line's units make one of the asked ones."""
        counted = self.in_unit(lines_unit)
        assert counted is not None, "only what converts is priced"
        return counted / Fraction(self.quantity)
