"""Coefficients, exact and rounded evaluated prices, and the order that follows from them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from auctions.rules.core.parameters import PPM
from auctions.rules.core.scoring import Scale, coefficient, evaluate, price_at
from marketplace.kernel.money import format_minor, round_half_even
from tests.auctions.vector_files import cents
from tests.vectors.cases import Case


def check(case: Case) -> None:
    for lot in case.whole.get("lots", [case.whole]):
        _check_lot(lot)


def _check_lot(lot: dict[str, Any]) -> None:
    worth: dict[str, Fraction] = {}
    for bid in lot["bids"]:
        scale = scale_of_bid(lot, bid)
        assert str(scale.coefficient) == bid.get("coefficient", str(scale.coefficient)), bid
        if "evaluated_price" not in bid:
            continue
        price = cents(bid["price"])
        evaluated = Fraction(evaluate(scale, price))
        assert evaluated / 100 == Fraction(bid["evaluated_price"]), (bid, str(evaluated / 100))
        assert price_at(scale, evaluated) == price, bid
        if "evaluated_price_rounded" in bid:
            rounded = format_minor(round_half_even(evaluated), 2)
            assert rounded == bid["evaluated_price_rounded"], (bid, rounded)
        worth[bid["bid"]] = evaluated
    if "best_first" in lot:
        groups = [
            sorted(bid for bid in worth if worth[bid] == value)
            for value in sorted(set(worth.values()))
        ]
        assert groups == [sorted(group) for group in lot["best_first"]], groups
    if "costs" in lot:
        total = sum(cents(cost["amount"]) for cost in lot["costs"])
        assert {cents(bid["cost_sum"]) for bid in lot["bids"]} == {total}, total


def scale_of_bid(lot: dict[str, Any], bid: dict[str, Any]) -> Scale:
    worth = Fraction(1)
    if "denominator" in bid:
        worth = Fraction(bid["denominator"])
    elif "values" in bid:
        maxima = [Fraction(feature["max"]) for feature in lot["features"]]
        worth = coefficient([Fraction(value) for value in bid["values"]], maxima)
    costs = cents(bid.get("cost_sum", "0"))
    return Scale(worth.numerator, worth.denominator, PPM, 0, costs)
