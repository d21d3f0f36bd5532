"""Every published case of the Dutch clock, mirrored at its start so that it rises."""

from __future__ import annotations

from auctions.rules import dutch
from tests.auctions.rules.driver import Run, terms_of
from tests.auctions.vector_files import cases, cents

CASES = cases("dutch")


def test_first_step_from_26000():
    case = CASES["first_step_from_26000"]
    phase = terms_of(ceiling=None, cap="52000.00", **case["rules"]).phases[0]
    assert dutch.price_of(phase, 0) == cents(case["current"])
    assert dutch.price_of(phase, 1) == cents(case["expected_next"])
    forward = case["published_forward"]
    mirrored = 2 * cents(forward["start"]) - cents(forward["expected_next"])
    assert mirrored == cents(case["expected_next"])


def test_accept_at_step_5():
    case = CASES["accept_at_step_5"]
    run = Run(ceiling=None, **case["rules"]).go(case["step"] * case["rules"]["interval_s"])
    assert run.text(run.state.stage.price) == case["current"]
    mirrored = 2 * cents(case["rules"]["start"]) - cents(case["published_forward_price"])
    assert mirrored == run.state.stage.price
    for command in case["commands"]:
        outcome = run.accept(command["bidder"], command["step"])
        assert ("accepted" if outcome.accepted else "refused") == command["expected"]
    assert run.state.status == "closed"
    assert run.standing == [(case["expected_winner"], case["expected_price"])]


def test_clock_of_81_prices():
    case = CASES["clock_of_81_prices"]
    phase = terms_of(ceiling=None, **case["rules"]).phases[0]
    assert dutch.steps_count(phase) == case["prices"]
    assert dutch.planned_us(phase, 0) == case["total_s"] * 10**6
    assert phase.interval_us == case["expected_interval_s"] * 10**6
    for row in case["expect"]:
        assert dutch.price_of(phase, row["step"]) == cents(row["price"])
        assert row["step"] * phase.interval_us == row["offset_s"] * 10**6
