"""Dutch: the price rises step by step until the first bidder accepts it, who wins at that price.

In a hybrid the accepted price is the one that the bids of the later phases must beat.
"""

from __future__ import annotations

from .answers import no_bid, refused
from .commands import Accept, Command
from .entry import Ready
from .guard import BadPrice, money, read_price
from .hybrid import take
from .outcomes import AnyEvent, Code, Outcome
from .parameters import Phase
from .placing import new_bid, stand
from .scoring import Scale, evaluate
from .stages import enter
from .standing import rank_of
from .state import Stage, State

bid = no_bid


def steps_count(phase: Phase) -> int:
    """How many prices the clock shows; the last one is the cap, even between two steps."""
    return -(-(phase.cap_minor - phase.start_minor) // phase.increment_minor) + 1


def price_of(phase: Phase, step: int) -> int:
    """The price of a step, counted from 0, in minor units."""
    return min(phase.start_minor + step * phase.increment_minor, phase.cap_minor)


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
    """The next step; the end once a price was accepted, or after the cap."""
    step = (state.stage.step or 0) + 1
    if state.taken is not None or step >= steps_count(state.now):
        return True
    _enter_step(state, state.stage.ends_at, step, events)
    return False


def after_outage(state: State, ts: int) -> None:
    """The price stays where it was."""


def accept(state: State, command: Command, body: Accept, events: list[AnyEvent]) -> Outcome:
    stale = stale_reason(state, body)
    price = state.stage.price or 0
    if stale is not None:
        return refused(Code.STALE_STEP, stale, events, limit=price)
    scale = state.bidders[body.bidder].scale or Scale()
    placed = new_bid(state, command.seq, body.bidder, Ready(price, scale))
    stand(state, body.bidder, placed, events)
    take(state, body.bidder, placed)
    state.stage.ends_at = command.ts
    evaluated = str(evaluate(scale, price))
    return Outcome(
        accepted=True, rank=rank_of(state, body.bidder), evaluated=evaluated, events=events
    )


def stale_reason(state: State, body: Accept) -> str | None:
    """Why this accept does not fit the running step, naming both; the Japanese clock asks too."""
    stage = state.stage
    now = f"step {stage.step} at {money(state.terms, stage.price or 0)}"
    if body.step != stage.step:
        return f"You accepted step {body.step}; now it is {now}."
    if body.price is not None and not _is_price(state, body.price):
        return f"You accepted {body.price}; now it is {now}."
    return None


def _is_price(state: State, text: str) -> bool:
    try:
        return read_price(state.terms, text) == state.stage.price
    except BadPrice:
        return False
