"""Last word: the bidder who took the price of the Dutch clock may answer the bids of the others.

The answer may be changed or taken back until the end of the phase; then it stands.
"""

from __future__ import annotations

from .answers import no_accept, refused
from .commands import Bid, Command
from .entry import examine
from .outcomes import AnyEvent, Code, Outcome
from .parameters import Phase
from .placing import new_bid, stand_pending
from .scoring import evaluate
from .stages import enter
from .state import Stage, State

accept = no_accept


def planned_us(phase: Phase, bidders_count: int) -> int:
    return phase.duration_us


def begin(state: State, at: int, events: list[AnyEvent]) -> None:
    assert state.taken is not None, "the phase begins only where somebody has the last word"
    state.close_at = at + state.now.duration_us
    stage = Stage(name="last_word", ends_at=state.close_at, bidder=state.taken.bidder)
    enter(state, stage, events)


def stage_over(state: State, events: list[AnyEvent]) -> bool:
    stand_pending(state, events)
    return True


def after_outage(state: State, ts: int) -> None:
    """Nothing but the time was lost."""


def bid(state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
    """Replaces the answer; a null price takes it back. Nothing is told before the end."""
    alias = body.bidder
    if state.stage.bidder != alias:
        detail = "The last word belongs to the bidder who accepted the price of the clock."
        return refused(Code.NOT_YOUR_TURN, detail, events)
    if body.price is None:
        state.pending.pop(alias, None)
        return Outcome(accepted=True, events=events)
    ready = examine(state, body, events)
    if isinstance(ready, Outcome):
        return ready
    state.pending[alias] = new_bid(state, command.seq, alias, ready)
    evaluated = str(evaluate(ready.scale, ready.price))
    return Outcome(accepted=True, evaluated=evaluated, events=events)
