"""Rounds: a pause, then turns from worst to best, so that the best speaks last; again and again.

In the own turn a bid may be changed freely, even taken back; what is there at its end is
published. During the first pause everybody may name an initial bid, published when it ends; who
brought an opened offer starts with that. Who has no bid yet speaks first, the later admitted before
the earlier. Each round orders anew.
"""

from __future__ import annotations

from typing import NamedTuple

from .answers import no_accept, refused
from .commands import Bid, Command
from .entry import examine
from .hybrid import waits
from .outcomes import AnyEvent, Code, Outcome
from .parameters import Phase
from .placing import new_bid, stand_pending
from .scoring import evaluate
from .stages import enter
from .state import Stage, State

accept = no_accept


class Planned(NamedTuple):
    """A stage of the plan, from the start of the phase; `length_us` may be 0."""

    offset_us: int
    name: str
    round: int | None
    turn: int | None
    length_us: int


def plan(phase: Phase, bidders_count: int) -> list[Planned]:
    """All stages of the phase if nothing moves: pauses, turns, the wait and the announcement."""
    stages: list[Planned] = []
    at = 0
    for number in range(1, phase.rounds + 1):
        pause_us = phase.first_pause_us if number == 1 else phase.pause_us
        stages.append(Planned(at, "pause", number, None, pause_us))
        at += pause_us
        for turn in range(1, bidders_count + 1):
            stages.append(Planned(at, "turn", number, turn, phase.turn_us))
            at += phase.turn_us
    stages.append(Planned(at, "before_announcement", None, None, phase.announce_us))
    stages.append(Planned(at + phase.announce_us, "announcement", None, None, 0))
    return stages


def planned_us(phase: Phase, bidders_count: int) -> int:
    return plan(phase, bidders_count)[-1].offset_us


def turn_order(state: State) -> list[str]:
    """Who speaks when: without a bid first, then from worst to best; the excluded are left out."""
    silent = sorted(
        (alias for alias, bidder in state.bidders.items() if bidder.admitted and not bidder.bids),
        key=lambda alias: -state.bidders[alias].number,
    )
    standing = [
        alias
        for _, _, alias in reversed(state.rows)
        if state.bidders[alias].admitted and not waits(state, alias)
    ]
    return silent + standing


def begin(state: State, at: int, events: list[AnyEvent]) -> None:
    state.turns = []
    state.close_at = at + planned_us(state.now, len(turn_order(state)))
    ends_at = at + state.now.first_pause_us
    enter(state, Stage(name="pause", ends_at=ends_at, round=1), events)


def stage_over(state: State, events: list[AnyEvent]) -> bool:
    stand_pending(state, events)
    stage = state.stage
    number = stage.round or 0
    if stage.name == "before_announcement":
        return True
    if stage.name == "pause":
        state.turns = turn_order(state)
        _replan(state, number)
        if state.turns:
            _enter_turn(state, number, 1, events)
            return False
    elif stage.turn is not None and stage.turn < len(state.turns):
        _enter_turn(state, number, stage.turn + 1, events)
        return False
    _enter_pause(state, number, events)
    return False


def _replan(state: State, number: int) -> None:
    """The close follows from how many take turns in this round; later phases move along."""
    phase = state.now
    left = phase.rounds - number
    turns_us = len(state.turns) * phase.turn_us * (left + 1)
    here_us = turns_us + left * phase.pause_us + phase.announce_us
    later_us = sum(
        planned_us(later, len(state.bidders)) if later.format == "rounds" else later.duration_us
        for later in state.terms.phases[state.phase + 1 :]
    )
    state.close_at = state.stage.ends_at + here_us + later_us


def _enter_turn(state: State, number: int, turn: int, events: list[AnyEvent]) -> None:
    ends_at = state.stage.ends_at + state.now.turn_us
    alias = state.turns[turn - 1]
    stage = Stage(name="turn", ends_at=ends_at, round=number, turn=turn, bidder=alias)
    enter(state, stage, events)


def _enter_pause(state: State, number: int, events: list[AnyEvent]) -> None:
    at = state.stage.ends_at
    if number < state.now.rounds:
        stage = Stage(name="pause", ends_at=at + state.now.pause_us, round=number + 1)
    else:
        stage = Stage(name="before_announcement", ends_at=at + state.now.announce_us)
    enter(state, stage, events)


def after_outage(state: State, ts: int) -> None:
    """Nothing but the time was lost: a bid named in the turn is still there."""


def is_free(state: State) -> bool:
    """During the first pause only the ceiling limits an initial bid."""
    return state.stage.name == "pause" and state.stage.round == 1


def may_bid(state: State, alias: str) -> bool:
    """In the own turn, or in the first pause without a bid that stands."""
    if is_free(state):
        return not state.bidders[alias].bids
    return state.stage.name == "turn" and state.stage.bidder == alias


def bid(state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
    alias = body.bidder
    if not may_bid(state, alias):
        return refused(Code.NOT_YOUR_TURN, _whose(state), events)
    if body.price is None:
        # Nothing was published, so nothing is told: no event.
        state.pending.pop(alias, None)
        return Outcome(accepted=True, events=events)
    ready = examine(state, body, events, free=is_free(state))
    if isinstance(ready, Outcome):
        return ready
    state.pending[alias] = new_bid(state, command.seq, alias, ready)
    evaluated = str(evaluate(ready.scale, ready.price))
    return Outcome(accepted=True, evaluated=evaluated, events=events)


def _whose(state: State) -> str:
    stage = state.stage
    if stage.name == "turn":
        return f"Round {stage.round}, turn {stage.turn} belongs to another bidder."
    if is_free(state):
        return "Your initial bid stands already; wait for your turn."
    return "Wait for your turn."
