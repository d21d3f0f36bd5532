"""What each recipient is shown, and that nothing hidden shines through."""

from __future__ import annotations

import pytest

from auctions.rules.core.commands import (
    Admit,
    Cancel,
    Exclude,
    Extend,
    Message,
    Pause,
    Resume,
    Withdraw,
)
from auctions.rules.views.visibility import (
    BUYER,
    OBSERVER,
    ack_view,
    audience,
    bidder,
    personal,
    result,
    standing_view,
    status,
)
from tests.auctions.rules.driver import Run
from tests.auctions.rules.recipients import KEYS, WARRANTY, frames, view


def test_a_snapshot_has_the_fields_of_the_contract():
    run = Run(visibility="rank_and_lead").open().bids(("a", "900.00"), ("b", "890.00"))
    shown = view(run, bidder("a"))
    assert set(shown) == {
        "terms", "state", "close_at", "stage", "standing", "you", "next",
    }  # fmt: skip
    assert shown["state"] == "open"
    assert shown["close_at"] == "2026-12-01T10:10:00.000000Z"
    assert shown["standing"] == [{"rank": 1, "price": "890.00", "evaluated": "890.00"}]
    assert shown["you"] == {
        "alias": "a",
        "admitted": True,
        "best": "900.00",
        "rank": 2,
        "coefficient": "1",
        "evaluated": "900.00",
    }
    assert shown["next"] == {"max_price": "899.00"}
    assert shown["terms"]["rules"]["visibility"] == "rank_and_lead"


@pytest.mark.parametrize(
    ("visibility", "before", "after"),
    [
        ("blind", "public", "public"),
        ("rank", "public", "public"),
        ("rank_and_lead", "public", "lead"),
        ("all", "public", "all"),
    ],
)
def test_others_are_shown_only_after_the_own_first_bid(visibility, before, after):
    run = Run(visibility=visibility).open().bids(("b", "890.00"))
    assert audience(run.state, bidder("a")) == before
    assert view(run, bidder("a"))["standing"] == []
    run.bids(("a", "900.00"))
    assert audience(run.state, bidder("a")) == after
    assert audience(run.state, BUYER) == "buyer"
    assert audience(run.state, bidder("stranger")) == "public"


def test_observers_see_bids_where_all_do_or_after_the_close():
    run = Run(visibility="all")
    assert audience(run.state, OBSERVER) == "public"
    assert audience(run.open().state, OBSERVER) == "all"
    run = Run(visibility="rank").open()
    assert audience(run.state, OBSERVER) == "public"
    assert view(run, OBSERVER)["you"] == {"alias": None, "admitted": False}
    assert audience(run.go(601).state, OBSERVER) == "all"


def test_the_excluded_see_what_the_public_sees():
    run = Run().open().bids(("a", "900.00"))
    run.send(Exclude(bidder="a", reason="x"))
    assert audience(run.state, bidder("a")) == "public"
    assert view(run, bidder("a"))["you"]["admitted"] is False
    assert personal(run.state, "stranger", run.now_us)["you"]["admitted"] is False


def test_blind_bidders_do_not_learn_their_rank_not_even_by_the_ack():
    run = Run(visibility="blind").open()
    outcome = run.bid("a", "900.00")
    assert outcome.rank == 1
    assert "rank" not in ack_view(run.state, "a", outcome, run.now_us)
    assert "rank" not in view(run, bidder("a"))["you"]


def test_an_ack_says_what_the_contract_says():
    run = Run(typo_guard_percent="30").open()
    accepted = ack_view(run.state, "a", run.bid("a", "900.00"), run.now_us)
    assert accepted == {
        "outcome": "accepted",
        "rank": 1,
        "evaluated": "900.00",
        "next": {"max_price": "899.00"},
    }
    outcome = run.bid("a", "90.00")
    refused = ack_view(run.state, "a", outcome, run.now_us)
    assert (refused["outcome"], refused["code"]) == ("refused", "confirm_required")
    assert refused["confirm"] == outcome.token
    assert refused["detail"] == outcome.detail


def test_where_nothing_limits_a_price_none_is_shown():
    run = Run(ceiling=None).open()
    assert view(run, bidder("a"))["next"] == {"max_price": None}


def test_the_personal_part_knows_limits_turns_and_drops():
    run = Run(step={"value": "1.00", "against": "lead"}).open()
    run.auto("a", "700.00")
    assert personal(run.state, "a", run.now_us)["you"]["auto"] == "700.00"
    run = Run(format="rounds").go(1)
    run.bid("a", "900.00")
    you = personal(run.state, "a", run.now_us)["you"]
    assert (you["best"], you["pending"]) == ("900.00", True)
    run.go(301)
    assert personal(run.state, run.state.stage.bidder, run.now_us)["you"]["turn"] is True
    run = Run(format="japanese", start="900.00", decrement="1.00", interval_s=10).go(11)
    assert personal(run.state, "a", run.now_us)["you"]["dropped_at"] == 0


def test_a_bid_is_shown_to_each_audience_as_it_may_see_it():
    run = Run().open().bids(("a", "900.00"), ("b", "890.00"))
    row = {"kind": "bid", "rank": 1, "alias": "b", "price": "890.00", "evaluated": "890.00"}
    assert frames(run, "all") == [row]
    buyer = frames(run, "buyer")[0]
    assert buyer.items() >= row.items()
    assert buyer["coefficient"] == "1"
    assert (buyer["auto"], buyer["surrogate"]) == (False, False)
    assert [line["abnormally_low"] for line in buyer["standing"]] == [[], []]
    lead = {"rank": 1, "price": "890.00", "evaluated": "890.00"}
    assert frames(run, "lead") == [{"kind": "bid", **lead, "standing": [lead]}]
    assert frames(run, "public") == []


def test_a_bid_that_does_not_lead_is_hidden_from_those_who_see_the_lead():
    run = Run().open().bids(("a", "900.00"), ("b", "950.00"))
    assert frames(run, "lead") == []


def test_rivals_never_see_coefficient_price_or_flags_where_more_than_price_counts():
    run = Run(scoring={"kind": "meat", "features": [WARRANTY]}).open()
    run.bid("a", "900.00", attributes={"warranty": "5y"})
    run.bid("b", "300.00", attributes={"warranty": "none"}, surrogate="letter of today")
    for key in ("all", "lead"):
        shown = frames(run, key)[0]
        assert shown["evaluated"] == "300.00"
        assert not {"price", "coefficient", "surrogate", "abnormally_low", "auto"} & set(shown)
    low, other = frames(run, "buyer")[0]["standing"]
    assert low["abnormally_low"] == ["below_mean_of_initial", "below_next_final"]
    assert other["abnormally_low"] == []
    assert frames(run, "buyer")[0]["surrogate"] is True
    assert standing_view(run.state, "all")[1] == {"rank": 2, "alias": "a", "evaluated": "765.00"}


def test_a_bonus_of_a_rival_is_inside_the_only_price_shown():
    run = Run()
    run.send(Admit(bidder="d", bonus_percent="10"))
    run.open().bids(("d", "900.00"))
    assert frames(run, "all")[0]["price"] == "810.00"
    assert frames(run, "buyer")[0]["price"] == "900.00"


def test_everybody_hears_of_a_withdrawal_but_not_whose():
    run = Run().open().bids(("a", "900.00"), ("a", "500.00"))
    run.send(Withdraw(bid_seq=run.state.seq, reason="a typo"))
    told = {"kind": "withdrawn", "reason": "a typo"}
    lead = {"rank": 1, "price": "900.00", "evaluated": "900.00"}
    assert frames(run, "public") == [told]
    assert frames(run, "lead") == [told | {"standing": [lead]}]
    everything = frames(run, "all")[0]
    assert (everything["alias"], everything["row"]) == ("a", lead | {"alias": "a"})
    number = run.state.bidders["a"].bids[-1].seq
    run.send(Withdraw(bid_seq=number, reason="a typo"))
    assert frames(run, "all")[0]["row"] is None
    assert frames(run, "lead") == [told | {"standing": []}]


def test_several_changes_at_once_bring_the_whole_standing():
    run = Run(step={"value": "10.00", "against": "lead"}).open()
    run.auto("b", "700.00")
    run.bids(("a", "900.00"))
    shown = frames(run, "all")
    assert [frame["kind"] for frame in shown] == ["bid", "bid"]
    assert "standing" not in shown[0]
    assert shown[1]["standing"] == standing_view(run.state, "all")


def test_shared_ranks_bring_the_whole_standing():
    run = Run(tie_rank="best").open().bids(("a", "900.00"), ("b", "900.00"))
    assert [row["rank"] for row in frames(run, "all")[0]["standing"]] == [1, 1]


def test_limits_are_shown_to_nobody():
    run = Run().open().bids(("a", "900.00"))
    run.auto("a", "500.00")
    assert all(frames(run, key) == [] for key in KEYS)


def test_offers_are_shown_to_the_buyer_and_to_others_from_the_opening():
    run = Run()
    run.send(Admit(bidder="d", offer="700.00"))
    assert [frame["kind"] for frame in frames(run, "buyer")] == ["admitted", "bid"]
    assert frames(run, "all") == []
    assert audience(run.state, bidder("d")) == "public"
    assert "rank" not in view(run, bidder("d"))["you"]
    run.open()
    assert frames(run, "all")[0]["standing"][0]["alias"] == "d"
    assert audience(run.state, bidder("d")) == "all"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (Pause(reason="x"), {"kind": "paused", "reason": "x", "outage": False}),
        (Cancel(reason="x"), {"kind": "cancelled", "reason": "x"}),
        (Message(text="hello"), {"kind": "message", "text": "hello"}),
        (
            Extend(seconds=5, reason="x"),
            {"kind": "extended", "close_at": "2026-12-01T10:10:05.000000Z", "reason": "x"},
        ),
    ],
)
def test_what_the_buyer_orders_is_told_to_all(body, expected):
    run = Run().open()
    run.send(body)
    assert all(frames(run, key) == [expected] for key in KEYS)


def test_overtime_counts_its_extensions_and_a_resume_names_the_close():
    run = Run(overtime={"window_s": 600, "extend_s": 60}).open()
    run.bids(("a", "900.00"))
    close_at = "2026-12-01T10:11:00.000000Z"
    assert frames(run, "public") == [{"kind": "extended", "close_at": close_at, "number": 1}]
    run.send(Pause(reason="x"))
    run.send(Resume(reason="y"))
    assert frames(run, "public")[0]["reason"] == "y"


def test_admissions_and_exclusions_are_the_buyers():
    run = Run()
    assert frames(run, "buyer") == [{"kind": "admitted", "alias": "c"}]
    assert frames(run, "all") == []
    run.send(Exclude(bidder="c", reason="x"))
    assert frames(run, "buyer") == [{"kind": "excluded", "alias": "c", "reason": "x"}]
    assert frames(run, "lead") == []


def test_turns_and_drops_name_aliases_only_where_aliases_are_shown():
    run = Run(format="rounds").go(1).bids(("a", "900.00")).go(300)
    stage = frames(run, "all")[-1]
    assert stage["kind"] == "stage"
    assert stage["alias"] == "c"
    assert "alias" not in frames(run, "lead")[-1]
    run = Run(format="japanese", start="900.00", decrement="1.00", interval_s=10).go(10)
    assert [frame["kind"] for frame in frames(run, "all")] == ["dropped"] * 3 + ["closed"]
    assert [frame["kind"] for frame in frames(run, "public")] == ["closed"]


def test_a_dutch_step_shows_its_price():
    run = Run(format="dutch", start="100.00", increment="5.00", interval_s=10).go(10)
    assert frames(run, "public")[0]["price"] == "105.00"
    assert view(run, OBSERVER)["stage"]["price"] == "105.00"


def test_the_winner_is_named_where_aliases_are_shown():
    run = Run().open().bids(("a", "900.00")).go(600)
    assert frames(run, "all")[0]["winner"] == "a"
    assert "winner" not in frames(run, "lead")[0]
    assert result(run.state) == [
        {
            "rank": 1,
            "alias": "a",
            "price": "900.00",
            "coefficient": "1",
            "evaluated": "900.00",
            "seq": run.state.bidders["a"].bids[0].seq,
            "abnormally_low": [],
        }
    ]


def test_a_silent_heart_shows_as_paused():
    run = Run().open()
    assert status(run.state, run.us(1)) == "open"
    assert status(run.state, run.us(7)) == "paused"


def test_sealed_bids_are_shown_to_nobody_before_the_close():
    run = Run(format="sealed", duration_s=60).open().bids(("a", "900.00"))
    assert all(frames(run, key) == [] for key in KEYS)
    assert view(run, BUYER)["standing"] == []
    assert view(run, bidder("a"))["you"]["best"] == "900.00"
    run.go(60)
    assert frames(run, "buyer")[0]["price"] == "900.00"
    assert [frame["kind"] for frame in frames(run, "public")] == ["closed"]


@pytest.mark.parametrize("visibility", ["rank", "rank_and_lead"])
def test_after_the_close_the_ranking_is_shown_where_names_are_and_prices_stay_hidden(visibility):
    run = Run(visibility=visibility, names_after_close=True).open()
    run.bids(("a", "900.00"), ("b", "800.00"))
    assert "b" not in str(view(run, bidder("a"))["standing"]), "nobody is named before"
    run.go(600)
    lead = {"price": "800.00", "evaluated": "800.00"} if visibility == "rank_and_lead" else {}
    ranking = [{"rank": 1, "alias": "b", **lead}, {"rank": 2, "alias": "a"}]
    for alias in "ab":
        assert audience(run.state, bidder(alias)) == "result"
        assert view(run, bidder(alias))["standing"] == ranking
    assert view(run, bidder("c"))["standing"] == [], "who has not bid learns nothing"
    assert frames(run, "result")[-1]["winner"] == "b"


def test_events_of_the_auction_tell_nothing_more_once_the_names_are_shown():
    """Who comes back after the close gets what it missed, as it was allowed to see it."""
    run = Run(visibility="rank", names_after_close=True, format="sealed", duration_s=60).open()
    run.bids(("a", "900.00"), ("b", "800.00")).go(60)
    assert [frame["kind"] for frame in frames(run, "result")] == ["closed"]
    run = Run(visibility="rank", names_after_close=True).open().bids(("a", "900.00"))
    assert frames(run, "result") == []
    run.send(Withdraw(bid_seq=run.state.seq, reason="x"))
    assert frames(run, "result") == [{"kind": "withdrawn", "reason": "x"}]


def test_without_the_buyers_word_nobody_is_named_after_the_close():
    run = Run(visibility="rank").open().bids(("a", "900.00"), ("b", "800.00")).go(600)
    assert view(run, bidder("a"))["standing"] == []
