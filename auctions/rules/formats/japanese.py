"""Japanese: the price falls step by step; who does not confirm a step in its time drops out.

It ends when a step leaves one bidder or none, or after the last step above the floor. Everybody
stands at the price of the last step they confirmed; of equal ones the earlier ranks first.
"""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from auctions.rules.core.answers import refused
from auctions.rules.core.commands import Accept, Command
from auctions.rules.core.entry import Ready
from auctions.rules.core.guard import money
from auctions.rules.core.outcomes import AnyEvent, Code, DroppedOut, Outcome
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.placing import new_bid, stand
from auctions.rules.core.scoring import Scale, evaluate
from auctions.rules.core.state import Bidder, State
from auctions.rules.parts.clock import Clock, read_amount, stale_reason
from auctions.rules.parts.documented import DecimalText, Interval, PhaseRules
from auctions.rules.parts.fields import Section
from auctions.rules.parts.format import Example
from auctions.rules.parts.words import Paragraph, Texts, duration
from marketplace.kernel.money import MINOR_MAX, format_minor


class JapaneseRules(PhaseRules, frozen=True, kw_only=True):
    """The price falls; a bidder that does not confirm a step in its time drops out.

    start       the first price, e.g. `8000.00`
    decrement   by how much it falls at each step, e.g. `100.00`
    interval_s  seconds of a step, e.g. `60`
    floor       it falls no further; null: the smallest unit of the currency, e.g. `4000.00`
    """

    start: DecimalText
    decrement: DecimalText
    interval_s: Interval | None = 30
    floor: DecimalText | None = None


class Japanese(Clock):
    name = "japanese"
    documented = JapaneseRules
    needs_rivals = True
    step_field = "decrement_minor"

    def steps_count(self, phase: Phase) -> int:
        """From the start down to the floor."""
        return self.span(phase) // phase.decrement_minor + 1

    def price_of(self, phase: Phase, step: int) -> int:
        return phase.start_minor - step * phase.decrement_minor

    def span(self, phase: Phase) -> int:
        return phase.start_minor - phase.floor_minor

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool:
        step = state.stage.step or 0
        remaining = _settle(state, step, events)
        if remaining <= 1 or step + 1 >= self.steps_count(state.now):
            return True
        self.enter_step(state, state.stage.ends_at, step + 1, events)
        return False

    def after_outage(self, state: State, ts: int) -> None:
        """The open step is void for all: it starts anew, with its whole time."""
        state.pending = {}
        missing_us = ts + state.now.interval_us - state.stage.ends_at
        if missing_us > 0:
            state.stage.ends_at += missing_us
            state.close_at += missing_us

    def accept(
        self, state: State, command: Command, body: Accept, events: list[AnyEvent]
    ) -> Outcome:
        """Stays in at the running step. Confirming twice changes nothing."""
        alias = body.bidder
        bidder = state.bidders[alias]
        dropped = _dropped_at(state, bidder)
        if dropped is not None:
            return refused(Code.STALE_STEP, f"You dropped out at step {dropped}.", events)
        stale = stale_reason(state, body)
        price = state.stage.price or 0
        if stale is not None:
            return refused(Code.STALE_STEP, stale, events, limit=price)
        scale = bidder.scale or Scale()
        if alias not in state.pending:
            state.pending[alias] = new_bid(state, command.seq, alias, Ready(price, scale))
        return Outcome(accepted=True, evaluated=str(evaluate(scale, price)), events=events)

    def next_price(self, state: State, alias: str, scale: Scale) -> int | None:
        """Nothing for who dropped out."""
        dropped = _dropped_at(state, state.bidders[alias])
        return state.stage.price if dropped is None else None

    def read(self, section: Section, exponent: int, ceiling: int | None) -> dict[str, Any]:
        start = read_amount(section, "start", exponent, ceiling)
        decrement = read_amount(section, "decrement", exponent, ceiling)
        floor = section.decimal("floor", exponent, 1, MINOR_MAX, 1) or 1
        if decrement >= start and not (section.is_wrong("start") or section.is_wrong("decrement")):
            section.wrong("decrement", "impossible", "The first step down would end below zero.")
        if floor > start and not (section.is_wrong("start") or section.is_wrong("floor")):
            section.wrong("floor", "impossible", "The floor is above the start.")
        steps_count = (start - floor) // decrement + 1
        fields = {"start_minor": start, "decrement_minor": decrement, "floor_minor": floor}
        return self.read_steps(section, steps_count, "decrement", fields)

    def show(self, phase: Phase, exponent: int) -> dict[str, Any]:
        return super().show(phase, exponent) | {
            "decrement": format_minor(phase.decrement_minor, exponent),
            "floor": format_minor(phase.floor_minor, exponent),
        }

    def gist(self, texts: Texts) -> str:
        return texts.gettext("Japanese: the price falls, stay in by confirming each step")

    def phrase(self, texts: Texts) -> str:
        return texts.gettext("a Japanese clock")

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        _ = texts.gettext
        text = _(
            "The price starts at %(start)s and falls by %(step)s every %(interval)s. At each step "
            "you must confirm that you stay in; who does not drops out for good. It ends when one "
            "bidder or none is left, or after the last step down to %(floor)s. You stand at the "
            "price of the last step you confirmed; of equal ones the earlier confirmation ranks "
            "first. After an outage the open step starts anew for all, earlier confirmations of it "
            "are void."
        ) % {
            "start": money(terms, phase.start_minor),
            "step": money(terms, phase.decrement_minor),
            "interval": duration(phase.interval_us, texts),
            "floor": money(terms, phase.floor_minor),
        }
        example = _("You confirm steps 0 and 1 and not step 2: you stand at %(price)s.") % {
            "price": money(terms, self.price_of(phase, 1))
        }
        return [Paragraph(_("Japanese clock"), text, example)]

    chapters = (
        (
            "The Japanese clock",
            {"format": name, "start": "10000.00", "decrement": "100.00", "interval_s": 60},
        ),
    )
    sample: ClassVar[dict[str, Any] | None] = {
        "format": name,
        "start": "100000.00",
        "decrement": "2000.00",
        "floor": "40000.00",
        "interval_s": 6,
        "visibility": "rank",
    }
    # openprocurement.auction.insider: from 26000.00 in steps of 260.00 (tests/unit/test_utils.py).
    example = Example(
        "Office chairs",
        "Office chair",
        "100",
        None,
        {
            "format": name,
            "start": "26000.00",
            "decrement": "260.00",
            "interval_s": 5,
            "visibility": "rank",
        },
        (2_600_000, 2_600_000),
        (1_400_000, 2_300_000),
    )

    def bot_floor(self, phase: Phase, anchor: int, opening: int, dice: Random) -> int:
        return phase.start_minor - self.span(phase) * dice.randint(15, 60) // 100


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


def _dropped_at(state: State, bidder: Bidder) -> int | None:
    """The step at which the bidder dropped out; who came after the first step was never in."""
    if bidder.dropped_at is None and (state.stage.step or 0) > 0 and not bidder.bids:
        return 0
    return bidder.dropped_at


JAPANESE = Japanese()
