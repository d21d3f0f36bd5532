"""Short runs of the fault harness; `make faults` makes long ones."""

from __future__ import annotations

import pytest

from tests.faults.run import Run, run

pytestmark = pytest.mark.xdist_group("faults")


async def test_no_acknowledged_bid_is_lost_or_doubled_whatever_breaks() -> None:
    # How long it takes depends on the machine here.
    report = await run(Run(faults=6, per_second=100, seed=20_261_201, recovery_s=None))
    assert report.problems == []
    assert report.accepted > 100
    assert sum(report.faults.values()) >= 5


async def test_the_harness_notices_an_answer_before_the_commit() -> None:
    report = await run(
        Run(
            faults=3,
            per_second=100,
            seed=7,
            kinds=["cut the power of both servers"],
            mutant="early-publish",
            pause_s=(1.0, 2.0),
            patience_s=15.0,
            recovery_s=None,
        )
    )
    assert report.count("lost") > 0


async def test_a_visible_head_is_not_taken_for_durable() -> None:
    report = await run(_lose_the_standby(7, None))
    assert report.accepted > 10
    assert report.problems == []


async def test_the_harness_notices_a_visible_head_taken_for_durable() -> None:
    # The mutant lies only about bids whose commit was cut off just then: not every fault has one.
    for seed in range(7, 12):
        report = await run(_lose_the_standby(seed, "visible-head"))
        if report.count("lost") + report.count("contradicted"):
            return
    pytest.fail("five faults, and nothing was found to be lost or contradicted")


def _lose_the_standby(seed: int, mutant: str | None) -> Run:
    return Run(
        faults=1,
        per_second=50,
        seed=seed,
        topology="standby",
        kinds=["lose the standby, then the primary with Redis"],
        mutant=mutant,
        patience_s=30.0,
        recovery_s=None,
    )
