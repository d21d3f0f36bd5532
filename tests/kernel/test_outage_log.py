"""However many calls fail, an outage is one line when it begins and one when it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from marketplace.kernel import outage_log
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.outage_log import OutageLog
from marketplace.kernel.outages import reason_of


async def ended(log: OutageLog) -> None:
    assert log._watching is not None
    async with asyncio.timeout(10):
        await log._watching


async def test_a_real_outage_is_two_lines_with_a_count() -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1)
    log, finished = OutageLog(quiet_s=0.001), asyncio.Event()

    async def check() -> bool:
        return finished.is_set()

    log.check = check
    with capture_logs() as lines:
        for _ in range(100):
            with pytest.raises(ConnectionRefusedError) as refused:
                async with away.reading(SYSTEM):
                    pass
            log.failed(refused.value, where="a test")
        finished.set()
        await ended(log)
    await away.close()
    assert [line["event"] for line in lines] == ["outage_began", "outage_ended"]
    assert lines[0]["reason"] == "it cannot be reached"
    assert lines[1]["failures"] == 100
    assert lines[1]["reasons"] == {"it cannot be reached": 100}


async def test_it_is_over_only_when_a_try_says_so() -> None:
    """A process that asks for nothing sees no failures either."""
    answers = [False, False, True]
    log = OutageLog(quiet_s=0.001)

    async def check() -> bool:
        return answers.pop(0)

    log.check = check
    with capture_logs() as lines:
        log.failed(TimeoutError(), where="a test")
        await ended(log)
    assert answers == []
    assert [line["event"] for line in lines] == ["outage_began", "outage_ended"]


async def test_the_next_outage_begins_anew() -> None:
    log = OutageLog(quiet_s=0.001)
    with capture_logs() as lines:
        for _ in range(2):
            log.failed(TimeoutError(), where="a test")
            await ended(log)
    assert [line["event"] for line in lines] == ["outage_began", "outage_ended"] * 2
    assert [line.get("failures") for line in lines] == [None, 1, None, 1]


async def test_reasons_are_counted_up_to_a_limit() -> None:
    log = OutageLog(quiet_s=0.001)
    with capture_logs() as lines:
        for number in range(100):
            log.failed_because(f"reason {number}", where="a test")
        await ended(log)
    counted: dict[str, Any] = lines[1]["reasons"]
    assert len(counted) == outage_log.REASONS_MAX + 1
    assert sum(counted.values()) == 100


def test_a_reason_names_no_address() -> None:
    error = ConnectionRefusedError(111, "Connect call failed ('10.1.2.3', 5432)")
    assert "10.1.2.3" not in reason_of(error)
