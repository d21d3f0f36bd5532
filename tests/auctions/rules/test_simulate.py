"""A past log under other rules."""

from __future__ import annotations

import pytest

from auctions.rules import simulate
from auctions.rules.core.apply import BrokenLog
from auctions.rules.core.commands import Admit, Exclude, Withdraw
from auctions.rules.core.outcomes import Code
from auctions.rules.simulate import replay_under
from tests.auctions.rules.driver import Run, terms_of

CLOCK = {"start": "600.00", "increment": "50.00", "cap": "1000.00", "interval_s": 10}


def past() -> Run:
    """a comes down to 700, b to 750, c stays at 900; one typo withdrawn, one cid sent twice."""
    run = Run(overtime={"window_s": 60, "extend_s": 60}).open()
    run.bids(("a", "900.00"), ("b", "890.00"), ("c", "900.00"), ("c", "9.00"))
    run.send(Withdraw(bid_seq=run.state.seq, reason="typo"))
    run.bid("a", "nonsense")
    run.bid("a", "800.00", cid="x")
    run.bid("a", "800.00", cid="x")
    run.go(590).bids(("b", "750.00"), ("a", "700.00"))
    return run.go(700)


def under(run: Run, **rules):
    return replay_under(run.commands, run.terms, terms_of(**rules))


def test_the_same_rules_give_the_same_result():
    run = past()
    both = replay_under(run.commands, run.terms, run.terms)
    assert both.before.standing == both.after.standing
    assert (both.before.winner, both.before.close_at) == ("a", run.state.close_at)
    assert both.after.close_at == both.before.close_at
    assert both.after.extensions == both.before.extensions == 1
    assert not both.winner_changes
    assert both.lead_change_minor == 0
    assert both.before.refused == {"malformed": 1}
    assert both.before.curve[-1][1] == 70_000


def test_without_overtime_the_late_bids_still_count_and_the_close_moves():
    after = under(past()).after
    assert after.extensions == 0
    assert after.standing[0].price == 70_000
    assert after.close_at < past().state.close_at


def test_larger_steps_refuse_bids():
    after = under(past(), step={"value": "120.00"}).after
    assert after.refused["step_too_small"] == 1
    assert after.winner == "a", "800.00 is refused, 700.00 is far enough from 900.00"


def test_a_guard_under_the_other_rules_counts_as_confirmed():
    after = under(past(), typo_guard_percent="5").after
    assert after.winner == "a"
    assert "confirm_required" not in after.refused


def test_a_slip_that_was_never_confirmed_is_no_bid_under_any_rules():
    """b typed 90.00, was asked, and bid 890.00 instead."""
    run = Run(typo_guard_percent="30").open().bids(("a", "900.00"))
    assert run.bid("b", "90.00").code is Code.CONFIRM_REQUIRED
    run.bids(("b", "890.00")).go(601)
    rounds = {"rounds": 2, "turn_s": 10, "first_pause_s": 10, "pause_s": 5}
    for rules in (
        {},
        {"format": "sealed"},
        {"format": "rounds", **rounds},
        {"format": "japanese", "start": "900.00", "decrement": "5.00", "interval_s": 10},
    ):
        after = under(run, **rules).after
        assert {row.bidder: row.price for row in after.standing}["b"] >= 88_500, rules
        assert after.curve[-1][1] >= 88_500


def test_a_slip_that_was_confirmed_is_a_bid():
    run = Run(typo_guard_percent="30").open().bids(("a", "900.00"))
    token = run.bid("b", "90.00").token
    assert run.bid("b", "90.00", confirm=token).accepted
    assert under(run.go(601), typo_guard_percent="5").after.standing[0].price == 9_000


def test_a_refused_price_is_sent_as_it_was_and_asked_about_under_the_other_rules():
    """Nobody was asked about 90.00, because it missed the turn; so nobody has confirmed it."""
    run = Run(format="rounds", first_pause_s=0, turn_s=60, rounds=1).go(1)
    run.bid("a", "90.00")
    run.bid("c", "890.00")
    after = under(run.go(200), typo_guard_percent="30", duration_s=600).after
    assert [row.bidder for row in after.standing] == ["c"]
    assert after.refused == {"confirm_required": 1}


def test_what_decides_is_the_evaluated_price():
    option = {"id": "5y", "value": "0.15"}
    feature = {"id": "w", "max": "0.15", "options": [option, {"id": "none", "value": "0"}]}
    run = Run(scoring={"kind": "meat", "features": [feature]}).open()
    assert run.bid("a", "900.00", attributes={"w": "none"}).accepted
    assert run.bid("b", "1000.00", attributes={"w": "5y"}).accepted
    both = under(run.go(601), scoring={"kind": "price"})
    assert (both.before.winner, both.after.winner) == ("b", "a")
    assert both.before.standing[0].evaluated_minor == 85_000
    assert both.before.curve[-1][1] == 85_000
    assert both.lead_change_minor == 5_000


def test_sealed_takes_the_last_word_of_everybody():
    after = under(past(), format="sealed").after
    assert [(row.bidder, row.price) for row in after.standing] == [
        ("a", 70_000),
        ("b", 75_000),
        ("c", 90_000),
    ]


def test_rounds_come_down_evenly_to_the_lowest_price():
    after = under(past(), format="rounds", rounds=2, turn_s=10, first_pause_s=10, pause_s=5).after
    assert {row.bidder: row.price for row in after.standing}["a"] == 70_000
    assert {row.bidder: row.price for row in after.standing}["b"] == 75_000


def test_a_dutch_clock_is_taken_by_the_lowest():
    comparison = under(past(), format="dutch", **CLOCK)
    assert comparison.after.winner == "a"
    assert comparison.after.standing[0].price == 70_000
    assert not comparison.winner_changes


def test_a_japanese_clock_is_left_at_the_lowest_price():
    run = Run().open().bids(("a", "900.00"), ("b", "800.00"), ("a", "700.00")).go(601)
    after = under(run, format="japanese", start="900.00", decrement="50.00", interval_s=10).after
    assert (after.winner, after.standing[0].price) == ("a", 75_000)


def test_admissions_are_kept_without_offers_where_a_clock_names_prices():
    run = Run(bidders="ab", scoring={"kind": "lcc", "costs": [{"id": "e"}]})
    run.send(Admit(bidder="o", offer="650.00", attributes={"e": "1.00"}))
    run.open()
    run.bid("a", "700.00", attributes={"e": "1.00"})
    run.send(Exclude(bidder="b", reason="x"))
    run.go(601)
    assert under(run, format="dutch", **CLOCK).after.winner == "a"
    rounds = under(run, format="rounds", turn_s=5, first_pause_s=5, pause_s=5)
    assert [row.bidder for row in rounds.after.standing] == ["o", "a"]


def test_nothing_to_compare_when_nobody_bid():
    run = Run().go(601)
    assert under(run, format="dutch", **CLOCK).lead_change_minor is None


def test_a_log_that_does_not_fold_is_refused():
    run = past()
    with pytest.raises(BrokenLog):
        replay_under(run.commands[1:], run.terms, run.terms)


def test_a_simulation_ends_even_if_the_auction_does_not(monkeypatch):
    monkeypatch.setattr(simulate, "TICKS_MAX", 40)
    assert under(past()).after.standing[0].price == 80_000
