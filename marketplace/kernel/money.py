"""Money as integer minor units with a currency; decimal strings on the wire, never a float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import msgspec

from marketplace.kernel.codes import CURRENCY_HINT, is_currency

# ISO 4217 currencies whose minor unit is not 1/100. Pinned here, not taken from a locale library:
# a data update must never change how a past log folds.
_WHOLE = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
_WHOLE |= {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
_THOUSANDTHS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
_EXPONENTS = dict.fromkeys(_WHOLE, 0) | dict.fromkeys(_THOUSANDTHS, 3)
AMOUNT_CHARS_MAX = 24
MINOR_MAX = 2**53 - 1

_DECIMAL = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,6}))?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class NotAnAmount(ValueError):
    """The text is no decimal amount of that currency; `code` says which way."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def has_currency_form(code: str) -> bool:
    """Three capital letters. Whether ISO 4217 lists them is asked where they are entered
    (`kernel.codes`): a past log must fold when its currency has left the list.
    """
    return _CURRENCY.fullmatch(code) is not None


def exponent_of(currency: str) -> int:
    """Decimal places of the currency's minor unit (ISO 4217): 2 unless listed."""
    return _EXPONENTS.get(currency, 2)


def parse_minor(text: str, exponent: int) -> int:
    """`"12.5"` → `1250` at exponent 2. Raises NotAnAmount (`malformed`, `too_precise` or
    `out_of_range`).
    """
    match = _DECIMAL.fullmatch(text) if len(text) <= AMOUNT_CHARS_MAX else None
    if match is None:
        raise NotAnAmount(
            "malformed", "An amount is written as digits with a decimal point, such as 1234.50."
        )
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    if len(fraction.rstrip("0")) > exponent:
        raise NotAnAmount("too_precise", f"At most {exponent} decimal places.")
    scale: int = 10**exponent
    minor = int(whole) * scale + int((fraction[:exponent] + "0" * exponent)[:exponent] or "0")
    if minor > MINOR_MAX:
        raise NotAnAmount("out_of_range", "The amount is too large.")
    return -minor if sign else minor


def format_minor(minor: int, exponent: int) -> str:
    """`1250` → `"12.50"` at exponent 2; the inverse of `parse_minor`."""
    digits = str(minor)
    if exponent == 0:
        return digits
    if minor > 0 and len(digits) > exponent:
        return f"{digits[:-exponent]}.{digits[-exponent:]}"
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def split_minor(total: int, parts: Sequence[int]) -> list[int]:
    """`total` in the proportion of `parts`, whole and without a remainder: what rounding leaves
    goes to the largest fractions, the earlier first.
    """
    whole = sum(parts)
    if whole == 0:
        return [total, *[0] * (len(parts) - 1)] if parts else []
    exact = [Fraction(total * part, whole) for part in parts]
    shares = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda index: (shares[index] - exact[index], index))
    for index in order[: total - sum(shares)]:
        shares[index] += 1
    return shares


def round_half_even(value: Fraction) -> int:
    """Nearest integer, ties to even: the one rounding people see (IEEE 754 ties-to-even)."""
    return round(value)


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money: a decimal text and its currency, never a float.

    amount  units of the currency with at most its own decimals (EUR 2, JPY 0), never an exponent or
            a thousands sign, e.g. `1234.50`
    """

    amount: str
    currency: str


class Money(msgspec.Struct, frozen=True, order=False):
    """Integer minor units and their currency; arithmetic between currencies raises ValueError."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, amount: Amount) -> Money:
        """Raises NotAnAmount."""
        if not is_currency(amount.currency):
            raise NotAnAmount("unknown_currency", f"This is no currency. {CURRENCY_HINT}")
        return cls(parse_minor(amount.amount, exponent_of(amount.currency)), amount.currency)

    def wire(self) -> Amount:
        return Amount(format_minor(self.minor, exponent_of(self.currency)), self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.minor
