"""Sealed: one bid each, replaced as often as one likes until the close, shown to nobody before."""

from __future__ import annotations

from .answers import no_accept
from .commands import Bid, Command
from .entry import examine
from .outcomes import AnyEvent, Outcome
from .parameters import Phase
from .placing import new_bid, stand_pending
from .scoring import evaluate
from .stages import enter
from .state import Stage, State

accept = no_accept


def planned_us(phase: Phase, bidders_count: int) -> int:
    return phase.duration_us


def begin(state: State, at: int, events: list[AnyEvent]) -> None:
    state.close_at = at + state.now.duration_us
    enter(state, Stage(name="sealed", ends_at=state.close_at), events)


def stage_over(state: State, events: list[AnyEvent]) -> bool:
    """The bids are opened: they stand in the order in which they were sent."""
    stand_pending(state, events)
    return True


def after_outage(state: State, ts: int) -> None:
    """Nothing but the time was lost."""


def bid(state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
    """Replaces the own bid; a null price takes it back. Neither tells anybody anything."""
    alias = body.bidder
    if body.price is None:
        state.pending.pop(alias, None)
        return Outcome(accepted=True, events=events)
    ready = examine(state, body, events, free=True)
    if isinstance(ready, Outcome):
        return ready
    state.pending[alias] = new_bid(state, command.seq, alias, ready)
    evaluated = str(evaluate(ready.scale, ready.price))
    return Outcome(accepted=True, evaluated=evaluated, events=events)
