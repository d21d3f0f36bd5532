"""Currencies and countries are those of the ISO lists."""

from __future__ import annotations

import pytest
from babel.core import get_global

from marketplace.kernel.codes import countries, currencies, currency_errors, is_country, is_currency
from marketplace.kernel.money import Amount, Money, NotAnAmount


@pytest.mark.parametrize("code", ["EUR", "USD", "JPY", "KWD", "UAH", "PLN", "RON", "XOF", "CHF"])
def test_currencies_that_are_paid_in(code: str) -> None:
    assert is_currency(code)
    assert currency_errors("currency", code) == []


@pytest.mark.parametrize(
    "code", ["EUX", "XXX", "XTS", "XAU", "XDR", "CHE", "DEM", "eur", "EUR\n", "", "EURO", "€"]
)
def test_what_is_no_currency(code: str) -> None:
    assert [error.code for error in currency_errors("currency", code)] == ["unknown_currency"]
    with pytest.raises(NotAnAmount) as refused:
        Money.parse(Amount("1.00", code))
    assert refused.value.code == "unknown_currency"


def test_another_library_knows_the_same_currencies_and_countries() -> None:
    assert currencies() <= get_global("all_currencies").keys()
    assert countries() <= set(get_global("territory_currencies")) | {"GS", "PS"}
    assert len(countries()) == 250


@pytest.mark.parametrize("code", ["DE", "UA", "PL", "RO", "GB", "XK"])
def test_countries(code: str) -> None:
    assert is_country(code)


@pytest.mark.parametrize("code", ["ZZ", "XX", "UK", "EU", "SU", "de", "", "DEU", "Germany"])
def test_what_is_no_country(code: str) -> None:
    assert not is_country(code)
