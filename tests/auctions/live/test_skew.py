"""A node whose clock is wrong shows its watchers the time by which the auction is decided."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from auctions.live.rest_client import RestClient
from marketplace.kernel.clock import Clock, Micros
from marketplace.kernel.settings import Settings
from tests.auctions.live.arena import PATIENCE_S, Arena, micros, peer
from tests.conftest import LIMITS, serve
from web.app import create_app

NewArena = Callable[..., Awaitable[Arena]]
WRONG_BY_US = 300_000_000


class Skewed(Clock):
    def __init__(self, by_us: int) -> None:
        self._by_us = by_us

    def now_us(self) -> Micros:
        return Micros(super().now_us() + self._by_us)


def is_now(text: str) -> bool:
    return abs(micros(text) - Clock().now_us()) < PATIENCE_S * 1_000_000


@pytest.mark.parametrize("by_us", [WRONG_BY_US, -WRONG_BY_US])
async def test_a_wrong_clock_of_the_node_is_not_seen(
    arena: NewArena, settings: Settings, by_us: int
) -> None:
    place = await arena(1, typo_guard_percent=None)
    wrong = create_app(settings, clock=Skewed(by_us), limits=LIMITS)
    async with serve(wrong) as url, peer(place.at(url), place.keys[0]) as one:
        await one.open()
        snapshot = next(frame for frame in one.frames if frame["type"] == "snapshot")
        assert is_now(snapshot["now"])
        await one.say("ping", t=1)
        assert is_now((await one.type("pong"))["now"])
        assert (await one.bid("first", "400000.00"))["outcome"] == "accepted"
        shown = await RestClient(url, place.keys[0]).get(place.path)
        assert shown["state"] == "open"
        assert is_now(shown["now"])
