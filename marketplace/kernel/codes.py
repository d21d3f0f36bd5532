"""Currencies and countries, looked up in the lists of ISO 4217 and ISO 3166-1.

What is entered is looked up; what was stored once stays readable when a list has changed since.
"""

from __future__ import annotations

from functools import cache

import pycountry

from marketplace.kernel.errors import FieldError, Invalid

# Codes of the list that nobody pays in: metals, baskets, tests, "no currency", and units of funds.
_X_CURRENCIES = frozenset(["XAF", "XCD", "XCG", "XOF", "XPF"])
_FUNDS = frozenset(["BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"])
# Kosovo: not in ISO 3166-1, but what tax offices and banks use.
_OTHER_COUNTRIES = frozenset(["XK"])

CURRENCY_HINT = "Use the three-letter ISO 4217 code, such as EUR."


@cache
def currencies() -> frozenset[str]:
    """Codes of the currencies that prices may be in."""
    codes = {currency.alpha_3 for currency in pycountry.currencies}
    return frozenset(c for c in codes - _FUNDS if c[0] != "X" or c in _X_CURRENCIES)


@cache
def countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries) | _OTHER_COUNTRIES


def is_currency(code: str) -> bool:
    return code in currencies()


def is_country(code: str) -> bool:
    return code in countries()


def currency_errors(field: str, code: str) -> list[FieldError]:
    """What is wrong with a currency that was entered: `unknown_currency`, or nothing."""
    if is_currency(code):
        return []
    message = "This is no currency of ISO 4217."
    return [FieldError(field, "unknown_currency", message, CURRENCY_HINT)]


def require_currency(field: str, code: str | None) -> None:
    """None is no currency asked for. Raises Invalid (`unknown_currency`)."""
    if code is not None and (errors := currency_errors(field, code)):
        raise Invalid("unknown_currency", errors[0].message, errors=errors)
