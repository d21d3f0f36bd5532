"""Rules as JSON: read, checked field by field, written back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auctions.rules.core.parameters import Terms
from auctions.rules.parts.fields import ERRORS_MAX
from auctions.rules.terms.read import read_terms
from auctions.rules.terms.show import describe, rules_of
from marketplace.kernel.errors import Invalid
from tests.auctions.rules.driver import START, terms_of

EXAMPLE: dict[str, Any] = {
    "format": "english",
    "starts_at": START,
    "duration_s": 1_200,
    "step": {"against": "own", "kind": "amount", "value": "50.00", "bands": []},
    "overtime": {"window_s": 120, "extend_s": 120, "trigger_rank": 3, "from": "close", "max": 10},
    "scoring": {"kind": "price"},
    "ties": "allowed",
    "visibility": "rank_and_lead",
    "typo_guard_percent": "30",
    "min_rating": None,
}
FEATURE = {
    "id": "warranty",
    "title": "Warranty",
    "max": "0.15",
    "options": [{"id": "5y", "title": "5 years", "value": "0.15"}],
}
RATED = {"id": "rating", "max": "0.1", "source": "rating", "unrated": "40"}
COST = {"id": "energy", "title": "Energy"}
ROUNDS = {"format": "rounds", "rounds": 2, "turn_s": 60, "announce_s": 5.5}
DUTCH = {
    "format": "dutch",
    "start": "100.00",
    "increment": "5.00",
    "interval_s": 9,
    "cap": "150.00",
}
JAPANESE = {"format": "japanese", "start": "100.00", "decrement": "5.00", "floor": "50.00"}
HYBRID = {"format": "phases", "phases": [{"format": "sealed"}, {"format": "english"}]}

GOOD = [
    EXAMPLE,
    EXAMPLE | {"typo_guard_percent": None, "min_rating": "60.5", "names_after_close": True},
    EXAMPLE
    | {"step": {"kind": "percent", "value": "0.5", "bands": [{"from": "10", "value": "1"}]}},
    EXAMPLE | {"step": {"against": "lead", "value": "1", "front_buffer": "2", "back_buffer": "1"}},
    EXAMPLE | {"scoring": {"kind": "meat", "features": [FEATURE, RATED]}},
    EXAMPLE | {"scoring": {"kind": "lcc", "costs": [COST]}},
    EXAMPLE | {"scoring": {"kind": "mixed", "features": [FEATURE], "costs": [COST]}},
    EXAMPLE | {"lines": [{"id": "1", "title": "Pumps", "quantity": "400"}, {"id": "2"}]},
    EXAMPLE | ROUNDS,
    EXAMPLE | DUTCH,
    EXAMPLE | JAPANESE,
    {"starts_at": START} | HYBRID,
    {"starts_at": START},
]


def read(rules: Any, ceiling: str | None = "500000.00", **fields: Any) -> Terms:
    return read_terms(rules, auction="x", currency="EUR", ceiling=ceiling, **fields)


def wrong(rules: Any, ceiling: str | None = "500000.00", **fields: Any) -> dict[str, str]:
    """field -> code of everything that is refused."""
    with pytest.raises(Invalid) as caught:
        read(rules, ceiling, **fields)
    return {error.field: error.code for error in caught.value.errors}


@pytest.mark.parametrize("rules", GOOD)
def test_good_rules_are_read_and_come_back_the_same(rules):
    terms = read(rules)
    assert read(rules_of(terms)) == terms
    assert msgspec.json.decode(msgspec.json.encode(terms), type=Terms) == terms
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(terms), type=Terms) == terms
    assert describe(terms)["ceiling"] == "500000.00"


def test_the_example_of_the_contract_is_understood():
    terms = read(EXAMPLE)
    phase = terms.phases[0]
    assert (phase.duration_us, phase.step.value) == (1_200_000_000, 5_000)
    assert phase.overtime.trigger_rank == 3
    assert terms.typo_guard_ppm == 300_000
    assert (terms.min_resume_us, terms.heartbeat_us, terms.blind_us) == (
        120 * 10**6,
        2 * 10**6,
        6 * 10**6,
    )
    assert (terms.near_us, terms.near_heartbeat_us, terms.near_blind_us) == (
        120 * 10**6,
        5 * 10**5,
        2 * 10**6,
    )


def test_the_currency_decides_how_many_decimals_a_price_has():
    assert terms_of(currency="JPY", ceiling="1000", step={"value": "5"}).phases[0].step.value == 5
    assert terms_of(currency="KWD", step={"value": "5"}).phases[0].step.value == 5_000


def example(**changes: Any) -> dict[str, Any]:
    return EXAMPLE | changes


def step(**changes: Any) -> dict[str, Any]:
    return example(step={"value": "50.00"} | changes)


def overtime(**changes: Any) -> dict[str, Any]:
    return example(overtime={"window_s": 60} | changes)


def meat(*features: Any, **changes: Any) -> dict[str, Any]:
    return example(scoring={"kind": "meat", "features": list(features)} | changes)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], {"rules": "malformed", "starts_at": "required"}),
        ({}, {"starts_at": "required"}),
        (example(format="auction"), {"format": "unknown_choice"}),
        (example(starts_at="tomorrow"), {"starts_at": "malformed"}),
        (example(starts_at="2026-12-01T10:00:00"), {"starts_at": "malformed"}),
        (example(starts_at="2026-13-01T10:00:00Z"), {"starts_at": "out_of_range"}),
        (example(duration_s="1200"), {"duration_s": "malformed"}),
        (example(duration_s=True), {"duration_s": "malformed"}),
        (example(duration_s=0, overtime=None), {"duration_s": "out_of_range"}),
        (example(duration_s=float("nan"), overtime=None), {"duration_s": "out_of_range"}),
        (example(colour="red"), {"colour": "unknown_field"}),
        (example(rounds=3), {"rounds": "unknown_field"}),
        (example(ties="maybe"), {"ties": "unknown_choice"}),
        (example(tie_rank="middle"), {"tie_rank": "unknown_choice"}),
        (example(visibility="some"), {"visibility": "unknown_choice"}),
        (example(names_after_close="yes"), {"names_after_close": "malformed"}),
        (
            {"format": "sealed", "starts_at": "2026-12-01T10:00:00Z", "visibility": "blind"}
            | {"names_after_close": True},
            {"names_after_close": "impossible"},
        ),
        (example(typo_guard_percent="0"), {"typo_guard_percent": "out_of_range"}),
        (example(typo_guard_percent="101"), {"typo_guard_percent": "out_of_range"}),
        (example(typo_guard_percent=30), {"typo_guard_percent": "malformed"}),
        (example(min_rating="101"), {"min_rating": "out_of_range"}),
        (example(step=7), {"step": "malformed", "step.value": "required"}),
        (example(step={}), {"step.value": "required"}),
        (step(value=50), {"step.value": "malformed"}),
        (step(value="0"), {"step.value": "out_of_range"}),
        (step(value="1.005"), {"step.value": "too_precise"}),
        (step(value="500000.00"), {"step.value": "impossible"}),
        (step(value="100", kind="percent"), {"step.value": "out_of_range"}),
        (step(kind="ratio"), {"step.kind": "unknown_choice"}),
        (step(against="worst"), {"step.against": "unknown_choice"}),
        (step(front_buffer="600000"), {"step.front_buffer": "impossible"}),
        (step(limit="1"), {"step.limit": "unknown_field"}),
        (step(bands={}), {"step.bands": "malformed"}),
        (
            step(bands=[1]),
            {
                "step.bands[0]": "malformed",
                "step.bands[0].from": "required",
                "step.bands[0].value": "required",
            },
        ),
        (
            step(bands=[{"from": "5", "value": "1"}, {"from": "5", "value": "2"}]),
            {"step.bands": "not_rising"},
        ),
        (overtime(window_s=1_201), {"overtime.window_s": "impossible"}),
        (overtime(window_s=0), {"overtime.window_s": "out_of_range"}),
        (overtime(trigger_rank=0), {"overtime.trigger_rank": "out_of_range"}),
        (overtime(max="ten"), {"overtime.max": "malformed"}),
        (overtime(**{"from": "lunch"}), {"overtime.from": "unknown_choice"}),
        (example(scoring={"kind": "beauty"}), {"scoring.kind": "unknown_choice"}),
        (example(scoring={"kind": "price", "costs": []}), {"scoring.costs": "unknown_field"}),
        (example(scoring={"kind": "lcc"}), {"scoring.costs": "required"}),
        (
            example(scoring={"kind": "lcc", "costs": [COST, COST]}),
            {"scoring.costs": "duplicate"},
        ),
        (meat(), {"scoring.features": "required"}),
        (meat(FEATURE | {"max": "1"}), {"scoring.features[0].max": "out_of_range"}),
        (meat(FEATURE | {"id": ""}), {"scoring.features[0].id": "malformed"}),
        (meat(FEATURE | {"options": []}), {"scoring.features[0].options": "required"}),
        (
            meat(FEATURE | {"options": [{"id": "x", "value": "0.2"}]}),
            {"scoring.features[0].options[0].value": "impossible"},
        ),
        (
            meat(*({"id": str(n), "max": "0.5", "source": "rating"} for n in range(2))),
            {"scoring.features": "impossible"},
        ),
        (example(lines=[{"id": "1"}, {"id": "1"}]), {"lines": "duplicate"}),
        (example(lines=[{"id": "1", "quantity": "0"}]), {"lines[0].quantity": "out_of_range"}),
        (
            example(visibility="rank") | step(against="lead") | {"visibility": "rank"},
            {"visibility": "impossible"},
        ),
        (step(back_buffer="1") | {"visibility": "blind"}, {"visibility": "impossible"}),
        (example(visibility="blind", ties="forbid_all"), {"ties": "impossible"}),
        (example(format="rounds", turn_s=0), {"turn_s": "out_of_range"}),
        (example(format="rounds", rounds=0), {"rounds": "out_of_range"}),
        (
            example(format="dutch"),
            {"start": "required", "increment": "required"},
        ),
        (example(**DUTCH) | {"cap": "99.99"}, {"cap": "impossible"}),
        (example(**DUTCH) | {"cap": "500000.01"}, {"cap": "impossible"}),
        (example(**DUTCH) | {"increment": "0"}, {"increment": "out_of_range"}),
        (
            example(**DUTCH) | {"increment": "0.01", "cap": "400000.00"},
            {"increment": "out_of_range"},
        ),
        (example(**DUTCH) | {"start": "600000"}, {"start": "impossible", "cap": "impossible"}),
        (example(**JAPANESE) | {"decrement": "100.00"}, {"decrement": "impossible"}),
        (example(**JAPANESE) | {"floor": "100.01"}, {"floor": "impossible"}),
        (
            example(**JAPANESE) | {"start": "400000", "decrement": "0.01", "floor": "1"},
            {"decrement": "out_of_range"},
        ),
        (
            example(**DUTCH) | {"scoring": {"kind": "lcc", "costs": [COST]}},
            {"scoring.kind": "impossible"},
        ),
        ({"starts_at": START, "format": "phases"}, {"phases": "required"}),
        (
            {"starts_at": START, "format": "phases", "phases": [{"format": "sealed"}]},
            {"phases": "required"},
        ),
        (
            {"starts_at": START, "format": "phases", "phases": [{"format": "sealed"}, {}]},
            {"phases[1].format": "required"},
        ),
        (
            {"starts_at": START, "format": "phases", "phases": [{"format": "english"}, DUTCH]},
            {"phases[1].format": "impossible"},
        ),
        (
            {"starts_at": START, "format": "phases", "phases": [{"format": "english"}, JAPANESE]},
            {"phases[1].format": "impossible"},
        ),
        (
            {"starts_at": START, "format": "phases", "phases": [{"format": "sealed", "x": 1}] * 9},
            {"phases": "malformed"},
        ),
    ],
)
def test_each_wrong_field_is_named(rules, expected):
    assert wrong(rules) == expected


def test_all_wrong_fields_are_named_at_once():
    rules = example(ties="x", visibility="y", duration_s="z", colour=1)
    assert set(wrong(rules)) == {"ties", "visibility", "duration_s", "colour"}


def test_errors_have_a_limit():
    assert len(wrong(example(**{f"x{n}": 1 for n in range(200)}))) == ERRORS_MAX


def test_a_clock_without_ceiling_needs_its_cap():
    rules = {key: value for key, value in (EXAMPLE | DUTCH).items() if key != "cap"}
    assert wrong(rules, None) == {"cap": "required"}
    assert read(rules).phases[0].cap_minor == 50_000_000


@pytest.mark.parametrize("format_", ["rounds", "japanese"])
def test_taking_turns_needs_two(format_):
    rules = EXAMPLE | {"rounds": ROUNDS, "japanese": JAPANESE}[format_]
    assert wrong(rules, bidders=1) == {"format": "impossible"}
    assert read(rules, bidders=2)


@pytest.mark.parametrize(
    ("ceiling", "code"), [("0", "out_of_range"), ("-1", "out_of_range"), ("x", "malformed")]
)
def test_a_wrong_ceiling_is_named(ceiling, code):
    assert wrong(EXAMPLE, ceiling) == {"ceiling": code}


def test_a_wrong_currency_is_named():
    with pytest.raises(Invalid) as caught:
        read_terms(EXAMPLE, auction="x", currency="euro", ceiling=None)
    assert [error.field for error in caught.value.errors] == ["currency"]
