"""What an order is worth, what is still to come, and what comes next; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from marketplace.kernel.decimals import NotADecimal, parse_quantity
from marketplace.kernel.errors import FieldError
from marketplace.kernel.money import MINOR_MAX, round_half_even

LINES_MAX = 500
PRICE_PLACES = 6
"""Decimals of a unit price, as in price lists."""

SURVEY_DAYS = 30


class Counted(Protocol):
    """A line as far as quantities go."""

    position: int
    quantity: Decimal
    delivered: Decimal


def quantity_of(text: str, field: str, errors: list[FieldError]) -> Decimal:
    """A positive quantity; 1 when it is none, with the reason in `errors`."""
    try:
        return parse_quantity(text)
    except NotADecimal as wrong:
        errors.append(wrong.at(field, "malformed"))
        return Decimal(1)


def line_value(price: Decimal, price_unit: Decimal, quantity: Decimal, exponent: int) -> int:
    """quantity / price_unit · price, half-even to the minor unit; the price itself stays exact."""
    exact = Fraction(quantity) / Fraction(price_unit) * Fraction(price)
    return round_half_even(exact * 10**exponent)


def to_places(value: Fraction, places: int) -> Decimal:
    """Half-even to so many decimals."""
    return Decimal(round_half_even(value * 10**places)).scaleb(-places)


def price_text(price: Decimal, exponent: int) -> str:
    """All its decimals, and at least those of the currency: `0.0123`, `10.00`."""
    digits = plain(price).partition(".")[2]
    return f"{price:.{max(exponent, len(digits))}f}"


def too_large(values: Iterable[int]) -> bool:
    return sum(values) > MINOR_MAX


def delivered_share(lines: Sequence[Counted]) -> Fraction:
    """How much of a lump price was delivered: the mean over the lines."""
    shares = [Fraction(line.delivered) / Fraction(line.quantity) for line in lines]
    return sum(shares, Fraction(0)) / len(shares)


def delivery_errors(
    lines: Sequence[Counted], delivered: Sequence[tuple[int, str]]
) -> list[FieldError]:
    """Unknown lines, wrong quantities, more than is still to come."""
    open_by_position = {line.position: line.quantity - line.delivered for line in lines}
    errors, seen = list[FieldError](), set[int]()
    for index, (position, text) in enumerate(delivered):
        field, before = f"lines[{index}]", len(errors)
        quantity = quantity_of(text, f"{field}.quantity", errors)
        if position not in open_by_position or position in seen:
            errors.append(
                FieldError(f"{field}.position", "unknown_line", "A line of this order, once.")
            )
        elif len(errors) == before and quantity > open_by_position[position]:
            left = plain(open_by_position[position])
            message = f"Only {left} are still to come."
            errors.append(FieldError(f"{field}.quantity", "too_many", message))
        seen.add(position)
    return errors


def all_delivered(lines: Sequence[Counted]) -> bool:
    return all(line.delivered == line.quantity for line in lines)


def plain(number: Decimal) -> str:
    """`4E+2` → `400`, `1.50` → `1.5`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# What one side waits for in each state: (whose turn, the words on top of the timeline).
NEXT: Mapping[str, tuple[str, str]] = {
    "proposed": ("buyer", "Place or reject the proposed order."),
    "awaiting_approval": ("buyer", "The named approver releases or rejects the order."),
    "placed": ("supplier", "Confirm or decline the order."),
    "confirmed": ("supplier", "Deliver."),
    "partly_delivered": ("supplier", "Deliver the rest."),
    "delivered": ("buyer", "Check the goods: accept them or file a claim."),
}
ASKED_PRICES = "Confirm or decline: the prices are not those of your lists."
"""Of a placed order that is a request."""

CLAIM_NEXT: Mapping[str, tuple[str, str]] = {
    "open": ("supplier", "Uphold or dispute the claim."),
    "disputed": ("buyer", "Escalate or withdraw the disputed claim."),
    "escalated": ("operator", "Decide the escalated claim."),
}
