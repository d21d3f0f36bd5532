"""What the published cases of abnormally low bids leave open; they run in `tests/vectors`."""

from __future__ import annotations

from auctions.rules.core.abnormal import judge_list


def test_a_single_bid_is_not_asked_about():
    assert judge_list([100], [1], 0) == ()
