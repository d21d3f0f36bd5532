"""When to try again, when to give up; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

ATTEMPTS_MAX = 10
JITTER = 0.2
LONG_FAILURE = timedelta(days=5)
SECRET_OVERLAP = timedelta(hours=24)
ENDPOINTS_MAX = 20
BODY_BYTES_MAX = 65_536

# The schedule the Standard Webhooks specification recommends.
_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def next_attempt(
    attempts: int, now: datetime, chance: float, retry_after_s: int | None = None
) -> datetime | None:
    """After so many failed attempts; None: give up. `chance` in [0, 1) spreads receivers that
    failed together, by JITTER either way. The receiver may ask for more patience.
    """
    if attempts >= ATTEMPTS_MAX:
        return None
    wait = _WAITS[min(attempts, len(_WAITS)) - 1] * (1 + JITTER * (2 * chance - 1))
    if retry_after_s is not None:
        wait = max(wait, timedelta(seconds=retry_after_s))
    return now + wait


def fails_too_long(failing_since: datetime | None, now: datetime) -> bool:
    return failing_since is not None and now - failing_since >= LONG_FAILURE
