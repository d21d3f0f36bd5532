"""The parts that need no server."""

from __future__ import annotations

import msgspec
import pytest

from auctions.live import messages
from auctions.live.allowance import BLOCK, NODES, Allowances
from auctions.live.conflate import conflated
from auctions.live.messages import FRAME_BYTES_MAX
from auctions.rules.core.commands import Command, Tick
from auctions.rules.core.outcomes import Announced, AutoSet, BidPlaced, Outcome
from auctions.rules.core.outcomes import Stage as StageBegins
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.throttle import Rate
from tests.people import unique


class Ticking:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Done:
    """As much of a durable command as conflation looks at."""

    def __init__(self, seq: int, *events: object) -> None:
        self.seq = seq
        self.command = Command(seq, seq, Tick())
        self.outcome = Outcome(accepted=True, events=list(events))


def placed(bidder: str, price: int) -> BidPlaced:
    return BidPlaced(bidder=bidder, price=price, evaluated=str(price), rank=1)


def test_of_a_bidders_bids_the_last_is_told_and_messages_always() -> None:
    told = conflated(
        [
            Done(1, placed("A", 10)),
            Done(2, Announced(text="one"), StageBegins(name="x", ends_at=None)),
            Done(3, placed("B", 9), AutoSet(bidder="B", limit=1)),
            Done(4, placed("A", 8), Announced(text="two"), StageBegins(name="y", ends_at=None)),
        ]
    )
    assert [(command.seq, event) for command, event in told] == [
        (2, Announced(text="one")),
        (3, placed("B", 9)),
        (4, placed("A", 8)),
        (4, Announced(text="two")),
        (4, StageBegins(name="y", ends_at=None)),
    ]


async def test_an_allowance_is_a_burst_and_a_rate(redis: AnyRedis) -> None:
    clock = Ticking()
    allowances = Allowances(redis, Rate(per_s=10, burst=5), clock)
    key = unique("bidder")
    assert [allowances.take(key) for _ in range(5)] == [None] * 5
    assert allowances.take(key) == pytest.approx(0.1)
    clock.now += 0.11
    assert allowances.take(key) is None
    assert allowances.take(unique("other")) is None


async def test_nodes_share_an_allowance_in_blocks(redis: AnyRedis) -> None:
    rate, clock, key = Rate(per_s=0.5, burst=BLOCK), Ticking(), unique("bidder")
    here, there = Allowances(redis, rate, clock), Allowances(redis, rate, clock)
    assert [here.take(key) for _ in range(BLOCK)] == [None] * BLOCK
    await here.settled()
    assert [there.take(key) for _ in range(BLOCK)] == [None] * BLOCK
    await there.settled()
    clock.now += 2.0
    assert there.take(key) is not None


async def test_only_who_bids_fast_is_counted_in_redis(redis: AnyRedis) -> None:
    rate, clock, key = Rate(per_s=0.5, burst=BLOCK), Ticking(), unique("bidder")
    allowances = Allowances(redis, rate, clock)
    for _ in range(2 * BLOCK):
        assert allowances.take(key) is None
        clock.now += 2 * NODES / rate.per_s
    await allowances.settled()
    assert not await redis.exists(f"bids:{key}")
    assert [allowances.take(key) for _ in range(BLOCK)] == [None] * BLOCK
    await allowances.settled()
    assert await redis.exists(f"bids:{key}")


def test_frames_of_clients_have_limits() -> None:
    long = messages.Bid(cid="x" * 64, price="1")
    assert messages.read(b'{"type":"bid","cid":"%b","price":"1"}' % (b"x" * 64)) == long
    assert messages.cid_in(b'{"cid":"c","price":1}') == "c"
    assert messages.cid_in(b'{"cid":7}') is None
    assert messages.cid_in(b"[") is None
    assert FRAME_BYTES_MAX == 4_096


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"bid","cid":"a","price":"1","price":"2"}',
        b'{"type":"bid","cid":"a","price":"1","\\u0070rice":"2"}',
        b'{"type":"bid","type":"bid","cid":"a:b","price":"1"}',
        b'{"type":"bid","cid":"a","price":"1","attributes":{"x":"1","x":"2"}}',
        b'{"type":"bid","cid":"a","cid":"b","price":"1","attributes":{"x":"1"},"lines":{"1":"2"}}',
        b'{"type":"ping","t":1,"t":2}',
        b'{"type":"hello","epoch":1,"epoch":2,"last_seq":1}',
        b'{"x":' + b"[" * 4_000 + b',"type":"ping","t":1}',
        b'{"x":' + b"[" * 2_000 + b"]" * 2_000 + b',"type":"ping","t":1}',
        b"[" * 4_096,
    ],
)
def test_a_frame_of_two_meanings_or_without_an_end_is_a_bad_frame(raw: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        messages.read(raw)
    messages.cid_in(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"bid","cid":"a:b","price":"1"}',
        b'{"type":"bid","cid":"a","price":null,"attributes":{"x":"1","y":"2"},"confirm":"1"}',
        b'{"type":"bid","cid":"a","price":"1","attributes":{},"lines":{},"confirm":null}',
        b'{"type":"hello","epoch":1,"last_seq":1}',
        b'{"type":"ping","t":1}',
    ],
)
def test_colons_alone_are_no_mistake(raw: bytes) -> None:
    messages.read(raw)
