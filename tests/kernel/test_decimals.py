"""Decimals of the wire have one grammar; typed numbers are read, refused by name or asked back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.decimals import (
    NotADecimal,
    decimal_mark,
    fault_of,
    parse_decimal,
    parse_quantity,
    read_quantity,
    wire_decimal,
)


@pytest.mark.parametrize("text", ["0", "7", "1234.50", "-3", "-0.5", "0.000001", "1.000", "007"])
def test_the_wire_takes_digits_with_one_point(text: str) -> None:
    assert parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1e3", "exponent"),
        ("1E+3", "exponent"),
        ("1,000", "grouped_number"),
        ("1 000", "grouped_number"),
        ("1_000", "grouped_number"),
        ("1.000.000", "grouped_number"),
        ("1,5", "malformed_number"),
        ("٣", "malformed_number"),
        ("\uff11\uff12", "malformed_number"),
        (" 5 ", "malformed_number"),
        ("5\n", "malformed_number"),
        ("+5", "malformed_number"),
        (".5", "malformed_number"),
        ("5.", "malformed_number"),
        ("", "malformed_number"),
        ("--1", "malformed_number"),
        ("NaN", "malformed_number"),
        ("Infinity", "malformed_number"),
        ("0x10", "malformed_number"),
        ("1" * 13, "out_of_range"),
        ("0.0000001", "too_precise"),
        ("9" * 1_000_000, "malformed_number"),
    ],
)
def test_the_wire_refuses_everything_else_by_name(text: str, code: str) -> None:
    with pytest.raises(NotADecimal) as refused:
        parse_decimal(text)
    assert refused.value.code == code
    assert refused.value.hint


@pytest.mark.parametrize("text", ["0", "-1", "0.000", "1e3"])
def test_a_quantity_is_above_zero(text: str) -> None:
    assert read_quantity(text) is None
    with pytest.raises(NotADecimal):
        parse_quantity(text)


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["12,50", "1.250", "900,00"], ","),
        (["12.50", "1,299"], "."),
        (["1.355", "12.400", "2.990"], None),
        (["1,299", "12,400"], None),
        (["79", "1000"], None),
        (["0.355"], "."),
        (["0,355"], ","),
        (["1234.567"], "."),
        (["1.234,5"], ","),
        (["1,234,567"], "."),
        (["1.234.567"], ","),
        (["1 234,500"], ","),
        (["1\u202f234,500"], ","),
        (["1'299.50"], "."),
        (["12,5", "12.5"], "."),
        (["x", "", "1.2.3"], None),
        ([], None),
    ],
)
def test_a_file_proves_its_decimal_mark_or_does_not(texts: list[str], mark: str | None) -> None:
    assert decimal_mark(texts) == mark


@pytest.mark.parametrize(
    ("text", "mark", "wire"),
    [
        ("12,50", ",", "12.50"),
        ("12,50", None, "12.50"),
        ("12.50", None, "12.50"),
        ("1.250", ".", "1.250"),
        ("1,250", ",", "1.250"),
        ("0.250", None, "0.250"),
        ("0,250", None, "0.250"),
        ("1234.567", None, "1234.567"),
        ("1.2500", None, "1.2500"),
        ("1000", None, "1000"),
        ("-2,5", None, "-2.5"),
    ],
)
def test_typed_numbers_that_have_one_reading(text: str, mark: str | None, wire: str) -> None:
    assert wire_decimal(text, mark) == wire  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "mark", "code"),
    [
        ("1.250", None, "ambiguous_number"),
        ("1,299", None, "ambiguous_number"),
        ("1.000", None, "ambiguous_number"),
        ("1.250", ",", "grouped_number"),
        ("1,299", ".", "grouped_number"),
        ("12.50", ",", "mixed_marks"),
        ("12,50", ".", "mixed_marks"),
        ("1.234,50", None, "grouped_number"),
        ("1,234.50", ".", "grouped_number"),
        ("12 400", None, "grouped_number"),
        ("1'299.50", None, "grouped_number"),
        ("1.2.3", None, "malformed_number"),
        ("1e3", ",", "exponent"),
    ],
)
def test_typed_numbers_that_are_asked_back(text: str, mark: str | None, code: str) -> None:
    assert fault_of(text, mark) == code  # type: ignore[arg-type]


def test_an_ambiguous_number_says_both_readings() -> None:
    with pytest.raises(NotADecimal) as asked:
        wire_decimal("1.250")
    assert "1250" in asked.value.hint
    assert "1.2500" in asked.value.hint
    assert wire_decimal("1.2500") == "1.2500"


@given(st.decimals(0, 10**12 - 1, places=2, allow_nan=False), st.sampled_from([".", ",", None]))
def test_what_a_person_typed_without_groups_is_never_another_number(
    number: Decimal, mark: str | None
) -> None:
    text = f"{number:f}".replace(".", mark or ".")
    assert Decimal(wire_decimal(text, mark)) == number  # type: ignore[arg-type]


@given(st.integers(1_000, 999_999), st.sampled_from(".,"), st.sampled_from([".", ",", None]))
def test_a_grouped_number_is_a_fraction_only_where_the_file_proves_it(
    number: int, groups: str, mark: str | None
) -> None:
    text = f"{number:,}".replace(",", groups)
    if mark == groups:
        assert fault_of(text, mark) is None  # type: ignore[arg-type]
    else:
        assert fault_of(text, mark) in {"grouped_number", "ambiguous_number"}  # type: ignore[arg-type]
