"""What a client knows of an auction, folded from frames, and of the server's clock."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

CLOCK_SAMPLES = 8
_OF_EVENT = ("seq", "you", "next", "standing", "stage", "close_at")
_OF_STATE = ("state", "close_at", "reason")


def fold(view: dict[str, Any], frame: dict[str, Any]) -> dict[str, Any]:
    """The view after a `snapshot`, `event` or `state` frame. The rule is the same for all kinds of
    events, also those not invented yet: what one carries of these fields replaces them.
    """
    if frame["type"] == "snapshot":
        return {key: value for key, value in frame.items() if key != "type"}
    carried = _OF_STATE if frame["type"] == "state" else _OF_EVENT
    return view | {key: frame[key] for key in carried if key in frame}


def micros(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time in UTC."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


class ServerClock:
    """How far the server's clock is ahead of ours, from the quickest of the last round trips."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []

    def add(self, sent_s: float, heard_s: float, server_us: int) -> None:
        """Monotonic seconds of ours, microseconds since 1970 of theirs."""
        sample = (heard_s - sent_s, server_us / 1e6 - (sent_s + heard_s) / 2)
        self._samples = [*self._samples, sample][-CLOCK_SAMPLES:]

    @property
    def known(self) -> bool:
        return bool(self._samples)

    @property
    def uncertainty_s(self) -> float:
        """Half the best round trip: the true time is this near."""
        return min(self._samples)[0] / 2 if self._samples else float("inf")

    def now_us(self) -> int:
        """The server's time in microseconds since 1970."""
        offset = min(self._samples)[1] if self._samples else 0.0
        return int((time.monotonic() + offset) * 1e6)
