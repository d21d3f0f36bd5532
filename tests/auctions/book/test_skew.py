"""A node whose clock is not that of Redis: heartbeats follow the stamps of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from auctions.book.fold import Durable
from auctions.book.logtime import LogTimes
from auctions.rules.core.commands import Tick
from auctions.rules.core.outcomes import Closed
from marketplace.kernel.clock import Clock, Micros
from marketplace.kernel.embedded import Servers
from tests.auctions.book.nodes import Node

pytestmark = pytest.mark.xdist_group("book")

TICKS = 6
PATIENCE_S = 30


class Skewed(Clock):
    """A wall clock that is wrong by this many seconds."""

    def __init__(self, by_s: int) -> None:
        self._by_us = by_s * 1_000_000

    def now_us(self) -> Micros:
        return Micros(super().now_us() + self._by_us)


@pytest.mark.parametrize("by_s", [-5, 5])
async def test_heartbeats_keep_their_rhythm_on_a_node_with_a_wrong_clock(
    own_servers: Servers, by_s: int
) -> None:
    async with Node(own_servers, clock=Skewed(by_s)) as node:
        auction_id = await node.new_auction("a", duration_s=100)
        book = await node.books.open(auction_id)
        stamps: list[int] = []
        enough = asyncio.Event()

        def listen(durables: Sequence[Durable]) -> None:
            stamps.extend(one.ts for one in durables if isinstance(one.command.body, Tick))
            if len(stamps) >= TICKS:
                enough.set()

        book.listeners.append(listen)
        async with asyncio.timeout(PATIENCE_S):
            await enough.wait()
        assert (await node.bid(auction_id, "a", "c", 9_000)).outcome.accepted
        assert node.books.times.skew_us == pytest.approx(-by_s * 1_000_000, abs=900_000)
    # By the clock of the node the first came after five seconds, or ten of them in one.
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    assert max(gaps) < 5_000_000
    assert sorted(gaps)[len(gaps) // 2] >= 400_000


async def test_an_auction_closes_at_its_time_on_a_node_with_a_wrong_clock(
    own_servers: Servers,
) -> None:
    async with Node(own_servers, clock=Skewed(-60)) as node:
        auction_id = await node.new_auction("a", duration_s=4)
        book = await node.books.open(auction_id)
        closes: list[Closed] = []
        closed = asyncio.Event()

        def listen(durables: Sequence[Durable]) -> None:
            for durable in durables:
                closes.extend(e for e in durable.outcome.events if isinstance(e, Closed))
            if closes:
                closed.set()

        book.listeners.append(listen)
        async with book.settled() as fold:
            assert fold.state.status == "open"
            planned = fold.state.close_at
        async with asyncio.timeout(PATIENCE_S):
            await closed.wait()
    assert [event.close_at for event in closes] == [planned]


class ByHand(Clock):
    """Both clocks, moved by the test."""

    def __init__(self) -> None:
        self.wall_us = 1_700_000_000_000_000
        self.monotonic_s = 50.0

    def now_us(self) -> Micros:
        return Micros(self.wall_us)

    def monotonic(self) -> float:
        return self.monotonic_s

    def pass_by(self, seconds: int) -> None:
        self.wall_us += seconds * 1_000_000
        self.monotonic_s += seconds


def test_a_wrong_clock_is_one_line_in_the_log_and_one_when_it_is_right_again() -> None:
    clock = ByHand()
    times = LogTimes(clock)
    log = times.of_a_log()
    with capture_logs() as logs:
        for ahead_us in (0, 5_000_000, 5_000_000, 900_000, 1_100_000, 0, 0):
            clock.pass_by(1)
            log.answered(clock.wall_us + ahead_us, times.monotonic_us())
            times.watch()
            assert times.skew_us == ahead_us
    assert [line["event"] for line in logs] == ["clock_skewed", "clock_right"]


def test_of_two_masters_the_one_with_the_wrong_clock_counts() -> None:
    clock = ByHand()
    times = LogTimes(clock)
    right, wrong = times.of_a_log(), times.of_a_log()
    wrong.answered(clock.wall_us - 5_000_000, times.monotonic_us())
    right.answered(clock.wall_us, times.monotonic_us())
    assert times.skew_us == -5_000_000
    clock.pass_by(11)
    right.answered(clock.wall_us, times.monotonic_us())
    assert times.skew_us == 0


def test_a_slow_answer_is_not_taken_for_a_wrong_clock() -> None:
    clock = ByHand()
    times = LogTimes(clock)
    log = times.of_a_log()
    asked_at_us, asked_us = times.monotonic_us(), clock.wall_us
    clock.pass_by(8)
    for stamp_us in (asked_us, asked_us + 4_000_000, clock.wall_us):
        log.answered(stamp_us, asked_at_us)
        assert times.skew_us == 0
        assert log.now_us(0) == clock.wall_us


def test_the_time_of_a_log_is_never_before_its_newest_stamp() -> None:
    clock = ByHand()
    times = LogTimes(clock)
    one, other = times.of_a_log(), times.of_a_log()
    newest_us = clock.wall_us + 5_000_000
    assert one.now_us(newest_us) == newest_us
    clock.pass_by(1)
    assert one.now_us(newest_us) == newest_us + 1_000_000
    assert other.now_us(0) == clock.wall_us


def test_a_clock_of_the_node_that_is_set_meanwhile_changes_no_time_of_a_log() -> None:
    clock = ByHand()
    times = LogTimes(clock)
    log = times.of_a_log()
    now_us = log.now_us(0)
    clock.wall_us += 3_600_000_000
    assert log.now_us(0) == now_us
