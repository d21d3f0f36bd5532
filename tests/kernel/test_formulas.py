"""Formulas compute exactly, and a hostile one is refused before anything is evaluated."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.formulas import (
    CHARS_MAX,
    Bounds,
    FormulaError,
    is_input_name,
    parse,
    read_inputs,
    write_rounded,
)

NAMES = ("a", "b", "price")
VALUES = {"a": Fraction("0.1"), "b": Fraction("-3.25"), "price": Fraction(7)}
Part = tuple[str, Fraction]


def refused(text: str) -> FormulaError:
    with pytest.raises(FormulaError) as caught:
        parse(text, NAMES)
    return caught.value


def literal(units: int, places: int) -> Part:
    text = write_rounded(Fraction(units, 10**places), places)
    return text, Fraction(text)


LEAVES = st.one_of(
    st.builds(literal, st.integers(0, 10**9), st.integers(0, 6)),
    st.sampled_from([(name, VALUES[name]) for name in NAMES]),
)


def larger(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    """What the text of two or three parts means, computed beside the formula's own evaluation."""
    two = st.tuples(parts, parts)
    return st.one_of(
        two.map(lambda p: (f"({p[0][0]} + {p[1][0]})", p[0][1] + p[1][1])),
        two.map(lambda p: (f"({p[0][0]} - {p[1][0]})", p[0][1] - p[1][1])),
        two.map(lambda p: (f"({p[0][0]} * {p[1][0]})", p[0][1] * p[1][1])),
        two.filter(lambda p: p[1][1] != 0).map(
            lambda p: (f"({p[0][0]} / {p[1][0]})", p[0][1] / p[1][1])
        ),
        two.map(lambda p: (f"min({p[0][0]}, {p[1][0]})", min(p[0][1], p[1][1]))),
        parts.map(lambda p: (f"(-{p[0]})", -p[1])),
        parts.map(lambda p: (f"abs({p[0]})", abs(p[1]))),
        st.tuples(parts, parts, parts).map(
            lambda p: (
                f"({p[0][0]} if {p[1][0]} < {p[2][0]} else {p[2][0]})",
                p[0][1] if p[1][1] < p[2][1] else p[2][1],
            )
        ),
    )


@given(st.recursive(LEAVES, larger, max_leaves=8))
def test_a_formula_means_exactly_what_it_says(part: Part) -> None:
    text, value = part
    if len(text) > CHARS_MAX or abs(value) > 10**12:
        return
    try:
        formula = parse(text, NAMES)
    except FormulaError as wrong:
        refusal = wrong.code
    else:
        assert formula.evaluate(VALUES) == value
        return
    assert refusal in {"too_deep", "too_large"}


TOKENS = [
    *("a", "b", "price", "1", "2.5", "0", "(", ")", "+", "-", "*", "/", "**", "//", "%"),
    *("<", "<=", "==", "!=", "and", "or", "not", "if", "else", ",", ".", "[", "]", "'", ":", "="),
    *("\\", "#", "@", "&", "~", "lambda", "await", "max", "min", "round", "ceil", "__import__"),
    *("1e9", "0x1", "\x00", "é", "\uff41", "\n"),
]


@given(st.lists(st.sampled_from(TOKENS), max_size=60), st.sampled_from(["", " "]))
def test_any_text_is_either_a_number_or_refused(tokens: list[str], glue: str) -> None:
    text = glue.join(tokens)
    try:
        outcome: object = parse(text, NAMES).evaluate(VALUES)
    except FormulaError as wrong:
        outcome = wrong
    if isinstance(outcome, FormulaError):
        assert 0 <= outcome.position <= len(text)
    else:
        assert isinstance(outcome, Fraction)


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("", "syntax", 0),
        ("a ** 9", "not_allowed", 0),
        ("1 + a.real", "not_allowed", 4),
        ("  a + c", "unknown_name", 6),
        ("a + pow(a, b)", "unknown_function", 4),
        ("max(a)", "arity", 0),
        ("round(a, 7)", "arity", 9),
        ("max(*a, b)", "not_allowed", 0),
        ("a if b else 1", "not_a_number", 5),
        ("a + (b < 1)", "not_a_number", 5),
        ("a < 1", "not_a_number", 0),
        ("1if a > 1 else 2", "not_allowed", 0),
        ("a + 1_000", "not_allowed", 4),
        ("a + .5", "not_allowed", 4),
        ("a + 1234567890123456789", "not_allowed", 4),
        ("(a\n+ 1)", "not_allowed", 2),
        ("a # one", "not_allowed", 2),
        ("\uff41", "not_allowed", 0),
        ("\x00", "syntax", 0),
        ("+a", "not_allowed", 0),
        ("a is 1", "not_allowed", 0),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(text: str, code: str, position: int) -> None:
    wrong = refused(text)
    assert (wrong.code, wrong.position) == (code, position)


@pytest.mark.parametrize(
    "text",
    [
        "-" * 499 + "1",
        "(" * 21 + "1" + ")" * 21,
        "(" * 249 + "1" + ")" * 249,
        "not " * 100 + "a < 1",
        "+".join("1" * 100),
        "1 if a < 2 else " * 30 + "3",
        "[" * 250,
        "{" * 250,
    ],
)
def test_deep_formulas_are_refused_soon(text: str) -> None:
    started = time.perf_counter()
    assert refused(text).code in {"too_deep", "too_large", "syntax"}
    # Half a second is a thousand times what it takes, and far below what an attack needs.
    assert time.perf_counter() - started < 0.5


def test_twenty_levels_and_a_hundred_parts_are_allowed() -> None:
    assert parse("+".join(["1"] * 20), []).evaluate({}) == 20
    assert refused("+".join(["1"] * 21)).code == "too_deep"
    ten = "max(" + ",".join(["1"] * 10) + ")"
    nine = "max(" + ",".join([ten] * 9) + ")"
    assert parse(nine, []).evaluate({}) == 1
    assert refused(f"max({','.join([ten] * 10)})").code == "too_large"


def test_what_is_not_needed_is_not_evaluated() -> None:
    assert parse("a if b == 0 else a / b", ["a", "b"]).evaluate(
        {"a": Fraction(5), "b": Fraction(0)}
    ) == Fraction(5)
    lazy = parse("1 if a > 0 or a / 0 > 1 else 2", ["a"])
    assert lazy.evaluate({"a": Fraction(1)}) == 1
    with pytest.raises(FormulaError, match="zero"):
        lazy.evaluate({"a": Fraction(-1)})


def test_inputs_are_read_strictly() -> None:
    inputs = {"a": Bounds(Fraction(1), Fraction(2)), "b": Bounds()}
    assert read_inputs(inputs, {"a": "1.50", "b": "-0"}) == {"a": Fraction(3, 2), "b": 0}
    for texts, code, name in (
        ({"a": "1"}, "missing_input", "b"),
        ({"a": "1", "b": "1", "c": "1"}, "unknown_input", "c"),
        ({"a": "2.01", "b": "1"}, "bad_input", "a"),
        ({"a": "1", "b": "1e3"}, "bad_input", "b"),
        ({"a": "1", "b": "٣"}, "bad_input", "b"),
        ({"a": "1", "b": "0" * 19}, "bad_input", "b"),
    ):
        with pytest.raises(FormulaError) as caught:
            read_inputs(inputs, texts)
        assert (caught.value.code, caught.value.name) == (code, name)


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_results_are_rounded_half_to_even(units: int, places: int) -> None:
    half = Fraction(2 * units + 1, 2 * 10**places)
    written = write_rounded(half, places)
    assert int(written.replace(".", "")) % 2 == 0
    assert abs(Fraction(written) - half) == Fraction(1, 2 * 10**places)


def test_nothing_is_written_as_minus_zero() -> None:
    assert write_rounded(Fraction(-1, 1000), 2) == "0.00"


@pytest.mark.parametrize("name", ["if", "max", "A", "1a", "a b", "", "a" * 41, "lambda"])
def test_an_input_is_not_called_like_a_word_of_the_language(name: str) -> None:
    assert not is_input_name(name)
