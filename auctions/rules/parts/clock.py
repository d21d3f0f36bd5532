"""A clock names the price, step by step, and bidders accept: what all clocks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import msgspec

from auctions.rules.core.commands import Accept
from auctions.rules.core.guard import BadPrice, money, read_price
from auctions.rules.core.outcomes import AnyEvent
from auctions.rules.core.parameters import STEPS_MAX, Phase
from auctions.rules.core.scoring import Scale
from auctions.rules.core.stages import enter
from auctions.rules.core.state import Stage, State
from marketplace.kernel.money import MINOR_MAX, format_minor

from .fields import TURN_S_MAX, Section
from .format import Format, Play
from .words import SECOND_US, seconds

PRACTICE_US = 240 * SECOND_US
INTERVAL_US_MIN, INTERVAL_US_MAX = 3 * SECOND_US, 10 * SECOND_US
PRACTICE_STEPS_MAX = PRACTICE_US // INTERVAL_US_MIN


class Clock(Format, ABC):
    """The base of clocks. A subclass says which prices there are and what an accept means."""

    is_clock = True
    has_stages = True
    repeats_bids = False
    step_field: ClassVar[str]
    """Of a Phase: by how much the price moves."""

    @abstractmethod
    def steps_count(self, phase: Phase) -> int:
        """How many prices the clock can show."""

    @abstractmethod
    def price_of(self, phase: Phase, step: int) -> int:
        """The price of a step, counted from 0, in minor units."""

    @abstractmethod
    def span(self, phase: Phase) -> int:
        """How far the price can move, in minor units."""

    def planned_us(self, phase: Phase, bidders_count: int) -> int:
        return self.steps_count(phase) * phase.interval_us

    def begin(self, state: State, at: int, events: list[AnyEvent]) -> None:
        state.close_at = at + self.planned_us(state.now, len(state.bidders))
        self.enter_step(state, at, 0, events)

    def enter_step(self, state: State, at: int, step: int, events: list[AnyEvent]) -> None:
        phase = state.now
        price = self.price_of(phase, step)
        stage = Stage(name="step", ends_at=at + phase.interval_us, step=step, price=price)
        enter(state, stage, events)

    def next_price(self, state: State, alias: str, scale: Scale) -> int | None:
        return state.stage.price

    def read_steps(
        self, section: Section, steps_count: int, moves: str, fields: dict[str, Any]
    ) -> dict[str, Any]:
        """The fields every clock has, beside its own `fields`; `moves` is what the step is called
        in the rules."""
        if steps_count > STEPS_MAX and not section.is_wrong(moves):
            section.wrong(moves, "out_of_range", f"At most {STEPS_MAX} steps.")
        interval_us = section.seconds("interval_s", 1, TURN_S_MAX, 30)
        return fields | {"duration_us": steps_count * interval_us, "interval_us": interval_us}

    def show(self, phase: Phase, exponent: int) -> dict[str, Any]:
        start = format_minor(phase.start_minor, exponent)
        return {"start": start, "interval_s": seconds(phase.interval_us)}

    def shortened(self, phase: Phase) -> Phase:
        """At most PRACTICE_STEPS_MAX steps, as quick as a person can follow."""
        span = self.span(phase)
        size = max(getattr(phase, self.step_field), -(-span // PRACTICE_STEPS_MAX))
        steps_count = -(-span // size) + 1
        interval_us = max(INTERVAL_US_MIN, min(PRACTICE_US // steps_count, INTERVAL_US_MAX))
        interval_us = min(interval_us, phase.interval_us)
        changed = {self.step_field: size, "interval_us": interval_us}
        return msgspec.structs.replace(phase, **changed, duration_us=steps_count * interval_us)

    def act(self, play: Play, alias: str, ladder: list[int], at: int) -> None:
        """Accepts, or stays in, as long as the price is not below the lowest it ever named."""
        price = play.border(alias, at)
        if price is not None and price >= min(ladder):
            play.send(Accept(bidder=alias, step=play.state.stage.step or 0), at)


def read_amount(section: Section, key: str, exponent: int, ceiling: int | None) -> int:
    """An amount that must be named and is not above the ceiling."""
    section.needed(key)
    amount = section.decimal(key, exponent, 1, MINOR_MAX, 1) or 1
    if ceiling is not None and amount > ceiling:
        section.wrong(key, "impossible", "This is above the ceiling.")
    return amount


def stale_reason(state: State, body: Accept) -> str | None:
    """Why this accept does not fit the running step, naming both."""
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
