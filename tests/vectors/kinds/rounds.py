"""Who speaks when in rounds, and the clock."""

from __future__ import annotations

from typing import Any

from auctions.rules.core.outcomes import Closed, Stage
from auctions.rules.formats import rounds
from tests.auctions.rules.driver import Run, terms_of
from tests.vectors.cases import Case

SECOND_US = 1_000_000
TURN_BEGINS_S = 301
"""The first pause of a round takes 300 s."""


def check(case: Case) -> None:
    checks = {
        "turn_order": _check_turn_order,
        "timeline": _check_timeline,
        "stage_count": _check_stage_count,
        "stage_to_round": _check_stage_to_round,
    }
    checks[case.whole["kind"]](case.whole)


def _check_turn_order(whole: dict[str, Any]) -> None:
    aliases = [row["bidder"] for row in whole["standing"]]
    run = Run(format="rounds", ceiling=None, bidders=aliases).go(1)
    for row in sorted(whole["standing"], key=lambda row: row["at"]):
        assert run.bid(row["bidder"], row["price"]).accepted, row
    run.go(TURN_BEGINS_S)
    turns = rounds.turn_order(run.state)
    assert turns == run.state.turns == whole["expected_turns"], turns
    assert run.standing[0][0] == whole["expected_leader"], run.standing


def _check_timeline(whole: dict[str, Any]) -> None:
    """Planned before it happens, and as it happens."""
    phase = terms_of(format="rounds", **whole["rules"]).phases[0]
    planned = [
        stage.offset_us // SECOND_US
        for stage in rounds.plan(phase, whole["bidders"])
        if stage.name != "before_announcement"
    ]
    assert planned == [row["offset_s"] for row in whole["expected_stages"]], planned
    total = rounds.ROUNDS.planned_us(phase, whole["bidders"])
    assert total == whole["total_s"] * SECOND_US, total
    bidders = [f"bidder_{number}" for number in range(whole["bidders"])]
    run = Run(format="rounds", bidders=bidders, **whole["rules"]).go(whole["total_s"])
    assert stages_of(run) == whole["expected_stages"], stages_of(run)


def stages_of(run: Run) -> list[dict[str, Any]]:
    """The stages that an auction went through, as rows of a case."""
    phase = run.terms.phases[0]
    rows: list[dict[str, Any]] = []
    for event in (event for outcome in run.outcomes for event in outcome.events):
        if isinstance(event, Closed):
            offset_s = (event.close_at - run.us(0)) // SECOND_US
            rows.append({"offset_s": offset_s, "stage": "closed"})
        elif isinstance(event, Stage) and event.name != "before_announcement":
            length = {"turn": phase.turn_us, "pause": phase.pause_us}[event.name]
            if event.name == "pause" and event.round == 1:
                length = phase.first_pause_us
            offset_s = (event.ends_at - length - run.us(0)) // SECOND_US
            row = {"offset_s": offset_s, "stage": event.name}
            numbers = {"round": event.round, "turn": event.turn}
            rows.append(row | (numbers if event.turn else {"before_round": event.round}))
    return rows


def _check_stage_count(whole: dict[str, Any]) -> None:
    planned = rounds.plan(terms_of(format="rounds").phases[0], whole["bidders"])
    assert len(planned) == whole["expected_stages"], len(planned)
    names = [stage.name for stage in planned]
    assert names == whole["expected_kinds"], names


def _check_stage_to_round(whole: dict[str, Any]) -> None:
    planned = rounds.plan(terms_of(format="rounds").phases[0], whole["bidders"])
    pauses = [number for number, stage in enumerate(planned) if stage.name == "pause"]
    assert pauses == whole["pause_stages"], pauses
    for row in whole["expect"]:
        # A round has begun when its pause is over; stage 6 is still the pause before round 3.
        begun = sum(pause < row["stage"] for pause in pauses)
        assert begun == row["rounds_begun"], (row, begun)
