"""Which final price must be asked about, and the figures behind it."""

from __future__ import annotations

from fractions import Fraction

from auctions.rules.core.abnormal import judge_list
from tests.auctions.vector_files import cents
from tests.vectors.cases import Case


def check(case: Case) -> None:
    whole = case.whole
    initial = [cents(price) for price in whole["initial_prices"]]
    final = [cents(price) for price in whole["final_prices_best_first"]]
    index = whole["checked_index"]
    reasons = list(judge_list(initial, final, index))
    assert reasons == whole["expected_reasons"], reasons
    others = initial[:index] + initial[index + 1 :]
    mean = Fraction(sum(others), len(others))
    assert mean / 100 == Fraction(whole["mean_of_other_initial_prices"]), mean / 100
    assert 1 - final[index] / mean == Fraction(whole["drop_below_mean"]), 1 - final[index] / mean
    if whole["drop_below_next"] is None:
        assert index + 1 == len(final)
    else:
        drop = 1 - Fraction(final[index], final[index + 1])
        assert drop == Fraction(whole["drop_below_next"]), drop
