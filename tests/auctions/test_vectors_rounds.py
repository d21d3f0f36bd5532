"""Every published case of rounds: who speaks when, and the clock."""

from __future__ import annotations

import pytest

from auctions.rules import rounds
from auctions.rules.outcomes import Closed, Stage
from tests.auctions.rules.driver import Run, terms_of
from tests.auctions.vector_files import cases

CASES = cases("rounds")


@pytest.mark.parametrize(
    "case_id", ["turns_worst_first_then_later_first", "two_bidders_price_only"]
)
def test_turn_order(case_id):
    case = CASES[case_id]
    assert case["kind"] == "turn_order"
    aliases = [row["bidder"] for row in case["standing"]]
    run = Run(format="rounds", ceiling=None, bidders=aliases).go(1)
    for row in sorted(case["standing"], key=lambda row: row["at"]):
        assert run.bid(row["bidder"], row["price"]).accepted
    run.go(301)
    assert rounds.turn_order(run.state) == case["expected_turns"]
    assert run.state.turns == case["expected_turns"]
    assert run.standing[0][0] == case["expected_leader"]


def test_timeline_two_bidders():
    case = CASES["timeline_two_bidders"]
    run = Run(format="rounds", bidders="ab", **case["rules"]).go(case["total_s"])
    told = []
    for event in (event for outcome in run.outcomes for event in outcome.events):
        if isinstance(event, Closed):
            told.append({"offset_s": (event.close_at - run.us(0)) // 10**6, "stage": "closed"})
        elif isinstance(event, Stage) and event.name != "before_announcement":
            length_us = {"turn": run.terms.phases[0].turn_us, "pause": run.terms.phases[0].pause_us}
            length = length_us[event.name]
            if event.name == "pause" and event.round == 1:
                length = run.terms.phases[0].first_pause_us
            row = {"offset_s": (event.ends_at - length - run.us(0)) // 10**6, "stage": event.name}
            numbers = {"round": event.round, "turn": event.turn}
            told.append(row | (numbers if event.turn else {"before_round": event.round}))
    assert told == case["expected_stages"]


def test_timeline_is_planned_before_it_happens():
    case = CASES["timeline_two_bidders"]
    phase = terms_of(format="rounds", **case["rules"]).phases[0]
    planned = rounds.plan(phase, case["bidders"])
    offsets = [stage.offset_us // 10**6 for stage in planned if stage.name != "before_announcement"]
    assert offsets == [row["offset_s"] for row in case["expected_stages"]]
    assert rounds.planned_us(phase, case["bidders"]) == case["total_s"] * 10**6


def test_stage_count_two_bidders():
    case = CASES["stage_count_two_bidders"]
    planned = rounds.plan(terms_of(format="rounds").phases[0], case["bidders"])
    assert len(planned) == case["expected_stages"]
    assert [stage.name for stage in planned] == case["expected_kinds"]


def test_stage_to_round_two_bidders():
    case = CASES["stage_to_round_two_bidders"]
    planned = rounds.plan(terms_of(format="rounds").phases[0], case["bidders"])
    pauses = [number for number, stage in enumerate(planned) if stage.name == "pause"]
    assert pauses == case["pause_stages"]
    for row in case["expect"]:
        # A round has begun when its pause is over; stage 6 is still the pause before round 3.
        begun = sum(pause < row["stage"] for pause in pauses)
        assert begun == row["rounds_begun"]
