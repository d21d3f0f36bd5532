"""English auctions: repeated cids, snapshots, joining late, shared ranks."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auctions.rules.core.apply import BrokenLog, apply
from auctions.rules.core.commands import CID_CHARS_MAX, Admit, Bid, Command, Tick
from auctions.rules.core.guard import BadPrice, read_price
from auctions.rules.core.outcomes import Code
from auctions.rules.core.state import CID_WINDOW, HISTORY_MAX, dump
from auctions.rules.versions import initial, load
from marketplace.kernel.money import NotAnAmount, parse_minor
from tests.auctions.rules.driver import Run, kinds, terms_of


def test_the_same_cid_gets_the_same_decision_even_when_it_would_differ_now():
    run = Run()
    early = run.bid("a", "900.00", cid="x")
    again = run.open().bid("a", "900.00", cid="x")
    assert again.repeat_of == run.outcomes.index(early) + 1
    assert (again.code, again.detail) == (early.code, early.detail)
    assert run.bid("a", "900.00", cid="y").accepted


def test_a_repeat_brings_the_events_of_its_own_time_only():
    run = Run().open()
    run.bid("a", "900.00", cid="x")
    run.go(599).silence(600.5)
    again = run.bid("a", "900.00", cid="x")
    assert (again.accepted, again.rank, kinds(again)) == (True, 1, ["closed"])


def test_cids_belong_to_their_sender():
    run = Run().open()
    assert run.bid("a", "900.00", cid="x").accepted
    assert run.bid("b", "890.00", cid="x").accepted
    assert run.bid("a", "880.00", cid="x").code is Code.CID_REUSED
    assert run.bid("a", "880.00", cid="x", surrogate="by letter").accepted
    assert run.bid("a", "870.00", cid="y" * (CID_CHARS_MAX + 1)).code is Code.MALFORMED


def test_old_cids_are_forgotten_but_never_the_newest_window():
    run = Run(ceiling=None).open()
    run.bid("a", "90000.00", cid="first")
    run.bid("a", "80000.00", cid="second")
    for number in range(CID_WINDOW - 1):
        run.bid("a", "?", cid=str(number))
    assert run.bid("a", "80000.00", cid="second").repeat_of is not None
    for number in range(CID_WINDOW):
        run.bid("a", "?", cid=f"n{number}")
    assert run.bid("a", "80000.00", cid="second").repeat_of is None
    assert len(run.state.remembered) + len(run.state.remembered_before) <= 2 * CID_WINDOW


def test_bids_of_one_bidder_are_kept_up_to_the_limit():
    run = Run(ceiling=None).open()
    for number in range(HISTORY_MAX + 10):
        run.bid("a", str(10_000 - number))
    assert len(run.state.bidders["a"].bids) == HISTORY_MAX


def test_a_broken_log_is_refused_loudly():
    state = initial(terms_of())
    with pytest.raises(BrokenLog):
        apply(state, Command(2, 1, Tick()))
    state, _ = apply(state, Command(1, 5, Tick()))
    with pytest.raises(BrokenLog):
        apply(state, Command(2, 5, Tick()))


def test_rules_of_another_version_are_refused_loudly():
    with pytest.raises(BrokenLog, match="version 2"):
        initial(msgspec.structs.replace(terms_of(), rules_version=2))


def test_a_snapshot_goes_on_exactly_like_the_state_it_was_taken_from():
    run = Run().open().bids(("a", "900.00"), ("b", "890.00"), ("c", "890.00"))
    copy = load(dump(run.state))
    assert copy == run.state
    assert copy.rows == run.state.rows
    command = Command(
        len(run.commands) + 1, run.now_us + 1, Bid(bidder="a", price="880.00", cid="z")
    )
    assert apply(copy, command) == apply(run.state, command)


def test_a_newcomer_may_join_while_the_auction_runs():
    run = Run().open().bids(("a", "900.00"))
    assert run.send(Admit(bidder="late")).accepted
    assert run.bid("late", "850.00").rank == 1


def test_at_the_close_no_price_is_named_any_more():
    run = Run().go(599).bids(("a", "900.00"))
    run.now_us = run.us(600)
    assert run.max_price("a") is None
    assert run.hint("a", 1) is None
    run.now_us -= 1
    assert run.max_price("a") == "899.00"


def test_a_rank_that_nobody_holds_is_reached_by_any_bid():
    run = Run().open().bids(("a", "900.00"), ("b", "890.00"))
    assert run.hint("b", 3) == "889.00"
    assert run.hint("b", 0) is None
    assert run.hint("a", 1) == "889.99"
    assert run.hint("a", 2) == "899.00"


@settings(deadline=None)
@given(
    text=st.one_of(
        st.text("0123456789.-+ e\u0663", max_size=20), st.from_regex(r"[0-9]{0,16}\.[0-9]{0,4}")
    ),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_a_price_is_read_as_money_is_read_everywhere(text, currency):
    terms = terms_of(currency=currency, ceiling=None, step={"value": "1"})
    try:
        minor = parse_minor(text, terms.exponent)
    except NotAnAmount:
        minor = 0
    try:
        assert read_price(terms, text) == minor
    except BadPrice:
        assert minor <= 0


def test_where_equals_share_the_best_rank_an_equal_price_reaches_it():
    run = Run(tie_rank="best").open().bids(("a", "900.00"), ("b", "950.00"))
    assert run.hint("b", 1) == "900.00"
    assert run.bid("b", "900.00").rank == 1


def test_where_every_lower_price_is_taken_too_there_is_none_left():
    run = Run(ties="forbid_all", step={"value": "0.01"}).open()
    run.bids(("a", "0.01"), ("b", "0.02"))
    assert run.max_price("b") is None
    assert run.bid("b", "0.01").code is Code.TIE_FORBIDDEN
