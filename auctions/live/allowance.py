"""How fast one bidder may send: a bucket on this node, settled with all nodes in blocks.

The first stage decides at once and alone. Only who sends many in short time has them counted in
Redis, one call for BLOCK of them, so the bid path never waits for it; the price is that a bidder
who spreads over n nodes gets at most n blocks more. Who is slow here, by a share that NODES such
nodes could not add up to the rate, is not counted: else two hundred bidders that keep pace with
each other would all be counted in the same moment.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from redis.exceptions import RedisError

from marketplace.kernel import throttle
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.throttle import Rate

BLOCK, NODES = 25, 8
BIDDERS_MAX = 20_000


class Bucket(msgspec.Struct):
    """`tokens` were left at `at` (monotonic seconds)."""

    tokens: float
    at: float

    def take(self, rate: Rate, now: float) -> float | None:
        """None when a token was taken, else the seconds until there is one."""
        self.tokens = min(rate.burst, self.tokens + (now - self.at) * rate.per_s)
        self.at = now
        if self.tokens < 1:
            return (1 - self.tokens) / rate.per_s
        self.tokens -= 1
        return None


class Spent(msgspec.Struct):
    bucket: Bucket
    since: float
    unsettled: int = 0
    blocked_until: float = 0.0


class Allowances:
    """One per node. Keys are whatever is limited, such as `auction:alias`."""

    def __init__(self, redis: AnyRedis, rate: Rate, monotonic: Callable[[], float]) -> None:
        self._redis, self._rate, self._monotonic = redis, rate, monotonic
        self._spent: OrderedDict[str, Spent] = OrderedDict()
        self._settling: set[asyncio.Task[None]] = set()

    def take(self, key: str) -> float | None:
        """None when one more may go, else after how many seconds to try again."""
        now = self._monotonic()
        spent = self._of(key, now)
        if spent.blocked_until > now:
            return spent.blocked_until - now
        wait_s = spent.bucket.take(self._rate, now)
        if wait_s is not None:
            return wait_s
        spent.unsettled += 1
        if spent.unsettled >= BLOCK:
            took_s = now - spent.since
            spent.unsettled, spent.since = 0, now
            if took_s * self._rate.per_s < BLOCK * NODES:
                task = asyncio.create_task(self._settle(key, spent))
                self._settling.add(task)
                task.add_done_callback(self._settling.discard)
        return None

    async def settled(self) -> None:
        """Until Redis has counted what was taken so far."""
        while self._settling:
            await asyncio.wait(self._settling)

    def _of(self, key: str, now: float) -> Spent:
        spent = self._spent.get(key)
        if spent is None:
            spent = self._spent[key] = Spent(Bucket(self._rate.burst, now), now)
            if len(self._spent) > BIDDERS_MAX:
                self._spent.popitem(last=False)
        self._spent.move_to_end(key)
        return spent

    async def _settle(self, key: str, spent: Spent) -> None:
        rate = self._rate
        try:
            wait_s = await throttle.take(
                self._redis, f"bids:{key}", rate.per_s, max(rate.burst, BLOCK), BLOCK
            )
        except (RedisError, OSError):
            # Without Redis nothing is admitted anyway; the stage here goes on alone.
            return
        if wait_s is not None:
            spent.blocked_until = self._monotonic() + wait_s
