"""The same rules in minutes."""

from __future__ import annotations

from typing import Any

import pytest

from auctions.practice import rules
from auctions.rules.core.parameters import Terms
from auctions.rules.terms.read import read_terms
from auctions.rules.terms.show import rules_of

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


def read(ceiling: str | None = "10000.00", **given: Any) -> Terms:
    written = {"starts_at": "2027-01-15T08:00:00Z", **given}
    return read_terms(written, auction="real", currency="EUR", ceiling=ceiling)


def short(terms: Terms) -> Terms:
    return rules.practice_terms(terms, "practice", NOW_US)


def test_steps_scoring_visibility_and_ties_stay_as_they_are() -> None:
    terms = read(
        format="english", duration_s=86_400, ties="forbid_lead", visibility="all",
        step={"against": "lead", "kind": "percent", "value": "0.5"}, min_rating="60",
    )  # fmt: skip
    made = short(terms)
    assert (made.ties, made.visibility, made.scoring) == ("forbid_lead", "all", terms.scoring)
    assert made.phases[0].step == terms.phases[0].step
    assert made.phases[0].duration_us == 180 * SECOND_US
    assert (made.auction, made.min_rating) == ("practice", None)
    assert made.starts_at_us == NOW_US + rules.START_US


def test_what_is_short_already_is_not_made_longer() -> None:
    made = short(read(format="sealed", duration_s=5))
    assert made.phases[0].duration_us == 5 * SECOND_US


def test_overtime_ends_some_time() -> None:
    overtime = {"window_s": 120, "extend_s": 300, "trigger_rank": None, "from": "bid"}
    made = short(read(format="english", duration_s=1_200, overtime=overtime)).phases[0].overtime
    assert made is not None
    assert (made.window_us, made.extend_us, made.limit) == (20_000_000, 20_000_000, 5)
    assert short(read(format="english", duration_s=60)).phases[0].overtime is None


@pytest.mark.parametrize(
    "clock",
    [
        {"format": "dutch", "start": "10.00", "increment": "0.10", "cap": "10000.00"},
        {"format": "japanese", "start": "10000.00", "decrement": "0.10"},
    ],
)
def test_a_clock_of_many_steps_takes_bigger_ones(clock: dict[str, Any]) -> None:
    phase = short(read(**clock, interval_s=30)).phases[0]
    assert phase.duration_us <= 250 * SECOND_US
    assert phase.interval_us >= 3 * SECOND_US


def test_rounds_end_within_minutes() -> None:
    phase = short(read(format="rounds", rounds=10, turn_s=600)).phases[0]
    assert (phase.rounds, phase.turn_us) == (3, 20 * SECOND_US)
    assert phase.duration_us < 300 * SECOND_US


def test_short_rules_are_still_rules_that_can_be_read() -> None:
    written: tuple[dict[str, Any], ...] = (
        {"format": "rounds", "rounds": 5},
        {"format": "dutch", "start": "10.00", "increment": "0.10", "cap": "9990.00"},
        {"format": "japanese", "start": "500.00", "decrement": "3.00", "interval_s": 60},
    )
    for given in written:
        made = rules_of(short(read(**given)))
        again = read_terms(made, auction="practice", currency="EUR", ceiling="10000.00")
        assert rules_of(again) == made


def test_a_bot_is_the_same_wherever_it_is_asked_for() -> None:
    terms = read(format="english", duration_s=60)
    assert rules.character(terms, "Amber Heron") == rules.character(terms, "Amber Heron")
    assert rules.character(terms, "Amber Heron") != rules.character(terms, "Quiet Fox")


def test_without_any_amount_bots_know_one() -> None:
    terms = read(None, format="english", duration_s=60)
    assert rules.character(terms, "Amber Heron").opening_minor <= rules.ANCHOR_MINOR
