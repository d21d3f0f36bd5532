"""A short run of the fault harness, and the proof that it would notice."""

from __future__ import annotations

import pytest

from tests.faults.run import BROKEN_NODE, run

pytestmark = pytest.mark.xdist_group("faults")


async def test_no_acknowledged_bid_is_lost_or_doubled_whatever_breaks() -> None:
    report = await run(faults=12, per_second=150, seed=20_261_201)
    assert report.problems == []
    assert report.accepted > 100
    assert sum(report.faults.values()) >= 10


async def test_the_harness_notices_an_answer_before_the_commit() -> None:
    report = await run(
        faults=8, per_second=300, seed=7, kinds=["kill PostgreSQL", "freeze PostgreSQL"],
        node_command=BROKEN_NODE, pause_s=(0.5, 1.0),
    )  # fmt: skip
    assert any(problem.startswith(("lost", "receipt", "changed")) for problem in report.problems)
