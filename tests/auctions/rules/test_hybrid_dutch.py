"""A Dutch clock, sealed bids below its price, and a last word for whoever accepted it.

The order of the published hybrid (openprocurement.auction.insider): the first accept ends the
clock, the Dutch winner sends no sealed bid, sealed bids must be better than its price, and it alone
may answer them; without an accept, or without a better bid, the auction ends.
"""

from __future__ import annotations

import pytest

from auctions.rules.core.commands import Exclude, Withdraw
from auctions.rules.core.outcomes import BidPlaced, Closed, Code, Stage
from auctions.rules.simulate import replay_under
from auctions.rules.terms.read import read_terms
from auctions.rules.terms.show import rules_of
from auctions.rules.views.plain import explain
from auctions.rules.views.visibility import BUYER, bidder, personal, snapshot
from marketplace.kernel.errors import Invalid
from tests.auctions.rules.driver import START, Run, kinds, terms_of
from tests.auctions.vector_files import cases

DUTCH = {"format": "dutch", "start": "600.00", "increment": "50.00", "interval_s": 10}
SEALED = {"format": "sealed", "duration_s": 60}
LAST = {"format": "last_word", "duration_s": 30}


def hybrid(*phases: dict, **rules) -> Run:
    return Run(format="phases", phases=list(phases or (DUTCH, SEALED, LAST)), **rules).open()


def taken(**rules) -> Run:
    """b accepts 700.00 at second 21; sealed bids until 81, then 30 seconds."""
    run = hybrid(**rules).go(21)
    outcome = run.accept("b", 2)
    assert (outcome.accepted, outcome.rank, outcome.evaluated) == (True, 1, "70000")
    return run


def test_the_accept_ends_the_clock_and_the_sealed_phase_begins_at_once():
    run = taken()
    assert kinds(run.outcomes[-1]) == ["bid", "stage"]
    assert run.outcomes[-1].events[1] == Stage(
        name="sealed", phase=1, ends_at=run.state.stage.ends_at
    )
    assert run.state.status == "open"
    assert run.state.stage.ends_at == run.now_us + 60_000_000
    assert run.close_s == pytest.approx(21 + 60 + 30, abs=1e-3)
    assert run.standing == [("b", "700.00")]
    assert run.accept("a", 2).code is Code.MALFORMED, "there is no clock any more"


def test_sealed_bids_are_below_the_accepted_price():
    run = taken()
    refused = run.bid("a", "700.00")
    assert (refused.code, refused.limit) == (Code.ABOVE_CEILING, 69_999)
    assert refused.detail == (
        "700.00 EUR is not below the price accepted on the clock; you may bid at most 699.99 EUR."
    )
    assert run.max_price("a") == "699.99"
    assert run.bid("a", "699.99").accepted


def test_whoever_accepted_waits_for_the_last_word():
    run = taken()
    waiting = run.bid("b", "600.00")
    assert waiting.code is Code.NOT_YOUR_TURN
    assert "last word" in waiting.detail
    assert run.auto("b", "600.00").code is Code.NOT_YOUR_TURN
    assert run.max_price("b") is None
    assert personal(run.state, "b", run.now_us)["you"]["last_word"] is True
    assert "last_word" not in personal(run.state, "a", run.now_us)["you"]


def test_the_last_word_answers_the_best_sealed_bid():
    run = taken().bids(("a", "690.00"), ("c", "650.00"))
    assert run.standing == [("b", "700.00")], "sealed until the phase is over"
    run.go(82)
    assert (run.state.stage.name, run.state.stage.bidder) == ("last_word", "b")
    assert run.standing == [("c", "650.00"), ("a", "690.00"), ("b", "700.00")]
    assert personal(run.state, "b", run.now_us)["you"]["turn"] is True
    assert run.bid("c", "600.00").code is Code.NOT_YOUR_TURN
    assert run.max_price("c") is None
    assert run.bid("b", "700.00").limit == 69_999
    assert run.hint("b", 1) == "649.99"
    assert run.bid("b", "649.99").accepted
    assert run.standing[0] == ("c", "650.00"), "until the end it may be changed"
    closing = run.go(112).outcomes[-1]
    assert kinds(closing) == ["bid", "closed"]
    assert closing.events[1] == Closed(close_at=run.state.close_at, winner="b")
    assert run.standing[0] == ("b", "649.99")


def test_an_answer_that_only_equals_the_best_bid_does_not_win():
    run = taken().bids(("c", "650.00")).go(82).bids(("b", "650.00")).go(112)
    assert run.standing == [("c", "650.00"), ("b", "650.00")]


def test_an_answer_may_be_taken_back():
    run = taken().bids(("c", "650.00")).go(82).bids(("b", "600.00"))
    assert run.bid("b", None).accepted
    assert run.go(112).standing[0] == ("c", "650.00")


def test_without_a_better_bid_the_accepted_price_wins_and_no_last_word_is_needed():
    run = taken().go(82)
    assert run.state.status == "closed"
    assert run.standing == [("b", "700.00")]
    assert run.close_s == pytest.approx(81, abs=1e-3)


def test_a_clock_that_nobody_accepts_ends_the_auction():
    run = hybrid().go(90)
    assert (run.state.status, run.standing) == ("closed", [])
    assert run.close_s == 90


def test_without_a_last_word_the_dutch_winner_bids_on_like_everybody():
    run = hybrid(DUTCH, SEALED).go(21)
    run.accept("b", 2)
    assert run.bid("b", "640.00").accepted
    run.bids(("a", "650.00")).go(82)
    assert run.standing == [("b", "640.00"), ("a", "650.00")]


def test_an_english_phase_and_rounds_go_on_below_the_accepted_price():
    english = {"format": "english", "duration_s": 60, "step": {"value": "5.00"}}
    run = hybrid(DUTCH, english).go(21)
    run.accept("b", 2)
    assert run.bid("a", "700.00").code is Code.ABOVE_CEILING
    assert run.bid("a", "699.99").rank == 1
    assert run.bid("b", "690.00").rank == 1
    rounds = {"format": "rounds", "rounds": 1, "turn_s": 10, "first_pause_s": 0, "pause_s": 0}
    run = hybrid(DUTCH, rounds, LAST).go(21)
    run.accept("b", 2)
    run.go(22)
    assert run.state.turns == ["c", "a"], "whoever accepted has no turn"


def test_a_withdrawn_accept_binds_nobody_and_leaves_no_last_word():
    run = taken()
    number = run.state.bidders["b"].bids[0].seq
    assert run.send(Withdraw(bid_seq=number, bidder="b", reason="a slip")).accepted
    assert run.max_price("a") == run.max_price("b") == "1000.00"
    run.bids(("a", "800.00"), ("b", "790.00")).go(82)
    assert run.state.status == "closed"
    assert run.standing == [("b", "790.00"), ("a", "800.00")]


def test_an_excluded_bidder_has_no_last_word():
    run = taken().bids(("a", "650.00"))
    run.send(Exclude(bidder="b", reason="x"))
    assert run.go(82).state.status == "closed"


def test_a_slip_below_the_accepted_price_is_asked_about():
    run = taken(typo_guard_percent="30")
    assert run.bid("a", "65.00").code is Code.CONFIRM_REQUIRED
    assert run.bid("a", "600.00").accepted


def test_an_outage_takes_nothing_from_the_last_word():
    run = taken().bids(("c", "650.00")).go(90).silence(100)
    assert run.bid("b", "600.00").code is Code.PAUSED
    run.wake(400)
    assert run.state.stage.ends_at >= run.us(400) + 120_000_000
    assert run.bid("b", "600.00").accepted


def test_who_has_the_last_word_is_shown_where_aliases_are():
    run = taken(visibility="rank").bids(("a", "650.00")).go(82)
    assert snapshot(run.state, BUYER, run.now_us)["stage"]["alias"] == "b"
    assert "alias" not in snapshot(run.state, bidder("a"), run.now_us)["stage"]


@pytest.mark.parametrize(
    "phases",
    [
        [SEALED, DUTCH],
        [DUTCH, LAST],
        [SEALED, LAST],
        [DUTCH, SEALED, LAST, SEALED],
        [DUTCH, {"format": "japanese", "start": "900.00", "decrement": "10.00"}],
    ],
)
def test_phases_in_an_order_that_means_nothing_are_refused(phases):
    with pytest.raises(Invalid) as caught:
        terms_of(format="phases", phases=phases)
    assert any(error.field.startswith("phases[") for error in caught.value.errors)


def test_a_last_word_never_stands_alone():
    with pytest.raises(Invalid):
        read_terms(
            {"format": "last_word", "starts_at": START}, auction="a", currency="EUR", ceiling=None
        )


def test_the_rules_come_back_as_they_were_read_and_are_explained():
    terms = terms_of(format="phases", phases=[DUTCH, SEALED, LAST])
    again = read_terms(rules_of(terms), auction=terms.auction, currency="EUR", ceiling="1000.00")
    assert again == terms
    texts = {paragraph.heading: paragraph.text for paragraph in explain(terms)}
    assert "every bid of a later phase must be below it" in texts["Dutch clock"]
    assert "wins at the price" not in texts["Dutch clock"]
    assert "30 seconds to answer" in texts["Last word"]
    assert "Equal bids" in texts, "prices are named in a later phase"
    alone = {paragraph.heading: paragraph.text for paragraph in explain(terms_of(**DUTCH))}
    assert "wins at the price" in alone["Dutch clock"]
    assert "Equal bids" not in alone


def test_the_published_clock_with_the_bids_of_the_published_phases():
    """The clock of the case, then a better sealed bid, then the answer of the Dutch winner."""
    case = cases("dutch")["accept_at_step_5"]
    rules = case["rules"]
    run = Run(ceiling=None, format="phases", phases=[rules, SEALED, LAST])
    run.go(case["step"] * rules["interval_s"])
    assert run.accept(case["expected_winner"], case["step"]).accepted
    assert run.standing == [(case["expected_winner"], case["expected_price"])]
    assert run.bid("b", case["expected_price"]).code is Code.ABOVE_CEILING
    assert run.bid(case["expected_winner"], "36000.00").code is Code.NOT_YOUR_TURN
    run.bids(("b", "36500.00")).go(1_562)
    assert run.bid(case["expected_winner"], "36749.99").accepted, "any better price is an answer"
    assert run.bid(case["expected_winner"], "36400.00").accepted
    run.go(1_592)
    assert run.standing == [("a", "36400.00"), ("b", "36500.00")]


def test_a_past_auction_is_simulated_as_such_a_hybrid_and_the_other_way_round():
    past = Run().open().bids(("a", "900.00"), ("b", "700.00"), ("c", "660.00"))
    past.go(15).bids(("a", "655.00"), ("c", "640.00")).go(601)
    # The first to come down to the clock is c; only a is below it while bids are sealed.
    clock = DUTCH | {"start": "630.00", "increment": "20.00", "cap": "1000.00"}
    phases = [clock, SEALED, LAST]
    after = replay_under(past.commands, past.terms, terms_of(format="phases", phases=phases)).after
    assert (after.winner, after.standing[0].price) == ("c", 65_000)
    run = taken().bids(("a", "690.00"), ("c", "650.00")).go(82).bids(("b", "640.00")).go(112)
    both = replay_under(run.commands, run.terms, terms_of(duration_s=600))
    assert (both.before.winner, both.after.winner) == ("b", "b")
    placed = [e for o in run.outcomes for e in o.events if isinstance(e, BidPlaced)]
    assert len(placed) == 4
