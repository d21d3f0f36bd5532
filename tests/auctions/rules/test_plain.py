"""The plain words say what the rules do."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctions.rules.core.outcomes import Code
from auctions.rules.parts.words import duration
from auctions.rules.views.guide import CODES, guide
from auctions.rules.views.plain import explain
from tests.auctions.rules.driver import Run, terms_of

GUIDE = Path(__file__).parents[3] / "docs" / "bidding.md"


def words(heading: str, **rules) -> str:
    return next(
        p.text + " " + p.example for p in explain(terms_of(**rules)) if p.heading == heading
    )


def test_the_guide_is_what_the_rules_say():
    assert GUIDE.read_text() == guide(), "python -m auctions.rules.views.guide > docs/bidding.md"


def test_every_refusal_is_explained():
    assert set(CODES) == set(Code)


def test_the_example_of_a_step_is_what_would_be_accepted():
    run = Run(step={"kind": "percent", "value": "0.5"}).open().bids(("a", "1000.00"))
    assert run.max_price("a") in words("Step", step={"kind": "percent", "value": "0.5"})


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (1_000_000, "1 second"),
        (90_000_000, "90 seconds"),
        (500_000, "0.5 seconds"),
        (60_000_000, "1 minute"),
        (7_200_000_000, "2 hours"),
    ],
)
def test_durations_read_naturally(us, text):
    assert duration(us) == text


def test_paragraphs_that_do_not_apply_are_left_out():
    headings = [p.heading for p in explain(terms_of(ceiling=None, visibility="blind"))]
    for absent in ("Ceiling", "Slips of the finger", "Rating", "Lines", "Buffers", "Overtime"):
        assert absent not in headings
    assert "Automatic bidding" not in headings


def test_without_a_ceiling_examples_use_a_round_price():
    assert "1000.00 EUR" in words("Equal bids", ceiling=None)


def test_a_clock_speaks_of_its_steps():
    clock = {"format": "dutch", "start": "10.00", "increment": "3.00", "cap": "20.00"}
    assert "Step 4 is the last one, at 20.00 EUR" in words("Dutch clock", **clock)
    headings = [p.heading for p in explain(terms_of(**clock))]
    assert "Equal bids" not in headings
    assert "Slips of the finger" not in headings


def test_both_buffers_are_told():
    step = {"value": "1.00", "back_buffer": "3.00"}
    assert "at least 3.00 EUR above it" in words("Buffers", step=step)
