"""Scoring in a live auction: answers, rating, bonus, limits in the bidder's own price."""

from __future__ import annotations

import pytest

from auctions.rules.core.commands import Admit
from auctions.rules.core.outcomes import Code
from tests.auctions.rules.driver import Run

WARRANTY = {
    "id": "warranty",
    "max": "0.15",
    "options": [{"id": "3y", "value": "0.10"}, {"id": "5y", "value": "0.15"}],
}
RATED = {"id": "rating", "max": "0.10", "source": "rating"}


def meat(*features, **rules) -> Run:
    return Run(scoring={"kind": "meat", "features": list(features)}, **rules)


def test_the_first_bid_must_answer_everything():
    run = meat(WARRANTY).open()
    assert "3y, 5y" in run.bid("a", "900.00").detail
    assert run.max_price("a") is None, "without answers there is no own price"
    assert run.bid("a", "900.00", attributes={"warranty": "9y"}).code is Code.MALFORMED
    assert run.bid("a", "900.00", attributes={"warranty": "5y", "x": "y"}).code is Code.MALFORMED
    bid = run.bid("a", "900.00", attributes={"warranty": "5y"})
    assert bid.evaluated == "76500", "900.00 / (20/17)"


def test_later_bids_keep_the_answers_and_may_improve_them():
    run = meat(WARRANTY).open()
    run.bid("a", "900.00", attributes={"warranty": "3y"})
    assert run.bid("a", "890.00").accepted
    # The own bid is worth 796.31...; with five years 936.84 would be worth as much.
    better = run.bid("a", "920.00", attributes={"warranty": "5y"})
    assert better.accepted
    assert run.bid("a", "919.50").code is Code.STEP_TOO_SMALL


def test_beating_the_lead_is_computed_in_the_own_price():
    run = meat(WARRANTY, step={"value": "10.00", "against": "lead"}).open()
    run.bid("a", "900.00", attributes={"warranty": "5y"})
    refused = run.bid("b", "900.00", attributes={"warranty": "3y"})
    assert refused.code is Code.NOT_BELOW_LEAD
    limit = run.text(refused.limit)
    assert limit == "843.82", "(765.00 - 10.00) * 19/17 = 843.823..."
    assert run.bid("b", "843.83", attributes={"warranty": "3y"}).code is Code.STEP_TOO_SMALL
    assert run.bid("b", limit, attributes={"warranty": "3y"}).rank == 1


def test_the_rating_scores_and_not_rated_counts_as_the_middle():
    run = meat(RATED, bidders="")
    for alias, rating in (("a", "100"), ("b", "0"), ("c", None)):
        run.send(Admit(bidder=alias, rating=rating))
    run.open().bids(("a", "900.00"), ("b", "900.00"), ("c", "900.00"))
    assert [alias for alias, _ in run.standing] == ["a", "c", "b"]
    assert run.bid("b", "890.00").evaluated == "89000"


@pytest.mark.parametrize("answer", ["-1.00", "x", None])
def test_costs_are_amounts(answer):
    run = Run(scoring={"kind": "lcc", "costs": [{"id": "energy"}]}).open()
    answers = {} if answer is None else {"energy": answer}
    assert run.bid("a", "900.00", attributes=answers).code is Code.MALFORMED


def test_bonus_and_malus_move_the_evaluated_price():
    run = Run(bidders="")
    run.send(Admit(bidder="a", bonus_percent="10"))
    run.send(Admit(bidder="b", bonus_percent="-10"))
    run.send(Admit(bidder="c", bonus_minor=5_000))
    run.open()
    assert run.bid("a", "900.00").evaluated == "81000"
    assert run.bid("b", "900.00").evaluated == "99000"
    assert run.bid("c", "900.00").evaluated == "85000"
    assert run.hint("c", 1) == "859.99"


def test_an_offer_must_come_with_its_answers():
    run = meat(WARRANTY)
    assert run.send(Admit(bidder="d", offer="900.00")).code is Code.MALFORMED
    assert run.send(Admit(bidder="d", offer="900.00", attributes={"warranty": "3y"})).accepted
    assert run.send(Admit(bidder="e")).accepted, "who brings no offer answers with the first bid"


def test_a_percent_step_against_the_lead_is_exact_with_coefficients():
    run = meat(WARRANTY, step={"kind": "percent", "value": "1", "against": "lead"}).open()
    run.bid("a", "900.00", attributes={"warranty": "3y"})
    run.bid("b", "850.00", attributes={"warranty": "5y"})
    # 850 / (20/17) * 0.99 * 19/17 = 799.425
    assert run.max_price("a") == "799.42"
