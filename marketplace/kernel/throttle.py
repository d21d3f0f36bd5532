"""A token bucket in Redis: one count for all nodes, decided in one script."""

from __future__ import annotations

from pathlib import Path

import msgspec

from marketplace.kernel.redis import AnyRedis

_SCRIPT = Path(__file__).with_suffix(".lua").read_text()


class Rate(msgspec.Struct, frozen=True):
    """`burst` at once, then `per_s` a second."""

    per_s: float
    burst: int


async def take(
    redis: AnyRedis, key: str, rate_per_s: float, burst: int, cost: int = 1
) -> float | None:
    """None when `cost` tokens were taken from the bucket `key`, else after how many seconds to try
    again. Raises redis.RedisError.
    """
    # EVAL, not EVALSHA: a few calls a second, and a wiped or failed-over server needs no care.
    wait_ms = await redis.eval(_SCRIPT, 1, key, str(rate_per_s), str(burst), str(cost))
    return int(wait_ms) / 1000 or None


async def give_back(redis: AnyRedis, key: str, rate: Rate) -> None:
    """Put back one token; a bucket never holds more than its burst."""
    await take(redis, key, rate.per_s, rate.burst, cost=-1)


async def refill(redis: AnyRedis, key: str) -> None:
    """Forget the bucket: it is full again."""
    await redis.delete(key)
