"""Money is integer minor units; texts are read strictly and written back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.money import (
    MINOR_MAX,
    Amount,
    Money,
    NotAnAmount,
    exponent_of,
    format_minor,
    parse_minor,
)


@given(st.integers(-MINOR_MAX, MINOR_MAX), st.sampled_from([0, 2, 3]))
def test_what_was_written_reads_the_same(minor: int, exponent: int) -> None:
    assert parse_minor(format_minor(minor, exponent), exponent) == minor


@pytest.mark.parametrize(
    ("text", "exponent", "minor"),
    [("12.5", 2, 1250), ("12.50", 2, 1250), ("12.500", 2, 1250), ("7", 0, 7), ("-0.01", 2, -1)],
)
def test_a_decimal_text_is_exact(text: str, exponent: int, minor: int) -> None:
    assert parse_minor(text, exponent) == minor


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12,50", "malformed"),
        ("1e3", "malformed"),
        ("NaN", "malformed"),
        ("", "malformed"),
        (" 1", "malformed"),
        ("١٢", "malformed"),
        ("1" * 30, "malformed"),
        ("0.001", "too_precise"),
        ("999999999999999999", "out_of_range"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(NotAnAmount) as refused:
        parse_minor(text, 2)
    assert refused.value.code == code


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "EUR") + Money(1, "USD")


def test_the_minor_unit_is_the_currencys_own() -> None:
    assert Money.parse(Amount("1500", "JPY")) == Money(1500, "JPY")
    assert Money(1500, "KWD").wire() == Amount("1.500", "KWD")
    assert exponent_of("EUR") == 2


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(NotAnAmount, match="This is no currency"):
        Money.parse(Amount("1", "euro"))
