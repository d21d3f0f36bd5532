"""English auctions: steps, buffers, ceiling, ties, the clock, overtime, the typo guard."""

from __future__ import annotations

import pytest

from auctions.rules.core.outcomes import Closed, Code, Extended, Opened
from tests.auctions.rules.driver import Run, kinds


def test_a_bid_before_the_opening_is_refused_and_names_both_times():
    outcome = Run().bid("a", "900.00")
    assert outcome.code is Code.NOT_OPEN
    assert "2026-12-01T10:00:00.000000Z" in outcome.detail
    assert "2026-12-01T09:59:50" in outcome.detail


def test_the_first_command_at_the_start_opens():
    run = Run().go(-1)
    run.silence(0)
    outcome = run.bid("a", "900.00")
    assert outcome.accepted
    assert kinds(outcome) == ["opened", "bid"]
    assert outcome.events[0] == Opened(close_at=run.us(600))


def test_the_microsecond_before_the_close_counts_and_the_close_does_not():
    run = Run().go(599)
    run.now_us = run.us(600) - 2
    assert run.bid("a", "900.00").accepted
    late = run.bid("b", "800.00")
    assert late.code is Code.LATE
    assert late.events == [Closed(close_at=run.us(600), winner="a")]
    assert late.detail.count("2026-12-01T10:10:00.000000Z") == 2
    assert run.bid("b", "700.00").code is Code.LATE


def test_closing_needs_no_timer_and_is_told_once():
    run = Run().go(601)
    assert run.state.status == "closed"
    told = [event for outcome in run.outcomes for event in outcome.events]
    assert [e for e in told if isinstance(e, Closed)] == [Closed(close_at=run.us(600))]


def test_strangers_and_excluded_bidders_are_not_admitted():
    run = Run().open()
    assert run.bid("nobody", "900.00").code is Code.NOT_ADMITTED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, Code.MALFORMED),
        ("", Code.MALFORMED),
        ("one", Code.MALFORMED),
        ("1e3", Code.MALFORMED),
        ("NaN", Code.MALFORMED),
        ("12,50", Code.MALFORMED),
        ("12.505", Code.MALFORMED),
        ("9" * 30, Code.MALFORMED),
        ("0", Code.OUT_OF_RANGE),
        ("0.00", Code.OUT_OF_RANGE),
        ("-5.00", Code.OUT_OF_RANGE),
        ("99999999999999999", Code.OUT_OF_RANGE),
        ("1000.01", Code.ABOVE_CEILING),
    ],
)
def test_what_is_no_possible_price_is_refused_with_its_code(text, code):
    outcome = Run().open().bid("a", text)
    assert (outcome.accepted, outcome.code) == (False, code)


def test_a_decimal_comma_is_named():
    assert "decimal point" in Run().open().bid("a", "1.234,50").detail


def test_the_ceiling_itself_is_a_bid():
    run = Run().open()
    assert run.bid("a", "1000.01").limit == 100_000
    assert run.bid("a", "1000.00").accepted


def test_the_own_step_is_measured_from_the_own_bid_only():
    run = Run(step={"value": "10.20"}, ceiling=None).open().bids(("a", "100.10"), ("b", "50.00"))
    refused = run.bid("a", "89.91")
    assert (refused.code, refused.limit) == (Code.STEP_TOO_SMALL, 8_990)
    assert "89.90 EUR" in refused.detail
    assert run.bid("a", "89.90").accepted
    assert run.standing == [("b", "50.00"), ("a", "89.90")]


def test_a_percent_step_rounds_in_favour_of_the_rule():
    run = Run(step={"kind": "percent", "value": "0.5"}).open().bids(("a", "33.33"))
    assert run.max_price("a") == "33.16"  # 33.16335 less the fraction
    assert run.bid("a", "33.17").code is Code.STEP_TOO_SMALL
    assert run.bid("a", "33.16").accepted


def test_beating_the_lead_is_asked_of_everybody_and_told_before_the_first_bid():
    run = Run(step={"against": "lead", "value": "0.10"}).open()
    assert run.max_price("b") == "1000.00"
    run.bids(("a", "994.90"))
    assert run.max_price("b") == "994.80"
    assert run.bid("b", "994.81").code is Code.STEP_TOO_SMALL
    assert run.bid("b", "994.90").code is Code.NOT_BELOW_LEAD
    assert run.bid("a", "994.85").code is Code.STEP_TOO_SMALL
    assert run.bid("b", "994.80").accepted


def test_bands_take_the_step_of_the_price_that_is_improved():
    bands = [{"from": "0.00", "value": "1.00"}, {"from": "500.00", "value": "20.00"}]
    run = Run(step={"value": "5.00", "bands": bands}).open().bids(("a", "500.00"))
    assert run.max_price("a") == "480.00"
    run.bids(("a", "480.00"))
    assert run.max_price("a") == "479.00"


def test_below_the_first_band_the_plain_value_counts():
    step = {"value": "5.00", "bands": [{"from": "100.00", "value": "20.00"}]}
    run = Run(step=step).open().bids(("a", "99.99"))
    assert run.max_price("a") == "94.99"


def test_buffers_keep_the_surroundings_of_the_lead_free():
    step = {"value": "1.00", "front_buffer": "5.00", "back_buffer": "3.00"}
    run = Run(step=step).open().bids(("a", "500.00"))
    assert run.bid("b", "495.01").code is Code.STEP_TOO_SMALL
    assert run.bid("b", "500.00").code is Code.NOT_BELOW_LEAD
    assert run.bid("b", "502.99").code is Code.NOT_BELOW_LEAD
    assert run.hint("b", 1) is None
    run.bids(("b", "503.00"))
    assert run.hint("b", 1) == "495.00"
    assert run.max_price("b") == "495.00"
    assert run.bid("a", "499.00").accepted, "the leader is not kept from improving"


def test_without_a_front_buffer_the_back_buffer_still_lets_you_take_the_lead():
    run = Run(step={"value": "1.00", "back_buffer": "3.00"}).open()
    run.bids(("a", "500.00"), ("b", "503.50"))
    assert run.max_price("b") == "499.99"
    assert run.bid("b", "500.00").code is Code.NOT_BELOW_LEAD
    assert run.bid("b", "499.99").accepted


def test_when_nothing_is_left_below_the_own_bid_no_price_is_named():
    run = Run(step={"value": "10.00"}).open().bids(("a", "10.00"))
    assert run.max_price("a") is None
    refused = run.bid("a", "9.00")
    assert (refused.code, refused.limit) == (Code.STEP_TOO_SMALL, None)
    assert "no lower price is left" in refused.detail


def test_equal_price_keeps_the_earlier_bidder_first():
    run = Run().open().bids(("b", "900.00"), ("a", "900.00"))
    assert run.standing == [("b", "900.00"), ("a", "900.00")]


@pytest.mark.parametrize(
    ("tie_rank", "ranks"), [("order", [1, 2]), ("best", [1, 1]), ("worst", [2, 2])]
)
def test_equal_leaders_read_as_the_buyer_chose(tie_rank, ranks):
    run = Run(tie_rank=tie_rank).open().bids(("a", "900.00"))
    assert run.bid("b", "900.00").rank == ranks[1]
    assert run.bid("c", "950.00").rank == 3


def test_forbidden_ties_name_the_next_free_price():
    run = Run(ties="forbid_all").open().bids(("a", "900.00"), ("b", "901.00"), ("c", "902.00"))
    refused = run.bid("c", "901.00")
    assert refused.code is Code.TIE_FORBIDDEN
    assert refused.limit == 90_099
    assert run.max_price("c") == "900.99"
    assert run.bid("c", "900.00").code is Code.TIE_FORBIDDEN


def test_only_the_lead_may_be_forbidden_to_tie():
    run = Run(ties="forbid_lead").open().bids(("a", "900.00"), ("b", "905.00"), ("c", "905.00"))
    assert run.bid("c", "900.00").code is Code.TIE_FORBIDDEN
    assert run.bid("a", "899.00").accepted


OVERTIME = {"window_s": 120, "extend_s": 60}


def test_a_late_bid_extends_from_the_close():
    run = Run(overtime=OVERTIME).go(480)
    outcome = run.bid("a", "900.00")
    assert outcome.events[-1] == Extended(close_at=run.us(660), number=1)
    assert run.close_s == 660


def test_a_bid_before_the_window_does_not_extend():
    run = Run(overtime=OVERTIME).go(479)
    run.bids(("a", "900.00"))
    assert run.close_s == 600


def test_counted_from_the_bid_only_what_is_missing_is_added():
    run = Run(overtime=OVERTIME | {"from": "bid"}).go(500)
    run.bids(("a", "900.00"))
    assert run.close_s == 600, "a minute from now is not later than the close"
    run.go(590).bids(("a", "800.00"))
    assert run.close_s == pytest.approx(650, abs=0.001)


def test_only_a_changed_rank_up_to_the_trigger_extends():
    run = Run(overtime=OVERTIME | {"trigger_rank": 1}).open()
    run.bids(("a", "900.00"), ("b", "950.00")).go(550)
    assert "extended" not in kinds(run.bid("b", "940.00"))
    assert "extended" not in kinds(run.bid("a", "890.00")), "the leader stays the leader"
    assert "extended" in kinds(run.bid("b", "880.00"))


def test_a_first_bid_that_lands_below_the_trigger_does_not_extend():
    run = Run(overtime=OVERTIME | {"trigger_rank": 2}).open()
    run.bids(("a", "900.00"), ("b", "910.00")).go(550)
    assert "extended" not in kinds(run.bid("c", "920.00"))
    assert "extended" in kinds(run.bid("c", "905.00"))


def test_extensions_end_at_their_maximum():
    run = Run(overtime=OVERTIME | {"max": 1}).go(590)
    run.bids(("a", "900.00")).go(655).bids(("a", "890.00"))
    assert run.close_s == 660
    assert run.go(660).state.status == "closed"


def test_the_typo_guard_asks_once_and_the_token_fits_another_cid():
    run = Run(typo_guard_percent="30").open().bids(("a", "900.00"))
    asked = run.bid("a", "90.00", cid="1")
    assert asked.code is Code.CONFIRM_REQUIRED
    assert "decimal point slipped by 1" in asked.detail
    assert run.bid("a", "90.00", cid="1", confirm=asked.token).code is Code.CID_REUSED
    assert run.bid("a", "90.01", cid="2", confirm=asked.token).code is Code.CONFIRM_REQUIRED
    assert run.bid("a", "90.00", cid="3", confirm=asked.token).accepted


def test_exactly_the_guarded_percent_passes():
    run = Run(typo_guard_percent="30").open()
    assert run.bid("a", "699.99").code is Code.CONFIRM_REQUIRED
    assert run.bid("a", "700.00").accepted


def test_the_guard_looks_at_the_lead_only_where_it_is_shown():
    for visibility, code in [("rank", None), ("rank_and_lead", None), ("all", None)]:
        run = Run(typo_guard_percent="30", visibility=visibility).open()
        run.bids(("a", "900.00"), ("b", "720.00"), ("b", "600.00"))
        assert run.bid("a", "640.00").code is code
    run = Run(typo_guard_percent="30", visibility="rank").open()
    run.bids(("a", "900.00"), ("b", "700.00"), ("b", "500.00"))
    assert run.bid("a", "600.00").code is Code.CONFIRM_REQUIRED


def test_without_a_ceiling_the_first_bid_is_not_doubted():
    run = Run(ceiling=None, typo_guard_percent="30").open()
    assert run.max_price("a") == "90071992547409.91"
    assert run.bid("a", "0.01").accepted


def test_the_price_of_one_unit_is_named():
    lines = [{"id": "pump", "quantity": "400"}]
    run = Run(ceiling="40000.00", typo_guard_percent="30", lines=lines).open()
    assert "400" in run.bid("a", "99.50", lines={"pump": "99.50"}).detail
    assert "slipped" not in run.bid("a", "9000.00", lines={"pump": "9000.00"}).detail


def test_lines_must_be_the_lots_lines_and_add_up():
    run = Run(lines=[{"id": "x"}, {"id": "y"}]).open()
    good = {"x": "600.00", "y": "300.00"}
    assert run.bid("a", "900.00", lines={"x": "900.00"}).code is Code.MALFORMED
    assert run.bid("a", "900.00", lines=good | {"y": "?"}).code is Code.MALFORMED
    assert "899.99" in run.bid("a", "900.00", lines=good | {"y": "299.99"}).detail
    assert run.bid("a", "900.00", lines=good).accepted
    assert "no lines" in Run().open().bid("a", "900.00", lines=good).detail
