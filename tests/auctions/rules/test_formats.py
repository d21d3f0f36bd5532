"""Rounds, sealed, Dutch, Japanese and hybrids."""

from __future__ import annotations

import pytest

from auctions.rules.core.commands import Admit, Exclude, Extend, Pause, Resume, Withdraw
from auctions.rules.core.outcomes import BidPlaced, Closed, Code, DroppedOut, Stage
from tests.auctions.rules.driver import Run, kinds

ROUNDS = {"format": "rounds", "rounds": 2, "turn_s": 60, "first_pause_s": 100, "pause_s": 30}


def rounds_run(**rules) -> Run:
    """Initial bids a 500, b 600, c 600 (later), published at second 100."""
    run = Run(**(ROUNDS | rules)).go(1).bids(("a", "500.00"), ("b", "600.00"), ("c", "600.00"))
    return run.go(100)


def speaker(run: Run) -> str | None:
    return run.state.stage.bidder


def test_initial_bids_are_hidden_until_the_first_pause_ends():
    run = Run(**ROUNDS).go(1).bids(("a", "500.00"), ("a", "550.00"))
    assert run.standing == []
    assert run.max_price("a") == "1000.00", "an initial bid may be replaced freely"
    run.go(100)
    assert run.standing == [("a", "550.00")]


def test_turns_go_from_worst_to_best_and_the_later_of_equals_first():
    run = rounds_run()
    spoke = []
    for number in range(3):
        run.go(101 + 60 * number)
        spoke.append(speaker(run))
    assert spoke == ["c", "b", "a"]
    assert run.close_s == 100 + 2 * 3 * 60 + 30


def test_only_the_speaker_may_bid_and_may_change_it_until_the_turn_ends():
    run = rounds_run()
    assert run.bid("a", "400.00").code is Code.NOT_YOUR_TURN
    assert run.max_price("a") is None
    assert run.bid("c", "599.50").code is Code.STEP_TOO_SMALL
    assert run.bid("c", "450.00").accepted
    changed = run.bid("c", "480.00")
    assert (changed.accepted, changed.rank, kinds(changed)) == (True, None, [])
    assert run.standing[-1] == ("c", "600.00"), "not published yet"
    run.go(160)
    assert run.standing[0] == ("c", "480.00")


def test_a_bid_of_the_own_turn_may_be_taken_back():
    run = rounds_run()
    run.bids(("c", "450.00"))
    assert run.bid("c", None).accepted
    run.go(160)
    assert ("c", "600.00") in run.standing
    assert run.bid("c", None).code is Code.NOT_YOUR_TURN


def test_pauses_belong_to_nobody():
    run = rounds_run().go(281)
    assert (run.state.stage.name, run.state.stage.round) == ("pause", 2)
    refused = run.bid("a", "400.00")
    assert (refused.code, refused.detail) == (Code.NOT_YOUR_TURN, "Wait for your turn.")


def test_who_brought_an_offer_cannot_bid_in_the_first_pause():
    run = Run(**ROUNDS)
    assert run.send(Admit(bidder="d", offer="700.00")).accepted
    run.go(1)
    refused = run.bid("d", "600.00")
    assert "stands already" in refused.detail
    run.go(100)
    assert run.state.turns == ["c", "b", "a", "d"]


def test_who_has_no_bid_speaks_first_and_newcomers_join_the_next_round():
    run = Run(**ROUNDS).go(1).bids(("b", "500.00")).go(101)
    assert run.state.turns == ["c", "a", "b"]
    run.send(Admit(bidder="new"))
    assert run.bid("new", "1.00").code is Code.NOT_YOUR_TURN
    run.go(311)
    assert run.state.turns == ["new", "c", "a", "b"]
    assert run.close_s == 310 + 4 * 60


def test_the_excluded_lose_their_turn_and_an_unpublished_bid():
    run = rounds_run().bids(("c", "450.00"))
    run.send(Exclude(bidder="c", reason="x"))
    run.go(161)
    assert ("c", "600.00") in run.standing
    run.go(311)
    assert run.state.turns == ["b", "a"]


def test_rounds_without_anybody_come_to_their_end():
    run = Run(bidders="", **ROUNDS).go(131)
    assert run.state.status == "closed"
    assert run.close_s == 130


def test_the_announcement_may_wait():
    run = rounds_run(announce_s=40).go(491)
    assert run.state.stage.name == "before_announcement"
    assert run.state.status == "open"
    assert run.bid("a", "1.00").code is Code.NOT_YOUR_TURN
    assert run.go(530).state.status == "closed"


def test_an_outage_gives_the_turn_back():
    run = rounds_run().bids(("c", "450.00")).silence(140)
    assert run.bid("c", "440.00").code is Code.PAUSED
    woken = run.wake(500)
    assert [type(event) for event in woken.events][1] is Stage
    assert run.state.stage.ends_at == run.us(620)
    assert run.bid("c", "440.00").accepted


def test_a_pause_by_the_buyer_moves_the_turn_and_tells_its_new_end():
    run = rounds_run()
    run.send(Pause(reason="x"))
    run.go(200)
    resumed = run.send(Resume())
    assert kinds(resumed) == ["resumed", "stage"]
    assert kinds(run.send(Extend(seconds=5, reason="x"))) == ["extended", "stage"]


SEALED = {"format": "sealed", "duration_s": 100}


def test_sealed_bids_are_opened_together_at_the_close():
    run = Run(**SEALED).open()
    first = run.bid("a", "900.00")
    assert (first.accepted, first.rank, kinds(first)) == (True, None, [])
    run.bids(("b", "800.00"), ("a", "850.00"), ("b", "860.00"), ("c", "850.00"))
    assert run.bid("c", None).accepted
    assert run.standing == []
    run.go(99).silence(100)
    late = run.bid("c", "1.00")
    assert late.code is Code.LATE
    opened = [(e.bidder, e.price) for e in late.events if isinstance(e, BidPlaced)]
    assert opened == [("a", 85_000), ("b", 86_000)]
    assert late.events[-1] == Closed(close_at=run.us(100), winner="a")


def test_sealed_bids_know_ceiling_and_typo_guard_only():
    run = Run(typo_guard_percent="30", **SEALED).open()
    assert run.bid("a", "1000.01").code is Code.ABOVE_CEILING
    assert run.bid("a", "1.00").code is Code.CONFIRM_REQUIRED
    assert run.max_price("a") == "1000.00"
    assert run.hint("a", 1) is None


DUTCH = {"format": "dutch", "start": "100.00", "increment": "30.00", "cap": "180.00"}


def test_the_first_accept_wins_at_the_price_of_its_step():
    run = Run(interval_s=10, **DUTCH).go(10)
    assert run.state.stage.step == 1
    outcome = run.accept("b", 1, price="130")
    assert (outcome.accepted, outcome.rank, outcome.evaluated) == (True, 1, "13000")
    assert kinds(outcome) == ["bid", "closed"]
    assert run.accept("a", 1).code is Code.LATE


@pytest.mark.parametrize(
    "fields", [{"step": 0}, {"step": 1, "price": "99.00"}, {"step": 1, "price": "x"}]
)
def test_a_stale_step_or_price_is_refused_and_the_running_one_named(fields):
    run = Run(interval_s=10, **DUTCH).go(10)
    outcome = run.accept("a", **fields)
    assert (outcome.code, outcome.limit) == (Code.STALE_STEP, 13_000)
    assert "step 1 at 130.00 EUR" in outcome.detail


def test_the_last_step_is_the_cap_and_then_nobody_has_won():
    run = Run(interval_s=10, **DUTCH).go(30)
    assert run.text(run.state.stage.price) == "180.00"
    assert run.max_price("a") == "180.00"
    run.go(40)
    assert run.state.status == "closed"
    assert run.outcomes[-1].events == [Closed(close_at=run.us(40), winner=None)]


def test_clocks_take_no_prices_no_offers_and_no_limits():
    run = Run(interval_s=10, **DUTCH)
    assert run.send(Admit(bidder="d", offer="90.00")).code is Code.MALFORMED
    run.open()
    assert run.bid("a", "100.00").code is Code.MALFORMED
    assert run.auto("a", "100.00").code is Code.MALFORMED
    assert Run().open().accept("a", 0).code is Code.MALFORMED


JAPANESE = {"format": "japanese", "start": "100.00", "decrement": "10.00", "interval_s": 10}


def test_who_does_not_confirm_a_step_drops_out():
    run = Run(**JAPANESE).open()
    for alias in "abc":
        assert run.accept(alias, 0).accepted
    run.go(10)
    assert run.max_price("a") == "90.00"
    run.accept("b", 1)
    run.accept("a", 1)
    run.go(20)
    dropped = [e for o in run.outcomes for e in o.events if isinstance(e, DroppedOut)]
    assert dropped == [DroppedOut(bidder="c", step=1)]
    assert run.standing == [("b", "90.00"), ("a", "90.00"), ("c", "100.00")]
    assert run.accept("c", 2).code is Code.STALE_STEP
    assert run.max_price("c") is None


def test_the_last_one_in_wins_at_the_price_confirmed():
    run = Run(**JAPANESE).open()
    run.accept("a", 0)
    run.accept("b", 0)
    run.go(10)
    run.accept("b", 1)
    run.go(20)
    assert run.state.status == "closed"
    assert run.standing[0] == ("b", "90.00")


def test_when_all_leave_at_once_the_earlier_confirmation_of_the_step_before_wins():
    run = Run(**JAPANESE).open()
    for alias in "cab":
        run.accept(alias, 0)
    assert run.accept("c", 0).accepted, "confirming twice changes nothing"
    run.go(20)
    assert run.state.status == "closed"
    assert run.standing[0] == ("c", "100.00")


def test_the_clock_ends_at_its_floor():
    run = Run(floor="85.00", **JAPANESE).open()
    for step in (0, 1):
        run.go(10 * step)
        run.accept("a", step)
        run.accept("b", step)
    assert run.accept("a", 0).code is Code.STALE_STEP
    run.go(20)
    assert run.state.status == "closed"
    assert run.standing == [("a", "90.00"), ("b", "90.00")]


def test_newcomers_after_the_first_step_were_never_in():
    run = Run(**JAPANESE).open()
    run.accept("a", 0)
    run.accept("b", 0)
    run.go(10)
    run.send(Admit(bidder="new"))
    assert "step 0" in run.accept("new", 1).detail
    assert run.max_price("new") is None


def test_an_outage_voids_the_open_step_for_all():
    run = Run(**JAPANESE).open()
    run.accept("a", 0)
    run.silence(9)
    assert run.accept("b", 0).code is Code.PAUSED
    run.wake(50)
    assert run.state.pending == {}
    assert run.state.stage.step == 0
    assert run.state.stage.ends_at == run.us(170), "anew, and never less than two minutes"
    assert run.accept("b", 0).accepted


def test_a_long_step_starts_anew_with_its_whole_time():
    run = Run(**(JAPANESE | {"interval_s": 300})).go(200).silence(210)
    run.wake(220)
    assert run.state.stage.ends_at == run.us(520)


def test_a_hybrid_carries_the_standing_over():
    phases = [
        {"format": "sealed", "duration_s": 60},
        {"format": "english", "duration_s": 60, "step": {"value": "5.00"}},
    ]
    run = Run(format="phases", phases=phases).open()
    assert run.close_s == 120
    run.bids(("a", "900.00"), ("b", "850.00")).go(60)
    assert run.state.stage.name == "english"
    assert run.standing == [("b", "850.00"), ("a", "900.00")]
    assert run.bid("a", "896.00").code is Code.STEP_TOO_SMALL
    assert run.bid("a", "840.00").rank == 1
    run.go(121)
    assert run.outcomes[-1].events == [] or run.state.status == "closed"
    assert run.close_s == 120


def test_sealed_offers_then_rounds_order_the_turns():
    phases = [{"format": "sealed", "duration_s": 60}, ROUNDS]
    run = Run(format="phases", phases=phases).open()
    assert run.close_s == 60 + 100 + 2 * 3 * 60 + 30
    run.bids(("a", "900.00"), ("b", "850.00"), ("c", "950.00")).go(161)
    assert run.state.turns == ["c", "a", "b"]


def test_a_later_sealed_phase_can_only_improve():
    phases = [{"format": "english", "duration_s": 60, "step": {"value": "1.00"}}, SEALED]
    run = Run(format="phases", phases=phases).open().bids(("a", "900.00")).go(60)
    refused = run.bid("a", "900.00")
    assert (refused.code, refused.limit) == (Code.STEP_TOO_SMALL, 89_999)
    assert run.max_price("a") == "899.99"
    assert run.bid("a", "899.99").accepted


def test_after_the_lowest_possible_price_a_sealed_phase_has_nothing_left():
    phases = [{"format": "english", "duration_s": 60, "step": {"value": "1.00"}}, SEALED]
    run = Run(format="phases", phases=phases).open().bids(("a", "0.01")).go(60)
    assert run.bid("a", "0.01").limit is None
    assert run.max_price("a") is None


def test_a_japanese_clock_may_open_a_hybrid():
    run = Run(format="phases", phases=[JAPANESE, SEALED]).open()
    run.accept("a", 0)
    run.go(10)
    assert run.state.stage.name == "sealed"
    assert run.bid("a", "99.00").accepted
    assert run.accept("a", 1).code is Code.MALFORMED


def test_withdrawing_in_rounds_orders_the_next_round_anew():
    run = rounds_run()
    number = run.state.bidders["a"].bids[-1].seq
    assert run.send(Withdraw(bid_seq=number, reason="x")).accepted
    run.go(311)
    assert run.state.turns == ["a", "c", "b"]
