"""Every published case of known products: ties, buffers, banded steps, extensions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from auctions.rules.core.bidding import step_value
from auctions.rules.core.outcomes import Extended
from auctions.rules.core.parameters import Band, Step
from auctions.rules.core.standing import rank_of
from tests.auctions.rules.driver import Run, terms_of
from tests.auctions.vector_files import cases, cents

CASES = cases("vendor_rules")


@pytest.mark.parametrize(
    ("case_id", "tie_rank"),
    [("market_dojo_equal_worst", "worst"), ("market_dojo_equal_best", "best")],
)
def test_ranks_of_equal_leaders(case_id, tie_rank):
    case = CASES[case_id]
    assert tie_rank in case["option"]
    run = Run(tie_rank=tie_rank, bidders="abc"[: case["leaders_with_equal_price"]]).open()
    ranks = [run.bid(alias, "500.00") for alias in run.state.bidders]
    assert len(ranks) == case["leaders_with_equal_price"]
    assert [rank_of(run.state, alias) for alias in run.state.bidders] == case["expected_ranks"]


def test_market_dojo_by_time():
    case = CASES["market_dojo_by_time"]
    run = Run(tie_rank="order", bidders="ba").open()
    for bid in sorted(case["bids"], key=lambda bid: bid["at"]):
        assert run.bid(bid["bidder"], "500.00").rank == case["expected_ranks"][bid["bidder"]]


def test_sap_forward_step_and_front_buffer():
    case = CASES["sap_forward_step_and_front_buffer"]
    mirrored = case["mirrored"]
    run = Run(
        ceiling=mirrored["offset"],
        duration_s=case["duration_min"] * 60,
        step=case["step"] | {"front_buffer": case["front_buffer"]},
        bidders=["seller_1", "seller_2"],
    ).open()
    for forward, command in zip(case["commands"], mirrored["commands"], strict=True):
        assert forward["expected"] == command["expected"]
        assert cents(forward["price"]) + cents(command["price"]) == cents(mirrored["offset"])
        run.go(forward["minute"] * 60)
        outcome = run.bid(command["bidder"], command["price"])
        assert ("accepted" if outcome.accepted else "refused") == command["expected"]
    run.bids(("seller_2", "950.00"))
    assert run.hint("seller_2", 1) == mirrored["highest_price_that_takes_the_lead"]


@pytest.mark.parametrize("case_id", ["ariba_tiered_step_reverse", "ariba_tiered_step_forward"])
def test_ariba_tiered_steps(case_id):
    case = CASES[case_id]
    if "ranges" in case:
        # A range ends at its lower limit, so that is where our band begins.
        rows = [(row["to"], row["value"]) for row in reversed(case["ranges"])]
    else:
        rows = [(row["from"], row["value"]) for row in case["bands"]]
    step = Step(bands=tuple(Band(cents(start), cents(value)) for start, value in rows))
    for row in case["expect"]:
        assert step_value(step, cents(row["price"])) == cents(row["value"])


def test_ariba_forum_rule_of_thumb_is_advice_that_our_rules_can_express():
    case = CASES["ariba_forum_rule_of_thumb"]
    assert not case["certain"]
    start = Fraction(case["start_price"])
    low, high = (start * Fraction(text) / 100 for text in case["step_range_percent"])
    assert (low, high) == (Fraction("0.3575"), Fraction("0.715")), "0.73 does not follow"
    assert Fraction(case["step_range"][0]) == Fraction("0.36")
    step = {"value": case["step_advised"], "front_buffer": case["buffers_advised"]}
    terms = terms_of(ceiling=case["start_price"], step=step)
    assert low <= Fraction(terms.phases[0].step.value, 100) <= high


def test_oracle_auto_extension_demo():
    case = CASES["oracle_auto_extension_demo"]
    ours = case["our_overtime"]
    assert ours["trigger_rank"] == case["lowest_triggering_rank"]
    assert ours["max"] == case["extensions_max"]
    assert ours["window_s"] == case["triggering_window_min"] * 60
    run = Run(overtime=ours | {"extend_s": 60}, duration_s=1_200, bidders="abcd").open()
    run.bids(("a", "500.00"), ("b", "510.00"), ("c", "520.00"))
    run.go(700)
    run.bid("d", "530.00")
    assert run.state.extensions == 0, "rank 4 does not trigger"
    for number in range(case["extensions_max"] + 2):
        run.go(800 + 60 * number).bid("abc"[number % 3], f"{400 - number * 10}.00")
    assert run.state.extensions == case["extensions_max"]
    assert case["no_limit_if_extensions_max_is_empty"]
    assert terms_of(overtime=ours | {"max": None}).phases[0].overtime.limit is None


def test_oracle_extension_counted_from():
    case = CASES["oracle_extension_counted_from"]
    for row in case["expect"]:
        overtime = {
            "window_s": case["window_min"] * 60,
            "extend_s": case["extension_min"] * 60,
            "from": row["from"],
        }
        run = Run(duration_s=3_600, overtime=overtime)
        run.go(3_600 - row["bid_minutes_before_close"] * 60)
        outcome = run.bid("a", "500.00")
        moved = [event for event in outcome.events if isinstance(event, Extended)]
        gained_min = (moved[0].close_at - run.us(3_600)) / 60e6
        assert gained_min == pytest.approx(row["close_moves_min"], abs=1e-6)
    assert case["empty_trigger_rank_means"] == "any bid triggers"
