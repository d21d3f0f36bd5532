"""The running stage: entering the next one, moving its end, telling about it."""

from __future__ import annotations

from .outcomes import AnyEvent
from .outcomes import Stage as StageEvent
from .state import Stage, State


def enter(state: State, stage: Stage, events: list[AnyEvent]) -> None:
    """Begins a stage and tells so, unless the whole auction is that one stage."""
    state.stage = stage
    if state.format.has_stages or len(state.terms.phases) > 1:
        events.append(stage_event(state))


def shift(state: State, by_us: int) -> None:
    """Moves the end of the running stage, and with it everything after it."""
    state.stage.ends_at += by_us
    state.close_at += by_us


def tell_moved(state: State, events: list[AnyEvent]) -> None:
    """After a shift: the new end of a stage that people follow."""
    if state.format.has_stages:
        events.append(stage_event(state))


def stage_event(state: State) -> StageEvent:
    """The running stage as an event."""
    stage = state.stage
    return StageEvent(
        name=stage.name,
        ends_at=stage.ends_at,
        phase=state.phase,
        round=stage.round,
        turn=stage.turn,
        step=stage.step,
        price=stage.price,
        bidder=stage.bidder,
    )
