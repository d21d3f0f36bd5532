"""Japanese: the price falls step by step; who does not confirm a step in its time drops out.

It ends when a step leaves one bidder or none, or after the last step above the floor. Everybody
stands at the price of the last step they confirmed; of equal ones the earlier ranks first.
"""

from __future__ import annotations

from .answers import no_bid, refused
from .commands import Accept, Command
from .dutch import stale_reason
from .entry import Ready
from .outcomes import AnyEvent, Code, DroppedOut, Outcome
from .parameters import Phase
from .placing import new_bid, stand
from .scoring import Scale, evaluate
from .stages import enter
from .state import Bidder, Stage, State

bid = no_bid


def steps_count(phase: Phase) -> int:
    """How many prices the clock can show, from the start down to the floor."""
    return (phase.start_minor - phase.floor_minor) // phase.decrement_minor + 1


def price_of(phase: Phase, step: int) -> int:
    """The price of a step, counted from 0, in minor units."""
    return phase.start_minor - step * phase.decrement_minor


def planned_us(phase: Phase, bidders_count: int) -> int:
    return steps_count(phase) * phase.interval_us


def begin(state: State, at: int, events: list[AnyEvent]) -> None:
    state.close_at = at + planned_us(state.now, len(state.bidders))
    _enter_step(state, at, 0, events)


def _enter_step(state: State, at: int, step: int, events: list[AnyEvent]) -> None:
    phase = state.now
    stage = Stage(
        name="step", ends_at=at + phase.interval_us, step=step, price=price_of(phase, step)
    )
    enter(state, stage, events)


def stage_over(state: State, events: list[AnyEvent]) -> bool:
    step = state.stage.step or 0
    remaining = _settle(state, step, events)
    if remaining <= 1 or step + 1 >= steps_count(state.now):
        return True
    _enter_step(state, state.stage.ends_at, step + 1, events)
    return False


def _settle(state: State, step: int, events: list[AnyEvent]) -> int:
    """Confirmed bids stand, all others drop out. Returns how many remain."""
    for alias, placed in sorted(state.pending.items(), key=lambda item: item[1].order):
        stand(state, alias, placed, events)
    for alias, bidder in state.bidders.items():
        if bidder.dropped_at is None and alias not in state.pending:
            bidder.dropped_at = step
            events.append(DroppedOut(bidder=alias, step=step))
    remaining = len(state.pending)
    state.pending = {}
    return remaining


def after_outage(state: State, ts: int) -> None:
    """The open step is void for all: it starts anew, with its whole time."""
    state.pending = {}
    missing_us = ts + state.now.interval_us - state.stage.ends_at
    if missing_us > 0:
        state.stage.ends_at += missing_us
        state.close_at += missing_us


def dropped_at(state: State, bidder: Bidder) -> int | None:
    """The step at which the bidder dropped out; who came after the first step was never in."""
    if bidder.dropped_at is None and (state.stage.step or 0) > 0 and not bidder.bids:
        return 0
    return bidder.dropped_at


def accept(state: State, command: Command, body: Accept, events: list[AnyEvent]) -> Outcome:
    """Stays in at the running step. Confirming twice changes nothing."""
    bidder = state.bidders[body.bidder]
    dropped = dropped_at(state, bidder)
    if dropped is not None:
        return refused(Code.STALE_STEP, f"You dropped out at step {dropped}.", events)
    stale = stale_reason(state, body)
    price = state.stage.price or 0
    if stale is not None:
        return refused(Code.STALE_STEP, stale, events, limit=price)
    scale = bidder.scale or Scale()
    if body.bidder not in state.pending:
        state.pending[body.bidder] = new_bid(state, command.seq, body.bidder, Ready(price, scale))
    return Outcome(accepted=True, evaluated=str(evaluate(scale, price)), events=events)
