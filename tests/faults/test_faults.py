"""A short run of the fault harness."""

from __future__ import annotations

import pytest

from tests.faults.run import BROKEN_NODE, run

pytestmark = pytest.mark.xdist_group("faults")


async def test_no_acknowledged_bid_is_lost_or_doubled_whatever_breaks() -> None:
    report = await run(faults=6, per_second=100, seed=20_261_201)
    assert report.problems == []
    assert report.accepted > 100
    assert sum(report.faults.values()) >= 5


async def test_the_harness_notices_an_answer_before_the_commit() -> None:
    report = await run(
        faults=3,
        per_second=100,
        seed=7,
        kinds=["cut the power of both servers"],
        node_command=BROKEN_NODE,
        pause_s=(1.0, 2.0),
        patience_s=15.0,
    )
    assert any(problem.startswith("lost: ") for problem in report.problems)
