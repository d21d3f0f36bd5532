"""The time by the stamps of a log: the clock of Redis may differ from that of this node."""

from __future__ import annotations

from weakref import WeakSet

import structlog

from marketplace.kernel.clock import Clock

SKEW_US_MAX = 1_000_000
"""Seconds decide near a close, and NTP holds clocks within milliseconds: more is a fault."""

RIGHT_US_MAX = SKEW_US_MAX // 2
"""Below this it is mended; in between a clock that trembles at the limit would fill the log."""

RECENT_US = 10_000_000
"""Running auctions are stamped every two seconds; what is older may be of a clock since mended."""

_log = structlog.get_logger(__name__)


class LogTimes:
    """The times of all logs this process follows; on a cluster each master has its own clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logs: WeakSet[LogTime] = WeakSet()
        self._is_skewed = False
        self.ahead_us = self.wall_ahead_us()
        """Of the log that was stamped last; the wall clock before any was."""

    def of_a_log(self) -> LogTime:
        log = LogTime(self)
        self._logs.add(log)
        return log

    def now_us(self) -> int:
        """The time of the log that was stamped last."""
        return self.monotonic_us() + self.ahead_us

    def monotonic_us(self) -> int:
        return int(self._clock.monotonic() * 1_000_000)

    def wall_ahead_us(self) -> int:
        return self._clock.now_us() - self.monotonic_us()

    @property
    def skew_us(self) -> int:
        """How far the clock of Redis is ahead of this node's; the farthest away counts."""
        wall_us, since_us = self.wall_ahead_us(), self.monotonic_us() - RECENT_US
        skews = [log.ahead_us - wall_us for log in self._logs if log.stamped_at_us >= since_us]
        return max(skews, key=abs, default=0)

    def watch(self) -> None:
        """One line when the clocks begin to differ, one when they agree again."""
        skew_us = self.skew_us
        if not self._is_skewed and abs(skew_us) > SKEW_US_MAX:
            self._is_skewed = True
            _log.warning("clock_skewed", redis_ahead_s=skew_us / 1_000_000)
        elif self._is_skewed and abs(skew_us) < RIGHT_US_MAX:
            self._is_skewed = False
            _log.warning("clock_right", redis_ahead_s=skew_us / 1_000_000)


class LogTime:
    """The time of one log, as a distance to the monotonic clock of this process.

    Each stamp says something about that distance: one that came as an answer was made between
    question and answer, one that was read was made before. The distance moves only as far as that
    makes it, so a slow answer moves nothing.
    """

    def __init__(self, times: LogTimes) -> None:
        self._times = times
        self.ahead_us = times.ahead_us
        self.stamped_at_us = times.monotonic_us() - 2 * RECENT_US

    def now_us(self, newest_us: int) -> int:
        """The time of this log, which is not before its newest stamp."""
        now_us = self._times.monotonic_us() + self.ahead_us
        if newest_us > now_us:
            self.ahead_us += newest_us - now_us
            return newest_us
        return now_us

    def answered(self, stamp_us: int, asked_at_us: int) -> None:
        """A command that was sent at this time of the monotonic clock, and answered just now."""
        now_us = self._times.monotonic_us()
        self.ahead_us = min(max(self.ahead_us, stamp_us - now_us), stamp_us - asked_at_us)
        self._times.ahead_us, self.stamped_at_us = self.ahead_us, now_us
