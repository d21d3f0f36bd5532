"""Faults that were published of similar products: the same inputs, the right answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from auctions.live.view import ServerClock
from auctions.rules.core.outcomes import Code, Extended
from tests.auctions.live.arena import Arena, peer
from tests.auctions.rules.driver import Run

NewArena = Callable[..., Awaitable[Arena]]


@pytest.mark.parametrize("wrong_by_s", [10.0, -3_600.0])
def test_a_bidder_whose_clock_is_wrong_counts_down_with_the_others(
    wrong_by_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """internetee/auction_center#1213: the countdown followed the bidder's own clock."""
    local, server_us = 100.0, 1_700_000_000_000_000
    monkeypatch.setattr(time, "time", lambda: server_us / 1e6 + wrong_by_s)
    monkeypatch.setattr(time, "monotonic", lambda: local)
    clock = ServerClock()
    clock.add(local - 0.02, local, server_us - 10_000)
    assert clock.now_us() == server_us


async def test_a_wrong_position_brings_a_fresh_snapshot(arena: NewArena) -> None:
    """centrifugal/centrifuge-go#160: a new epoch was paired with an old offset."""
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        first = await one.type("snapshot")
    seq, epoch = first["seq"], first["epoch"]
    hellos: list[dict[str, Any]] = [
        {"last_seq": seq + 1_000, "epoch": epoch},
        {"last_seq": seq, "epoch": 999_999},
        {"last_seq": seq},
        {"epoch": epoch},
    ]
    for hello in hellos:
        async with peer(place.live_url, place.keys[0], hello=hello) as back:
            shown = await back.type("snapshot")
            assert (shown["epoch"], shown["seq"] >= seq) == (epoch, True)
            assert back.frames[0]["type"] in {"snapshot", "state"}


def test_an_automatic_answer_extends_and_bids_count_after_the_planned_close() -> None:
    """internetee/auction_center#1132, PlebeianApp/market#857: automatic bids did not extend, and
    tools went on with the first close.
    """
    overtime = {"window_s": 5, "extend_s": 6}
    run = Run(step={"value": "10.00", "against": "lead"}, duration_s=20, overtime=overtime)
    run.open().auto("a", "700.00")
    outcome = run.go(17).bid("b", "900.00")
    assert [event for event in outcome.events if isinstance(event, Extended)]
    assert run.standing[0] == ("a", "890.00")
    run.go(21)
    assert run.close_s == 26
    assert run.hint("b", 1) == "880.00"
    assert run.bid("b", "880.00").accepted
    assert run.standing[0] == ("a", "870.00")
    assert run.go(40).bid("b", "860.00").code is Code.LATE


async def test_two_equal_leaders_and_the_price_for_each_rank(arena: NewArena) -> None:
    """OffchainLabs/nitro#4742: a bid equal to the first was lost as the second."""
    place = await arena(3, visibility="all", typo_guard_percent=None)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.open()
    prices = ["900.00", "900.00", "950.00"]
    for number, price in enumerate(prices):
        body = {"cid": f"c{number}", "price": price}
        sent = await place.suppliers[number].client.post(f"{place.path}/bids", json=body)
        assert sent.status_code == 201, sent.text
    last = place.suppliers[2].client
    standing = (await last.get(place.path)).json()["standing"]
    assert [(row["rank"], row["price"], row["alias"]) for row in standing] == [
        (rank, price, place.aliases[rank - 1]) for rank, price in enumerate(prices, 1)
    ]
    hints = [(await last.get(f"{place.path}/hint?rank={rank}")).json() for rank in (1, 2, 3, 4)]
    # Equal to both leaders is rank 3: the earlier ones stay in front.
    assert [hint["price"] for hint in hints] == ["899.99", "899.99", "900.00", "900.00"]
    for rank in (0, -1):
        assert (await last.get(f"{place.path}/hint?rank={rank}")).status_code == 422
