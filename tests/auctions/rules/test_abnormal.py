"""Abnormally low bids are judged anew whenever a bid arrives, is withdrawn or is opened."""

from __future__ import annotations

from auctions.rules.core.commands import Admit, Withdraw
from auctions.rules.core.state import dump
from auctions.rules.versions import load
from auctions.rules.views.visibility import BUYER, snapshot
from tests.auctions.rules.driver import Run
from tests.auctions.rules.recipients import KEYS, frames

BOTH = ["below_mean_of_initial", "below_next_final"]


def flags(run: Run) -> dict[str, list[str]]:
    """What the buyer's snapshot says now, bidders without a flag left out."""
    standing = snapshot(run.state, BUYER, run.now_us)["standing"]
    return {row["alias"]: row["abnormally_low"] for row in standing if row["abnormally_low"]}


def withdraw(run: Run, alias: str, index: int = -1) -> None:
    number = run.state.bidders[alias].bids[index].seq
    assert run.send(Withdraw(bid_seq=number, bidder=alias, reason="x")).accepted


def test_whoever_comes_first_is_judged_by_what_comes_later():
    run = Run().open().bids(("a", "500.00"))
    assert flags(run) == {}, "a single bid is compared with nothing"
    run.bids(("b", "900.00"))
    assert flags(run) == {"a": BOTH}
    run.bids(("c", "950.00"))
    assert flags(run) == {"a": BOTH}
    assert [row["abnormally_low"] for row in frames(run, "buyer")[0]["standing"]] == [BOTH, [], []]


def test_the_order_of_the_bids_makes_no_difference():
    prices = {"a": "500.00", "b": "900.00", "c": "950.00"}
    for order in ("abc", "bca", "cab"):
        run = Run().open().bids(*((alias, prices[alias]) for alias in order))
        assert flags(run) == {"a": BOTH}, order


def test_both_limits_are_included_and_a_bid_is_flagged_not_refused():
    run = Run().open().bids(("a", "1000.00"), ("b", "1000.00"))
    assert run.bid("c", "600.01").accepted
    assert flags(run) == {"c": ["below_next_final"]}
    assert run.bid("c", "600.00", cid="low").accepted is False, "the step is one"
    assert run.bid("c", "599.00").accepted
    assert flags(run) == {"c": BOTH}


def test_a_rival_that_comes_near_ends_one_of_the_reasons():
    run = Run().open().bids(("a", "500.00"), ("b", "900.00"))
    run.bids(("b", "600.00"))
    assert flags(run) == {"a": ["below_mean_of_initial"]}, "first bids stay what they were"


def test_a_withdrawal_ends_a_flag_or_makes_one():
    run = Run().open().bids(("a", "500.00"), ("b", "900.00"))
    withdraw(run, "b")
    assert flags(run) == {}
    run.bids(("b", "600.00"), ("c", "800.00"))
    assert flags(run) == {}
    withdraw(run, "b")
    assert flags(run) == {"a": ["below_next_final"]}
    assert frames(run, "buyer")[0]["standing"][0]["abnormally_low"] == ["below_next_final"]


def test_a_withdrawn_first_bid_is_the_first_bid_no_more():
    """A slip of 9.00 was struck out: 900.00 is what that bidder began with."""
    run = Run().open().bids(("b", "90.00"))
    withdraw(run, "b")
    run.bids(("b", "900.00"), ("c", "910.00"), ("c", "9.00"))
    withdraw(run, "c", 0)
    assert run.state.initial_sum == 90_000 + 900
    withdraw(run, "c")
    assert (run.state.initial_sum, run.state.initial_count) == (90_000, 1)


def test_sealed_bids_are_judged_when_they_are_opened():
    run = Run(format="sealed", duration_s=60).open()
    run.bids(("a", "500.00"), ("b", "900.00"), ("c", "950.00"))
    assert flags(run) == {}
    run.go(61)
    assert flags(run) == {"a": BOTH}


def test_opened_offers_count_before_the_first_bid():
    run = Run(bidders="")
    for alias, offer in (("a", "500.00"), ("b", "900.00"), ("c", "950.00")):
        assert run.send(Admit(bidder=alias, offer=offer)).accepted
    assert flags(run) == {"a": BOTH}


def test_nobody_but_the_buyer_learns_of_a_flag():
    run = Run().open().bids(("a", "500.00"), ("b", "900.00"))
    for key in KEYS:
        told = str(frames(run, key))
        assert ("abnormally_low" in told) == (key == "buyer")


def test_a_snapshot_of_the_book_keeps_the_verdicts():
    run = Run().open().bids(("a", "500.00"), ("a", "400.00"), ("b", "900.00"))
    before = flags(run)
    run.state = load(dump(run.state))
    assert flags(run) == before == {"a": BOTH}
