"""Published scoring cases in a live auction; their figures alone are run in `tests/vectors`."""

from __future__ import annotations

from fractions import Fraction

from tests.auctions.rules.driver import Run
from tests.auctions.vector_files import cases

CASES = cases("scoring")


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
