"""Reads a price as it was typed, and asks again when it looks like a slip of the finger."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from math import floor

from marketplace.kernel.money import NotAnAmount, format_minor, parse_minor

from .outcomes import Code
from .parameters import PPM, Terms
from .scoring import Scale, price_at
from .standing import rival_lead
from .state import State

TOKEN_CHARS = 16
USUAL_CHARS_MAX = 15
NEAR_LOW, NEAR_HIGH = Fraction(1, 2), Fraction(11, 10)
"""A price times a factor that lands between these shares of the reference explains the mix-up."""


class BadPrice(ValueError):
    """The text is no price; `code` is malformed or out_of_range, the message helps."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def money(terms: Terms, minor: int) -> str:
    """`12.50 EUR`."""
    return f"{format_minor(minor, terms.exponent)} {terms.currency}"


def read_price(terms: Terms, text: str | None) -> int:
    """Minor units above zero. Raises BadPrice."""
    if text is None:
        raise BadPrice(Code.MALFORMED, "A price is needed.")
    # The usual way to write a price, read the short way: this is done for every bid.
    whole, _, decimals = text.partition(".")
    digits = whole + decimals
    if decimals and len(decimals) == terms.exponent and len(digits) < USUAL_CHARS_MAX:
        usual = int(digits) if whole and digits.isascii() and digits.isdecimal() else 0
        if usual:
            return usual
    try:
        minor = parse_minor(text, terms.exponent)
    except NotAnAmount as error:
        if error.code == "out_of_range":
            raise BadPrice(Code.OUT_OF_RANGE, error.detail) from None
        comma = " Write a decimal point, and nothing between thousands." if "," in text else ""
        raise BadPrice(Code.MALFORMED, error.detail + comma) from None
    if minor <= 0:
        raise BadPrice(Code.OUT_OF_RANGE, "A price is above zero.")
    return minor


def read_lines(terms: Terms, lines: dict[str, str], price: int) -> tuple[int, ...]:
    """The totals of the lines in minor units, in the order of the terms. Every line is named, none
    is below zero, and together they are the price. Raises BadPrice.
    """
    wanted = [line.id for line in terms.lines]
    if not wanted and not lines:
        return ()
    if set(lines) != set(wanted):
        raise BadPrice(Code.MALFORMED, _other_lines(wanted, lines))
    totals = tuple(_read_line(terms, name, lines[name]) for name in wanted)
    if sum(totals) != price:
        both = f"{money(terms, sum(totals))}, the price is {money(terms, price)}"
        raise BadPrice(Code.MALFORMED, f"The lines add up to {both}.")
    return totals


def _other_lines(wanted: list[str], lines: dict[str, str]) -> str:
    if not wanted:
        return "This auction has no lines: leave them out."
    missing = [name for name in wanted if name not in lines]
    if missing:
        return f"Every line needs its total; missing: {', '.join(missing)}."
    return f"The lines of this auction are: {', '.join(wanted)}."


def _read_line(terms: Terms, name: str, text: str) -> int:
    try:
        total = parse_minor(text, terms.exponent)
    except NotAnAmount as error:
        code = Code.OUT_OF_RANGE if error.code == "out_of_range" else Code.MALFORMED
        raise BadPrice(code, f"Line {name}: {error.detail}") from None
    if total < 0:
        raise BadPrice(Code.OUT_OF_RANGE, f"Line {name} is below zero; zero is the least.")
    return total


def confirmation_token(terms: Terms, alias: str, price: int) -> str:
    """What confirms this price of this bidder; not made of the cid, so another cid may carry it."""
    text = f"{terms.auction}|{alias}|{price}"
    return hashlib.sha256(text.encode()).hexdigest()[:TOKEN_CHARS]


def doubt(state: State, alias: str, scale: Scale, price: int) -> str | None:
    """Why the price looks like a slip, or None.

    It is compared with the lowest price the bidder knows: the ceiling, the price accepted on a
    clock, the own bid, and the lead
    (in the bidder's own terms) where it is shown. Anything else would tell what is hidden.
    """
    limit_ppm, bids = state.terms.typo_guard_ppm, state.bidders[alias].bids
    if limit_ppm is None:
        return None
    reference = bids[-1].price if bids else state.terms.ceiling_minor
    if not bids and state.taken is not None:
        reference = state.taken.price
    # What is no slip beside the own bid is none beside a lower lead.
    if reference is None or (reference - price) * PPM <= limit_ppm * reference:
        return None
    lead = rival_lead(state, alias)
    if bids and lead is not None and state.terms.shows_lead:
        reference = min(reference, floor(price_at(scale, lead[0])))
    if (reference - price) * PPM <= limit_ppm * reference:
        return None
    drop = format_minor((reference - price) * 1_000 // reference, 1)
    terms = state.terms
    return (
        f"{money(terms, price)} is {drop} % below {money(terms, reference)}."
        f"{_explanation(terms, price, reference)} Repeat it with the token if you mean it."
    )


def _explanation(terms: Terms, price: int, reference: int) -> str:
    for line in terms.lines:
        quantity = Fraction(line.quantity or "1")
        if quantity > 1 and NEAR_LOW <= price * quantity / reference <= NEAR_HIGH:
            return f" It looks like the price of one unit instead of the total of {line.quantity}."
    for places in (1, 2, 3):
        if NEAR_LOW <= Fraction(price * 10**places, reference) <= NEAR_HIGH:
            return f" It looks as if the decimal point slipped by {places}."
    return ""
