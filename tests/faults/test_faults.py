"""A short run of the fault harness."""

from __future__ import annotations

import pytest

from tests.faults.run import run

pytestmark = pytest.mark.xdist_group("faults")


async def test_no_acknowledged_bid_is_lost_or_doubled_whatever_breaks() -> None:
    report = await run(faults=6, per_second=100, seed=20_261_201)
    assert report.problems == []
    assert report.accepted > 100
    assert sum(report.faults.values()) >= 5
