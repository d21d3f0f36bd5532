"""The buyer's commands, and what an outage does to the clock."""

from __future__ import annotations

import pytest

from auctions.rules.core.commands import (
    Admit,
    Cancel,
    Exclude,
    Extend,
    Message,
    Pause,
    Reschedule,
    Resume,
    Withdraw,
)
from auctions.rules.core.outcomes import (
    BidWithdrawn,
    Cancelled,
    Code,
    Extended,
    Opened,
    Paused,
    Rescheduled,
    Resumed,
)
from auctions.rules.core.parameters import BIDDERS_MAX
from auctions.rules.core.timeline import heartbeat_us
from tests.auctions.rules.driver import Run, kinds


def test_a_pause_keeps_the_remaining_time_exactly():
    run = Run().go(100).bids(("a", "900.00"))
    run.now_us = run.us(100) + 999_999
    assert run.send(Pause(reason="wrong drawing")).accepted
    assert run.bid("a", "890.00").code is Code.PAUSED
    assert "wrong drawing" in run.bid("a", "890.00").detail
    run.go(1_000)
    assert run.state.status == "paused"
    run.now_us = run.us(1_000) + 9
    resumed = run.send(Resume(reason="new drawing"))
    assert resumed.events[0].close_at == run.us(1_000) + 10 + 499_000_000
    assert run.bid("a", "890.00").accepted


def test_pausing_twice_and_resuming_what_runs_are_refused():
    run = Run().open()
    assert run.send(Resume()).code is Code.NOT_OPEN
    assert run.send(Pause(reason="x")).accepted
    assert run.send(Pause(reason="x")).code is Code.PAUSED


def test_a_pause_before_the_start_holds_the_opening():
    run = Run()
    run.send(Pause(reason="wait"))
    run.go(50)
    assert run.state.status == "paused"
    assert run.send(Extend(seconds=5, reason="x")).code is Code.NOT_OPEN
    outcome = run.send(Resume())
    assert kinds(outcome) == ["resumed", "opened"]
    assert run.state.close_at == run.now_us + 600_000_000


def test_a_pause_that_ends_before_the_start_changes_nothing():
    run = Run()
    run.send(Pause(reason="wait"))
    assert kinds(run.send(Resume())) == ["resumed"]
    assert run.go(0).close_s == 600


def test_a_start_moves_later_and_the_auction_opens_then():
    run = Run()
    later = run.us(3_600)
    close = run.state.close_at + 3_600_000_000
    outcome = run.send(Reschedule(starts_at_us=later, reason="Samples are late"))
    assert outcome.events == [
        Rescheduled(starts_at=later, close_at=close, reason="Samples are late")
    ]
    run.go(3_599)
    assert run.state.status == "scheduled"
    assert run.bid("a", "900.00").code is Code.NOT_OPEN
    run.go(3_600)
    assert run.state.status == "open"
    assert run.state.close_at == close


def test_a_start_never_moves_earlier_nor_once_the_auction_has_begun():
    run = Run()
    for starts_at_us in (run.us(0), run.us(-60), run.us(400 * 86_400)):
        outcome = run.send(Reschedule(starts_at_us=starts_at_us, reason="x"))
        assert outcome.code is Code.OUT_OF_RANGE
    assert run.send(Reschedule(starts_at_us=run.us(60), reason="")).code is Code.MALFORMED
    run.open()
    outcome = run.send(Reschedule(starts_at_us=run.us(60), reason="x"))
    assert outcome.code is Code.LATE


def test_an_extension_by_the_buyer_moves_the_close_even_while_paused():
    run = Run()
    assert run.send(Extend(seconds=60, reason="x")).code is Code.NOT_OPEN
    run.open()
    assert run.send(Extend(seconds=0, reason="x")).code is Code.OUT_OF_RANGE
    outcome = run.send(Extend(seconds=60, reason="questions"))
    assert outcome.events == [Extended(close_at=run.us(660), number=0, reason="questions")]
    run.send(Pause(reason="x"))
    run.send(Extend(seconds=40, reason="x"))
    run.send(Resume())
    assert run.close_s == pytest.approx(700, abs=0.01)


def test_cancelling_ends_everything():
    run = Run().open()
    assert run.send(Cancel(reason="")).code is Code.MALFORMED
    assert run.send(Cancel(reason="budget gone")).events == [Cancelled(reason="budget gone")]
    assert run.bid("a", "900.00").code is Code.NOT_OPEN
    assert run.send(Message(text="sorry")).code is Code.NOT_OPEN
    assert run.go(700).state.status == "cancelled"


def test_nothing_can_be_ordered_after_the_close():
    run = Run().go(601)
    for body in (
        Pause(reason="x"),
        Cancel(reason="x"),
        Message(text="x"),
        Withdraw(bid_seq=1, reason="x"),
        Admit(bidder="z"),
        Exclude(bidder="a", reason="x"),
    ):
        assert run.send(body).code is Code.LATE


def test_messages_and_reasons_have_a_length():
    run = Run().open()
    assert kinds(run.send(Message(text="Drawing 4 is out."))) == ["message"]
    assert run.send(Message(text="")).code is Code.MALFORMED
    assert run.send(Message(text="x" * 501)).code is Code.MALFORMED
    assert run.send(Pause(reason="")).code is Code.MALFORMED
    assert run.send(Exclude(bidder="a", reason="")).code is Code.MALFORMED
    assert run.send(Extend(seconds=5, reason="")).code is Code.MALFORMED
    run.send(Pause(reason="x"))
    assert run.send(Resume(reason="x" * 501)).code is Code.MALFORMED
    assert run.send(Withdraw(bid_seq=1, reason="")).code is Code.MALFORMED


def test_a_withdrawn_bid_is_struck_out_and_the_one_before_stands_again():
    run = Run().open().bids(("a", "900.00"), ("b", "890.00"), ("a", "500.00"))
    struck = run.send(Withdraw(bid_seq=run.state.seq, reason="a typo"))
    expected = BidWithdrawn(bidder="a", bid_seq=run.state.seq - 1, reason="a typo")
    assert struck.events == [expected]
    assert run.standing == [("b", "890.00"), ("a", "900.00")]
    assert run.max_price("a") == "899.00"


def test_withdrawing_an_older_bid_leaves_the_standing_and_the_last_one_empties_it():
    run = Run().open().bids(("a", "900.00"), ("a", "890.00"))
    newest = run.state.seq
    assert run.send(Withdraw(bid_seq=newest - 1, reason="x")).accepted
    assert run.standing == [("a", "890.00")]
    assert run.send(Withdraw(bid_seq=newest, reason="x", bidder="a")).accepted
    assert run.standing == []
    assert run.state.bidders["a"].initial is None
    assert run.send(Withdraw(bid_seq=newest, reason="x")).code is Code.OUT_OF_RANGE
    for stranger in ("q", "b"):
        gone = run.send(Withdraw(bid_seq=newest, reason="x", bidder=stranger))
        assert gone.code is Code.OUT_OF_RANGE


def test_a_bid_may_be_withdrawn_while_paused():
    run = Run().open().bids(("a", "900.00"))
    number = run.state.seq
    run.send(Pause(reason="look at it"))
    assert run.send(Withdraw(bid_seq=number, reason="x")).accepted


def test_the_excluded_bid_no_more_but_their_bids_stand():
    run = Run().open().bids(("a", "900.00"))
    assert kinds(run.send(Exclude(bidder="a", reason="suspended"))) == ["excluded"]
    assert run.send(Exclude(bidder="a", reason="suspended")).code is Code.NOT_ADMITTED
    assert run.bid("a", "890.00").code is Code.NOT_ADMITTED
    assert run.standing == [("a", "900.00")]
    assert run.send(Admit(bidder="a")).accepted
    assert run.bid("a", "890.00").accepted


def test_who_has_bid_cannot_come_back_on_other_terms():
    run = Run().open().bids(("a", "900.00"))
    assert run.send(Admit(bidder="a", bonus_percent="2")).code is Code.OUT_OF_RANGE
    assert run.send(Admit(bidder="b", bonus_percent="2")).accepted
    run.bids(("b", "910.00"))
    assert run.standing[0] == ("b", "910.00"), "2 % off 910.00 is worth 891.80"


def test_admission_checks_what_it_is_told():
    run = Run(min_rating="60")
    assert run.send(Admit(bidder="x", bonus_percent="100")).code is Code.MALFORMED
    assert run.send(Admit(bidder="x", bonus_percent="two")).code is Code.MALFORMED
    assert run.send(Admit(bidder="x", bonus_minor=2**60)).code is Code.MALFORMED
    assert run.send(Admit(bidder="x" * 65)).code is Code.MALFORMED
    assert run.send(Admit(bidder="x", rating="high")).code is Code.MALFORMED
    assert run.send(Admit(bidder="x", rating="101")).code is Code.MALFORMED
    assert run.send(Admit(bidder="x", attributes={"warranty": "5y"})).code is Code.MALFORMED
    assert run.send(Admit(bidder="x", rating="59.99")).code is Code.NOT_ADMITTED
    assert run.send(Admit(bidder="x", rating="60")).accepted
    assert run.send(Admit(bidder="y")).accepted, "not rated yet is not a low rating"


def test_there_is_a_limit_to_bidders():
    run = Run(bidders="")
    for number in range(BIDDERS_MAX):
        run.send(Admit(bidder=str(number)))
    assert run.send(Admit(bidder="one more")).code is Code.TOO_MANY


def test_an_opened_offer_stands_from_the_beginning():
    run = Run()
    assert kinds(run.send(Admit(bidder="d", offer="950.00"))) == ["admitted", "bid"]
    assert run.send(Admit(bidder="e", offer="1000.01")).code is Code.ABOVE_CEILING
    assert run.send(Admit(bidder="e", offer="0")).code is Code.OUT_OF_RANGE
    run.open()
    assert run.standing == [("d", "950.00")]
    assert run.max_price("d") == "949.00"
    assert run.send(Admit(bidder="f", offer="900.00")).code is Code.MALFORMED


def test_silence_pauses_and_the_next_heartbeat_gives_the_time_back():
    run = Run().go(100).bids(("a", "900.00")).silence(107)
    refused = run.bid("a", "890.00")
    assert refused.code is Code.PAUSED
    assert refused.events == [Paused(reason="Waiting for the servers.", outage=True)]
    assert run.bid("b", "890.00").events == [], "told once"
    outcome = run.wake(400)
    assert outcome.events == [Resumed(close_at=run.us(900), outage=True)]
    assert run.bid("a", "890.00").accepted


def test_after_an_outage_there_are_never_less_than_two_minutes():
    run = Run().go(595).silence(700)
    assert run.bid("a", "900.00").code is Code.PAUSED
    run.wake(800)
    assert run.close_s == 920
    assert run.bid("a", "900.00").accepted


def test_six_seconds_of_silence_are_not_yet_an_outage():
    run = Run().go(470)
    run.now_us = run.us(476) - 1
    assert run.bid("a", "900.00").accepted
    assert run.bid("a", "890.00").code is Code.PAUSED


@pytest.mark.parametrize("last", [480, 590])
def test_in_the_last_two_minutes_two_seconds_of_silence_are_not_yet_an_outage(last):
    run = Run().go(last)
    run.now_us = run.us(last + 2) - 1
    assert run.bid("a", "900.00").accepted
    assert run.bid("a", "890.00").code is Code.PAUSED
    run.wake(last + 3)
    assert run.close_s == last + 3 + 120


def test_silence_before_the_last_two_minutes_does_not_count_as_one_in_them():
    # Heartbeats came every two seconds until then; one that is a little late is no outage.
    run = Run().go(478.5)
    run.now_us = run.us(482) - 1
    assert run.bid("a", "900.00").accepted
    assert run.bid("a", "890.00").code is Code.PAUSED


def test_after_a_pause_near_the_close_silence_counts_from_the_resume():
    run = Run().go(590)
    run.send(Pause(reason="x"))
    run.go(700).silence(702.5)
    run.send(Resume())
    assert run.bid("a", "900.00").accepted
    close_us = run.state.close_at
    run.wake(704)
    assert run.state.close_at == close_us, "no outage"
    run.silence(706.1)
    assert run.bid("a", "890.00").code is Code.PAUSED


def test_heartbeats_come_more_often_near_the_end_of_a_stage():
    run = Run().open()
    every = {at: heartbeat_us(run.state, run.us(at)) for at in (479.9, 480, 599)}
    assert every == {479.9: 2_000_000, 480: 500_000, 599: 500_000}
    run.send(Pause(reason="x"))
    assert heartbeat_us(run.state, run.us(599)) == 2_000_000


def test_stages_that_people_end_have_the_short_heartbeat_throughout():
    run = Run(format="rounds", rounds=1, turn_s=600, first_pause_s=600).open()
    assert heartbeat_us(run.state, run.us(1)) == 500_000


def test_an_outage_at_the_start_opens_late_with_the_whole_time():
    run = Run().go(-8).silence(5)
    assert run.bid("a", "900.00").code is Code.PAUSED
    outcome = run.wake(30)
    assert outcome.events == [Opened(close_at=run.us(630))]
    assert run.bid("a", "900.00").accepted


def test_silence_before_the_start_is_no_outage():
    run = Run().go(-9.5)
    run.now_us = run.us(-1)
    assert run.bid("a", "900.00").code is Code.NOT_OPEN


def test_a_pause_during_an_outage_keeps_the_two_minutes():
    run = Run().go(590).silence(700)
    assert run.send(Pause(reason="x")).accepted
    run.wake(710)
    run.send(Resume())
    assert run.state.close_at == run.now_us + 120_000_000


def test_resuming_into_a_silence_waits_for_the_heartbeat():
    run = Run()
    run.send(Pause(reason="x"))
    run.silence(100)
    assert kinds(run.send(Resume())) == ["resumed"]
    assert run.state.status == "scheduled"
    assert kinds(run.wake(101)) == ["opened"]


def test_a_short_gap_closes_at_the_close_not_later():
    run = Run().go(599)
    run.silence(600.5)
    late = run.bid("a", "900.00")
    assert (late.code, kinds(late)) == (Code.LATE, ["closed"])


def test_a_repeated_order_of_the_buyer_counts_once():
    run = Run().open()
    first = run.send(Extend(seconds=60, reason="x", cid="1"))
    again = run.send(Extend(seconds=60, reason="x", cid="1"))
    assert first.events
    assert (again.repeat_of, again.events) == (run.state.seq - 1, [])
    assert run.close_s == 660
    assert run.send(Extend(seconds=61, reason="x", cid="1")).code is Code.CID_REUSED
