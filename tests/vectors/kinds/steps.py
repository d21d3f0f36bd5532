"""What a bid must undercut, and by how much at which price."""

from __future__ import annotations

from typing import Any

from auctions.rules.core.bidding import step_value
from auctions.rules.core.outcomes import Outcome
from auctions.rules.core.parameters import Band, Step
from tests.auctions.rules.driver import Run
from tests.auctions.vector_files import cents
from tests.vectors.cases import Case

TURN_BEGINS_S = 301
"""The first pause of a round takes 300 s."""


def check(case: Case) -> None:
    whole = case.whole
    if "own_last_price" in whole.get("step", {}):
        _check_own(whole)
    elif "turn_owner" in whole:
        _check_turn(whole)
    elif "mirror" in whole:
        _check_mirror(whole)
    else:
        _check_bands(whole)


def _check_own(whole: dict[str, Any]) -> None:
    if "max_price" in whole:
        limit = run_of(whole).max_price("a")
        assert limit == whole["max_price"], limit
    for bid in whole["bids"]:
        _compare(bid, run_of(whole).bid("a", bid["price"]))


def run_of(whole: dict[str, Any]) -> Run:
    """An auction in which bidder "a" has bid the own last price of the case."""
    step = {key: whole["step"][key] for key in ("against", "kind", "value")}
    own = whole["step"]["own_last_price"]
    if whole["scoring"] == "lcc":
        run = Run(ceiling=None, step=step, scoring={"kind": "lcc", "costs": [{"id": "use"}]}).open()
        first = run.bid("a", own, attributes={"use": whole["cost_sum"]})
        assert first.evaluated == str(cents(whole["own_evaluated_price"])), first.evaluated
        return run
    return Run(ceiling=None, step=step).open().bids(("a", own))


def _check_turn(whole: dict[str, Any]) -> None:
    """The worse of two bidders speaks first."""
    owner, other = whole["turn_owner"], whole["bidder"]
    scoring: dict[str, Any] = {"kind": whole["scoring"]}
    attributes: dict[str, str] = {}
    if whole["scoring"] == "meat":
        option = [{"id": "5y", "value": "0.15"}]
        scoring["features"] = [{"id": "w", "max": "0.15", "options": option}]
        attributes = {"w": "5y"}
    run = Run(format="rounds", scoring=scoring, bidders=sorted([owner, other])).go(1)
    assert run.bid(other, "120.00", attributes=attributes).accepted
    assert run.bid(owner, "130.00", attributes=attributes).accepted
    run.go(TURN_BEGINS_S)
    assert run.state.stage.bidder == owner
    for bid in whole["bids"]:
        _compare(bid, run.bid(other, bid["price"]))


def _compare(bid: dict[str, Any], outcome: Outcome) -> None:
    answer = ("accepted" if outcome.accepted else "refused", outcome.code)
    assert answer == (bid["expected"], bid.get("our_code")), (bid, answer)


def _check_mirror(whole: dict[str, Any]) -> None:
    mirror = whole["mirror"]
    step = {"against": "lead", "kind": "amount", "value": mirror["step_amount"]}
    run = Run(ceiling=mirror["offset"], step=step).open().bids(("a", mirror["lead_price"]))
    limit = run.max_price("b")
    assert limit == mirror["expected_max_price"], limit
    assert cents(mirror["offset"]) - cents(limit) == cents(whole["expected_next_minimum"])


def _check_bands(whole: dict[str, Any]) -> None:
    bands = tuple(Band(cents(band["from"]), cents(band["value"])) for band in whole["bands"])
    for row in whole["expect"]:
        value = step_value(Step(bands=bands), cents(row["price"]))
        assert value == cents(row["value"]), (row, value)
