"""The token bucket, in real Redis."""

from __future__ import annotations

import asyncio

import pytest

from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.throttle import Rate, give_back, refill, take
from tests.people import unique


async def test_a_burst_passes_and_then_the_rate_holds(redis: AnyRedis) -> None:
    key = unique("bucket")
    assert [await take(redis, key, 0.1, 3) for _ in range(3)] == [None] * 3
    wait_s = await take(redis, key, 0.1, 3)
    assert wait_s is not None
    assert 9 < wait_s <= 10


async def test_a_hundred_at_once_never_get_more_than_the_burst(redis: AnyRedis) -> None:
    key = unique("bucket")
    taken = await asyncio.gather(*(take(redis, key, 0.001, 7) for _ in range(100)))
    assert taken.count(None) == 7


async def test_tokens_come_back_with_time(redis: AnyRedis) -> None:
    key = unique("bucket")
    assert await take(redis, key, 1_000, 1) is None
    async with asyncio.timeout(5):
        while await take(redis, key, 1_000, 1) is not None:
            pass


async def test_a_refilled_bucket_is_full(redis: AnyRedis) -> None:
    key = unique("bucket")
    await take(redis, key, 0.1, 1)
    await refill(redis, key)
    assert await take(redis, key, 0.1, 1) is None


@pytest.mark.parametrize("cost", [1, 4])
async def test_a_costly_call_takes_more(redis: AnyRedis, cost: int) -> None:
    key = unique("bucket")
    passed = 0
    while await take(redis, key, 0.001, 8, cost) is None:
        passed += 1
    assert passed == 8 // cost


async def test_an_idle_bucket_is_forgotten(redis: AnyRedis) -> None:
    key = unique("bucket")
    await take(redis, key, 0.1, 3)
    assert 30_000 < await redis.pttl(key) <= 31_000


async def test_what_is_given_back_can_be_taken_again_but_never_more_than_the_burst(
    redis: AnyRedis,
) -> None:
    key, rate = unique("bucket"), Rate(per_s=0.001, burst=2)
    await give_back(redis, key, rate)
    assert [await take(redis, key, rate.per_s, rate.burst) for _ in range(2)] == [None] * 2
    assert await take(redis, key, rate.per_s, rate.burst) is not None
    await give_back(redis, key, rate)
    assert await take(redis, key, rate.per_s, rate.burst) is None
