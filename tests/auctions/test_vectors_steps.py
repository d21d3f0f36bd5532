"""Every published case of steps: what a bid must undercut, and by how much at which price."""

from __future__ import annotations

from typing import Any

import pytest

from auctions.rules.bidding import step_value
from auctions.rules.parameters import Band, Step
from tests.auctions.rules.driver import Run
from tests.auctions.vector_files import cases, cents

CASES = cases("steps")
OWN = [case_id for case_id, case in CASES.items() if "own_last_price" in case.get("step", {})]


def run_of(case: dict[str, Any]) -> Run:
    """An auction in which bidder "a" has bid the own last price of the case."""
    step = {key: case["step"][key] for key in ("against", "kind", "value")}
    own = case["step"]["own_last_price"]
    if case["scoring"] == "lcc":
        run = Run(ceiling=None, step=step, scoring={"kind": "lcc", "costs": [{"id": "use"}]}).open()
        first = run.bid("a", own, attributes={"use": case["cost_sum"]})
        assert first.evaluated == str(cents(case["own_evaluated_price"]))
        return run
    return Run(ceiling=None, step=step).open().bids(("a", own))


@pytest.mark.parametrize("case_id", OWN)
def test_what_undercuts_the_own_last_price(case_id):
    case = CASES[case_id]
    if "max_price" in case:
        assert run_of(case).max_price("a") == case["max_price"]
    for bid in case["bids"]:
        outcome = run_of(case).bid("a", bid["price"])
        assert ("accepted" if outcome.accepted else "refused") == bid["expected"]
        assert outcome.code == bid.get("our_code")


def test_not_the_turn_owner():
    case = CASES["not_the_turn_owner"]
    option = [{"id": "5y", "value": "0.15"}]
    scoring = {"kind": case["scoring"], "features": [{"id": "w", "max": "0.15", "options": option}]}
    run = Run(format="rounds", scoring=scoring, bidders=("bidder_1", "bidder_2")).go(1)
    assert run.bid("bidder_1", "120.00", attributes={"w": "5y"}).accepted
    assert run.bid("bidder_2", "130.00", attributes={"w": "5y"}).accepted
    run.go(301)
    assert run.state.stage.bidder == case["turn_owner"]
    outcome = run.bid(case["bidder"], case["bids"][0]["price"])
    assert outcome.code == case["bids"][0]["our_code"]


def test_next_minimum_mirrored_against_the_lead():
    mirror = CASES["next_minimum_after_5_10"]["mirror"]
    step = {"against": "lead", "kind": "amount", "value": mirror["step_amount"]}
    run = Run(ceiling=mirror["offset"], step=step).open().bids(("a", mirror["lead_price"]))
    assert run.max_price("b") == mirror["expected_max_price"]
    forward = CASES["next_minimum_after_5_10"]["expected_next_minimum"]
    assert cents(mirror["offset"]) - cents(mirror["expected_max_price"]) == cents(forward)


def test_banded_steps_table():
    case = CASES["banded_steps_table"]
    bands = tuple(Band(cents(band["from"]), cents(band["value"])) for band in case["bands"])
    for row in case["expect"]:
        assert step_value(Step(bands=bands), cents(row["price"])) == cents(row["value"])
