"""Every published case of abnormally low bids."""

from __future__ import annotations

from fractions import Fraction

import pytest

from auctions.rules.abnormal import judge_list
from tests.auctions.vector_files import cases, cents

CASES = cases("abnormally_low")


@pytest.mark.parametrize("case_id", CASES)
def test_reasons_and_the_figures_behind_them(case_id):
    case = CASES[case_id]
    initial = [cents(price) for price in case["initial_prices"]]
    final = [cents(price) for price in case["final_prices_best_first"]]
    index = case["checked_index"]
    assert list(judge_list(initial, final, index)) == case["expected_reasons"]
    others = initial[:index] + initial[index + 1 :]
    mean = Fraction(sum(others), len(others))
    assert mean / 100 == Fraction(case["mean_of_other_initial_prices"])
    assert 1 - final[index] / mean == Fraction(case["drop_below_mean"])
    if case["drop_below_next"] is None:
        assert index + 1 == len(final)
    else:
        assert 1 - Fraction(final[index], final[index + 1]) == Fraction(case["drop_below_next"])


def test_a_single_bid_is_not_asked_about():
    assert judge_list([100], [1], 0) == ()
