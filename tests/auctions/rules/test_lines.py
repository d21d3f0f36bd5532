"""A lot with lines: each bid names all of them, none below zero, and the buyer sees them."""

from __future__ import annotations

import pytest

from auctions.rules.core.commands import Admit
from auctions.rules.core.outcomes import Code
from auctions.rules.core.state import dump
from auctions.rules.simulate import replay_under
from auctions.rules.versions import load
from auctions.rules.views.plain import explain
from auctions.rules.views.visibility import BUYER, bidder, snapshot
from marketplace.kernel.errors import Invalid
from tests.auctions.rules.driver import Run, terms_of

LINES = [{"id": "1", "title": "Pumps", "quantity": "400"}, {"id": "2", "title": "Transport"}]
SPLIT = {"1": "600.00", "2": "300.00"}


def run_of(**rules) -> Run:
    return Run(lines=LINES, **rules).open()


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ({}, Code.MALFORMED, "missing: 1, 2"),
        ({"1": "900.00"}, Code.MALFORMED, "missing: 2"),
        (SPLIT | {"3": "0"}, Code.MALFORMED, "lines of this auction are: 1, 2"),
        ({"1": "1000.00", "2": "-100.00"}, Code.OUT_OF_RANGE, "Line 2 is below zero"),
        ({"1": "600.00", "2": "299.99"}, Code.MALFORMED, "add up to 899.99"),
        ({"1": "600.00", "2": "300,00"}, Code.MALFORMED, "Line 2"),
    ],
)
def test_a_bid_without_every_line_is_refused(lines, code, words):
    run = run_of()
    refused = run.bid("a", "900.00", lines=lines)
    assert refused.code is code
    assert words in refused.detail
    assert run.standing == []


def test_a_line_may_be_free():
    assert run_of().bid("a", "900.00", lines={"1": "900.00", "2": "0"}).accepted


def test_lines_where_none_are_asked_for_are_a_mistake():
    refused = Run().open().bid("a", "900.00", lines=SPLIT)
    assert (refused.code, refused.detail) == (
        Code.MALFORMED,
        "This auction has no lines: leave them out.",
    )


def test_the_buyer_and_the_bidder_see_the_lines_and_nobody_else():
    run = run_of()
    assert run.bid("a", "900.00", lines=SPLIT).accepted
    assert run.bid("b", "800.00", lines={"1": "500.00", "2": "300.00"}).accepted
    rows = snapshot(run.state, BUYER, run.now_us)["standing"]
    assert [row["lines"] for row in rows] == [{"1": "500.00", "2": "300.00"}, SPLIT]
    mine = snapshot(run.state, bidder("a"), run.now_us)
    assert mine["you"]["lines"] == SPLIT
    assert all("lines" not in row for row in mine["standing"])
    run.state = load(dump(run.state))
    assert snapshot(run.state, BUYER, run.now_us)["standing"] == rows


@pytest.mark.parametrize("rules", [{"format": "sealed", "duration_s": 60}, {"format": "rounds"}])
def test_sealed_bids_and_turns_carry_lines_too(rules):
    run = Run(lines=LINES, **rules).go(1)
    assert run.bid("a", "900.00").code is Code.MALFORMED
    assert run.bid("a", "900.00", lines=SPLIT).accepted
    run.go(301)
    assert snapshot(run.state, BUYER, run.now_us)["standing"][0]["lines"] == SPLIT


def test_an_opened_offer_brings_its_lines():
    run = Run(lines=LINES, bidders="")
    assert run.send(Admit(bidder="a", offer="900.00")).code is Code.MALFORMED
    assert run.send(Admit(bidder="a", offer="900.00", lines=SPLIT)).accepted
    assert snapshot(run.state, BUYER, run.now_us)["standing"][0]["lines"] == SPLIT


def test_nothing_names_a_price_for_the_bidder_where_lines_are_needed():
    run = run_of()
    assert run.bid("a", "900.00", lines=SPLIT).accepted
    refused = run.auto("b", "700.00")
    assert (refused.code, "every line" in refused.detail) == (Code.MALFORMED, True)
    headings = [paragraph.heading for paragraph in explain(run.terms)]
    assert "Lines" in headings
    assert "Automatic bidding" not in headings


@pytest.mark.parametrize("phases", [1, 2])
def test_a_clock_asks_one_price_for_the_whole_lot(phases):
    clock = {"format": "dutch", "start": "600.00", "increment": "50.00", "interval_s": 10}
    hybrid = {"format": "phases", "phases": [clock, {"format": "sealed"}]}
    with pytest.raises(Invalid) as caught:
        terms_of(lines=LINES, **(clock if phases == 1 else hybrid))
    assert [error.field for error in caught.value.errors] == ["lines"]


@pytest.mark.parametrize(
    "rules",
    [
        {"lines": [{"id": "x" * 65}]},
        {"scoring": {"kind": "lcc", "costs": [{"id": "x" * 65}]}},
    ],
)
def test_an_id_that_no_bid_could_name_is_refused(rules):
    with pytest.raises(Invalid):
        terms_of(**rules)


@pytest.mark.parametrize(
    "rules",
    [
        {"lines": LINES},
        {"step": {"value": "5.00"}},
        {"format": "rounds", "turn_s": 10, "first_pause_s": 10, "pause_s": 5},
        {"format": "dutch", "start": "600.00", "increment": "50.00", "interval_s": 10},
    ],
)
def test_a_past_auction_with_lines_is_simulated_by_its_prices(rules):
    run = run_of()
    run.bid("a", "900.00", lines=SPLIT)
    run.bid("b", "800.00", lines={"1": "500.00", "2": "300.00"})
    after = replay_under(run.go(601).commands, run.terms, terms_of(**rules)).after
    assert (after.winner, after.standing[0].price) == ("b", 80_000)
    assert "malformed" not in after.refused
