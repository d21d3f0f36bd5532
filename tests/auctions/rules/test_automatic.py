"""Automatic bidding: alone, against hands, against each other."""

from __future__ import annotations

from fractions import Fraction

import pytest

from auctions.rules.core import automatic
from auctions.rules.core.commands import Auto, Withdraw
from auctions.rules.core.outcomes import AutoSet, BidPlaced, Code, Extended
from tests.auctions.rules.driver import Run, kinds


def auctions(**rules) -> Run:
    return Run(step={"value": "10.00", "against": "lead"}, **rules).open()


def test_a_limit_bids_the_highest_price_that_leads():
    run = auctions().bids(("a", "900.00"))
    outcome = run.auto("b", "700.00")
    assert outcome.events[0] == AutoSet(bidder="b", limit=70_000)
    assert isinstance(outcome.events[1], BidPlaced)
    assert outcome.events[1].auto
    assert (outcome.rank, run.standing[0]) == (1, ("b", "890.00"))
    answered = run.bid("a", "880.00")
    assert (answered.accepted, answered.rank) == (True, 2)
    assert run.standing == [("b", "870.00"), ("a", "880.00")]


def test_nothing_is_bid_below_the_limit():
    run = auctions().bids(("a", "900.00"))
    run.auto("b", "885.00")
    assert run.bid("a", "880.00").rank == 1
    assert run.standing == [("a", "880.00"), ("b", "890.00")]


def test_without_any_bid_the_ceiling_is_bid_and_without_a_ceiling_one_waits():
    run = auctions()
    run.auto("a", "700.00")
    assert run.standing == [("a", "1000.00")]
    run = auctions(ceiling=None)
    assert run.auto("a", "700.00").rank is None
    run.bids(("b", "900.00"))
    assert run.standing[0] == ("a", "890.00")


def test_two_limits_meet_at_once():
    run = auctions().bids(("a", "900.00"), ("b", "890.00"))
    run.auto("a", "800.00")
    outcome = run.auto("b", "700.00")
    assert run.standing == [("b", "790.00"), ("a", "800.00")]
    assert kinds(outcome) == ["auto", "bid", "bid", "bid"], (
        "b leads, a goes to its limit, b answers"
    )


@pytest.mark.parametrize("second", ["800.00", "795.00", "790.01"])
def test_of_limits_closer_than_the_step_the_stronger_is_bid_in_full(second):
    run = auctions().bids(("a", "900.00"))
    run.auto("a", "800.00")
    run.auto("b", second)
    leader = "a" if second == "800.00" else "b"
    limit = "800.00" if second == "800.00" else second
    assert run.standing[0] == (leader, limit)


@pytest.mark.parametrize(
    ("step", "last"),
    [
        ({"value": "10.00", "against": "lead"}, "710.00"),
        ({"value": "10.00", "against": "own"}, "700.01"),
        ({"value": "10.00", "against": "own", "front_buffer": "4.00"}, "704.00"),
        ({"value": "2.00", "kind": "percent", "against": "lead"}, "714.29"),
        ({"value": "1.00", "against": "lead", "bands": [{"from": "702.00", "value": "5.00"}]},
         "701.00"),
        ({"value": "9.00", "against": "lead", "bands": [{"from": "705.00", "value": "2.00"}]},
         "705.00"),
    ],
)  # fmt: skip
def test_where_two_limits_meet_the_loser_has_the_last_price_that_leaves_room(step, last):
    """A step by bands is judged at each band: 2 off 705 is enough, 9 off 704.99 is too much."""
    run = Run(step=step, overtime=None).open().bids(("c", "1000.00"))
    run.auto("a", "700.00")
    outcome = run.auto("b", "700.00")
    assert run.standing == [("a", "700.00"), ("b", last), ("c", "1000.00")]
    assert outcome.rank == 2
    assert all(bid.auto for bid in run.state.bidders["b"].bids)
    number = run.state.bidders["a"].bids[-1].seq
    assert run.send(Withdraw(bid_seq=number, bidder="a", reason="x")).accepted
    assert run.standing[0][0] == "b", "a decline has a next"


def test_three_equal_limits_end_in_the_order_in_which_they_were_set():
    run = Run(step={"value": "10.00", "against": "lead"}, ceiling=None, bidders="abcd").open()
    for alias in "abc":
        run.auto(alias, "700.00")
    run.bids(("d", "900.00"))
    assert run.standing == [
        ("a", "700.00"),
        ("b", "710.00"),
        ("c", "720.00"),
        ("d", "900.00"),
    ]


def test_the_last_price_is_worth_what_the_step_asks_where_more_than_the_price_counts():
    feature = {
        "id": "w",
        "max": "0.15",
        "options": [{"id": "no", "value": "0"}, {"id": "5y", "value": "0.15"}],
    }
    run = auctions(scoring={"kind": "meat", "features": [feature]})
    run.bid("a", "900.00", attributes={"w": "no"})
    run.bid("b", "1000.00", attributes={"w": "5y"})
    run.auto("a", "680.00")
    run.auto("b", "800.00")
    # 800 with five years is worth 680, as much as the limit set earlier.
    assert [row[2] for row in run.state.rows] == ["a", "b"]
    lead, second = run.state.rows[0][0], run.state.rows[1][0]
    assert (lead, 1_000 <= second - lead < 1_002) == (68_000, True)


def test_a_price_that_another_bidder_holds_is_passed_over():
    run = Run(ties="forbid_all", bidders="abcd").open()
    run.bids(("c", "700.01"), ("d", "900.00"))
    number = run.state.seq - 1
    run.auto("a", "700.00")
    assert run.standing[0] == ("a", "700.00")
    run.send(Withdraw(bid_seq=run.state.bidders["a"].bids[-1].seq, bidder="a", reason="x"))
    run.send(Withdraw(bid_seq=number, bidder="c", reason="x"))
    run.auto("a", "600.00")
    run.auto("b", "600.00")
    assert run.standing[:2] == [("a", "600.00"), ("b", "600.01")]


def test_a_limit_that_cannot_take_the_lead_is_refused_at_once():
    run = auctions().bids(("a", "700.00"))
    refused = run.auto("b", "695.00")
    assert (refused.code, refused.limit) == (Code.NOT_BELOW_LEAD, 69_000)
    assert refused.detail == "This limit cannot take the lead: at most 690.00 EUR."
    assert run.state.autos_count == 0
    assert run.auto("b", "690.00").rank == 1


def test_a_refused_limit_leaves_the_former_one():
    run = auctions().bids(("a", "900.00"))
    run.auto("b", "700.00")
    run.bids(("a", "690.00"))
    assert run.auto("b", "685.00").code is Code.NOT_BELOW_LEAD
    assert run.state.bidders["b"].auto_minor == 70_000


def test_a_limit_by_which_a_leader_could_never_bid_again_is_refused():
    run = auctions().bids(("a", "700.00"))
    refused = run.auto("a", "695.00")
    assert (refused.code, refused.limit) == (Code.STEP_TOO_SMALL, 69_000)
    assert run.auto("a", "690.00").accepted


def test_before_the_first_own_bid_a_refused_limit_does_not_name_the_hidden_lead():
    run = Run().open().bids(("a", "700.00"))
    refused = run.auto("b", "750.00")
    assert (refused.code, refused.limit) == (Code.NOT_BELOW_LEAD, None)
    assert "7" not in refused.detail
    run.bids(("b", "800.00"))
    assert run.auto("b", "750.00").limit == 69_999


def test_no_lower_price_is_left_to_lead_with():
    run = auctions().bids(("a", "5.00"))
    refused = run.auto("b", "1.00")
    assert refused.detail == "This limit cannot take the lead: no lower price is left."


def test_equal_limits_go_to_the_one_set_earlier_whoever_is_woken_first():
    for first, second in ("ab", "ba"):
        run = auctions(ceiling=None)
        run.auto(first, "800.00")
        run.auto(second, "800.00")
        run.bids(("c", "900.00"))
        assert run.standing[0] == (first, "800.00")


def test_three_limits_end_where_step_by_step_would():
    run = auctions()
    for alias, limit in (("a", "850.00"), ("b", "700.00"), ("c", "780.00")):
        run.auto(alias, limit)
    assert run.standing == [("b", "770.00"), ("c", "780.00"), ("a", "850.00")]


def test_own_steps_hold_for_automatic_bids_too():
    run = Run(step={"value": "50.00"}).open().bids(("a", "900.00"), ("b", "890.00"))
    run.auto("a", "800.00")
    assert run.standing[0] == ("a", "850.00"), "890 is beaten by the own step, not by a cent"


def test_an_automatic_answer_buys_overtime_once():
    run = auctions(overtime={"window_s": 60, "extend_s": 60})
    run.bids(("a", "900.00"))
    run.auto("b", "700.00")
    run.go(590)
    outcome = run.bid("a", "800.00")
    assert sum(isinstance(event, Extended) for event in outcome.events) == 1


def test_a_withdrawn_bid_ends_the_limit_and_others_answer():
    run = auctions().bids(("a", "900.00"))
    run.auto("b", "700.00")
    run.auto("c", "850.00")
    assert run.standing[0] == ("b", "840.00")
    number = run.state.bidders["b"].bids[-1].seq
    struck = run.send(Withdraw(bid_seq=number, bidder="b", reason="x"))
    assert struck.accepted
    assert run.state.bidders["b"].auto_minor is None
    assert run.standing[0] == ("c", "850.00")
    assert run.state.bidders["b"].current.price == 89_000


def test_withdrawing_the_number_of_a_woken_bid_means_the_sender_by_default():
    run = auctions()
    run.auto("b", "700.00")
    run.bids(("a", "900.00"))
    assert run.standing[0] == ("b", "890.00")
    run.send(Withdraw(bid_seq=run.state.seq, reason="x"))
    assert run.standing == [("b", "890.00")]


def test_null_ends_it():
    run = auctions()
    run.auto("b", "700.00")
    assert run.auto("b", None).accepted
    assert run.auto("c", None).rank is None
    assert run.bid("a", "900.00").rank == 1
    assert run.state.autos_count == 0


def test_a_limit_may_be_changed():
    run = auctions()
    run.auto("b", "700.00")
    run.auto("b", "950.00")
    run.bids(("a", "940.00"))
    assert run.standing[0] == ("a", "940.00")
    assert run.state.autos_count == 1


@pytest.mark.parametrize(
    ("limit", "code"),
    [("x", Code.MALFORMED), ("0", Code.OUT_OF_RANGE), ("1000.01", Code.ABOVE_CEILING)],
)
def test_wrong_limits_are_refused(limit, code):
    assert auctions().auto("a", limit).code is code


def test_where_the_lead_is_hidden_there_are_no_limits():
    assert Run(visibility="rank").open().auto("a", "1.00").code is Code.MALFORMED


def test_answers_come_first():
    feature = {"id": "w", "max": "0.15", "options": [{"id": "5y", "value": "0.15"}]}
    run = auctions(scoring={"kind": "meat", "features": [feature]})
    assert "Bid once by hand" in run.auto("a", "500.00").detail
    assert run.bid("a", "900.00", attributes={"w": "5y"}).accepted
    assert run.bid("b", "880.00", attributes={"w": "5y"}).code is None
    run.auto("a", "500.00")
    assert run.standing[0][0] == "a"
    lead, second = run.state.rows[0][0], run.state.rows[1][0]
    assert Fraction(second) - Fraction(lead) >= 1_000, "the step is taken off the evaluated price"


def test_the_stronger_cannot_reach_its_limit_when_its_own_step_forbids():
    run = Run(step={"value": "100.00"}).open()
    run.bids(("a", "1000.00"))
    run.auto("a", "850.00")
    run.bids(("a", "900.00"), ("b", "950.00"))
    outcome = run.auto("b", "849.00")
    assert outcome.accepted
    assert run.standing[0] == ("b", "850.00"), "a may bid 800 next, which is below its limit"


def test_only_the_present_and_able_take_part():
    run = auctions()
    run.auto("a", "700.00")
    run.state.bidders["a"].bids_count = 100_000
    run.bids(("b", "900.00"))
    assert run.standing[0] == ("b", "900.00")
    assert run.bid("a", "800.00").code is Code.TOO_MANY
    assert run.max_price("a") is None


def test_who_cannot_reach_the_own_limit_is_not_waited_for():
    run = Run(step={"value": "100.00"}).open().bids(("b", "1000.00"), ("a", "1000.00"))
    run.auto("b", "850.00")
    run.bids(("b", "900.00"))
    run.auto("a", "880.00")
    assert run.standing[0] == ("a", "899.99"), "b's next step would be 800.00"


def test_answering_has_a_limit_of_its_own(monkeypatch):
    monkeypatch.setattr(automatic, "PASSES_MAX", 1)
    run = auctions().bids(("a", "900.00"), ("b", "890.00"))
    run.auto("a", "800.00")
    run.auto("b", "700.00")
    assert run.standing[0] == ("b", "870.00")


def test_the_same_cid_sets_a_limit_once():
    run = auctions()
    first = run.send(Auto(bidder="a", limit="700.00", cid="x"))
    again = run.send(Auto(bidder="a", limit="700.00", cid="x"))
    assert again.repeat_of == run.state.seq - 1
    assert again.rank == first.rank
