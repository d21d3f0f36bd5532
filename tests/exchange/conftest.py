"""A clock that is moved forward by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.kernel.clock import Clock, Micros


class Ahead(Clock):
    """The wall clock, moved forward by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now_us(self) -> Micros:
        return Micros(super().now_us() + self.ahead // timedelta(microseconds=1))


@pytest.fixture
def clock() -> Ahead:
    return Ahead()
