"""The only place that asks the world for the time; everything else is handed a Clock or a time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType

Micros = NewType("Micros", int)
"""Microseconds since 1970-01-01 UTC."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Wall clock in UTC and a monotonic one; tests pass a subclass that they move by hand."""

    def now_us(self) -> Micros:
        return Micros(time.time_ns() // 1_000)

    def now(self) -> datetime:
        return from_micros(self.now_us())

    def monotonic(self) -> float:
        return time.monotonic()


def from_micros(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def to_micros(when: datetime) -> Micros:
    """Exact, without a detour over float seconds. `when` must carry a time zone."""
    return Micros((when - _EPOCH) // timedelta(microseconds=1))


def rfc3339(us: int) -> str:
    """`2026-12-01T10:00:00.000000Z`, always with six digits, so texts sort as times."""
    second, fraction = divmod(us, 1_000_000)
    return f"{_second(second)}.{fraction:06}Z"


@lru_cache(maxsize=256)
def _second(second: int) -> str:
    # Every ack, event and pong says the time, and most of them the same second.
    return from_micros(second * 1_000_000).strftime("%Y-%m-%dT%H:%M:%S")
