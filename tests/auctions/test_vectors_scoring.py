"""Every published scoring case: coefficients, evaluated prices, order."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from auctions.rules.parameters import PPM
from auctions.rules.scoring import Scale, coefficient, evaluate, price_at
from marketplace.kernel.money import format_minor, round_half_even
from tests.auctions.rules.driver import Run
from tests.auctions.vector_files import cases, cents

CASES = cases("scoring")


def scale_of_bid(case: dict[str, Any], bid: dict[str, Any]) -> Scale:
    worth = Fraction(1)
    if "denominator" in bid:
        worth = Fraction(bid["denominator"])
    elif "values" in bid:
        maxima = [Fraction(feature["max"]) for feature in case["features"]]
        worth = coefficient([Fraction(value) for value in bid["values"]], maxima)
    costs = cents(bid.get("cost_sum", "0"))
    return Scale(worth.numerator, worth.denominator, PPM, 0, costs)


def check(case: dict[str, Any]) -> None:
    """Coefficient, exact and rounded evaluated price of each bid, and the groups best first."""
    worth: dict[str, Fraction] = {}
    for bid in case["bids"]:
        scale = scale_of_bid(case, bid)
        assert str(scale.coefficient) == bid.get("coefficient", str(scale.coefficient))
        if "evaluated_price" not in bid:
            continue
        price = cents(bid["price"])
        evaluated = Fraction(evaluate(scale, price))
        assert evaluated / 100 == Fraction(bid["evaluated_price"])
        assert price_at(scale, evaluated) == price
        if "evaluated_price_rounded" in bid:
            assert format_minor(round_half_even(evaluated), 2) == bid["evaluated_price_rounded"]
        worth[bid["bid"]] = evaluated
    if "best_first" in case:
        values = sorted(set(worth.values()))
        groups = [sorted(bid for bid in worth if worth[bid] == value) for value in values]
        assert groups == [sorted(group) for group in case["best_first"]]


@pytest.mark.parametrize("case_id", [case_id for case_id in CASES if "bids" in CASES[case_id]])
def test_evaluated_prices(case_id):
    check(CASES[case_id])


def test_evaluated_prices_of_several_lots():
    for lot in CASES["lcc_zero_costs_two_lots"]["lots"]:
        check(lot)


def test_a_cost_sum_is_the_sum_of_its_costs():
    case = CASES["lcc_four_costs"]
    total = sum(cents(cost["amount"]) for cost in case["costs"])
    assert {cents(bid["cost_sum"]) for bid in case["bids"]} == {total}


def test_four_costs_in_a_live_auction():
    case = CASES["lcc_four_costs"]
    asked = [{"id": cost["id"]} for cost in case["costs"]]
    run = Run(scoring={"kind": "lcc", "costs": asked}, bidders="12").open()
    answers = {cost["id"]: cost["amount"] for cost in case["costs"]}
    for alias, bid in zip("12", case["bids"], strict=True):
        outcome = run.bid(alias, bid["price"], attributes=answers)
        assert Fraction(outcome.evaluated) / 100 == Fraction(bid["evaluated_price"])


def test_one_criterion_in_a_live_auction_orders_equal_ones_by_time():
    case = CASES["one_criterion_same_coefficient"]
    options = [{"id": value, "value": value} for value in case["features"][0]["options"]]
    feature = {"id": "air_intake", "max": "0.15", "options": options}
    run = Run(scoring={"kind": "meat", "features": [feature]}, bidders="1234").open()
    for alias, bid in zip("1234", case["bids"], strict=True):
        outcome = run.bid(alias, bid["price"], attributes={"air_intake": "0.10"})
        assert Fraction(outcome.evaluated) / 100 == Fraction(bid["evaluated_price"])
    assert [alias for alias, _ in run.standing] == ["2", "3", "4", "1"]


def test_a_criterion_of_another_lot_is_not_asked_for():
    case = CASES["criterion_of_another_lot_does_not_count"]
    assert {feature["of"] for feature in case["features"]}.isdisjoint({case["lot"]})
    run = Run(bidders="1").open()
    bid = case["bids"][0]
    assert Fraction(run.bid("1", bid["price"]).evaluated) / 100 == Fraction(bid["evaluated_price"])
    assert run.bid("1", "499.00", attributes={"size": "0.05"}).code == "malformed"
