"""Dutch: the price rises step by step until the first bidder accepts it, who wins at that price.

In a hybrid the accepted price is the one that the bids of the later phases must beat.
"""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from auctions.rules.core.answers import refused
from auctions.rules.core.commands import Accept, Command
from auctions.rules.core.entry import Ready
from auctions.rules.core.guard import money
from auctions.rules.core.hybrid import take
from auctions.rules.core.outcomes import AnyEvent, Code, Outcome
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.placing import new_bid, stand
from auctions.rules.core.scoring import Scale, evaluate
from auctions.rules.core.standing import rank_of
from auctions.rules.core.state import State
from auctions.rules.parts.clock import Clock, read_amount, stale_reason
from auctions.rules.parts.documented import DecimalText, Interval, PhaseRules
from auctions.rules.parts.fields import Section
from auctions.rules.parts.format import Example
from auctions.rules.parts.words import Paragraph, Texts, duration
from marketplace.kernel.money import MINOR_MAX, format_minor


class DutchRules(PhaseRules, frozen=True, kw_only=True):
    """The price rises until the first bidder accepts it.

    start       the first price, e.g. `8000.00`
    increment   by how much it rises at each step, e.g. `100.00`
    interval_s  seconds of a step, e.g. `60`
    cap         the last price; null: the lot's ceiling, e.g. `12000.00`
    """

    start: DecimalText
    increment: DecimalText
    interval_s: Interval | None = 30
    cap: DecimalText | None = None


class Dutch(Clock):
    name = "dutch"
    documented = DutchRules
    ends_on_accept = True
    step_field = "increment_minor"

    def steps_count(self, phase: Phase) -> int:
        """The last price is the cap, even between two steps."""
        return -(-self.span(phase) // phase.increment_minor) + 1

    def price_of(self, phase: Phase, step: int) -> int:
        return min(phase.start_minor + step * phase.increment_minor, phase.cap_minor)

    def span(self, phase: Phase) -> int:
        return phase.cap_minor - phase.start_minor

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool:
        """The next step; the end once a price was accepted, or after the cap."""
        step = (state.stage.step or 0) + 1
        if state.taken is not None or step >= self.steps_count(state.now):
            return True
        self.enter_step(state, state.stage.ends_at, step, events)
        return False

    def accept(
        self, state: State, command: Command, body: Accept, events: list[AnyEvent]
    ) -> Outcome:
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

    def read(self, section: Section, exponent: int, ceiling: int | None) -> dict[str, Any]:
        start = read_amount(section, "start", exponent, ceiling)
        increment = read_amount(section, "increment", exponent, ceiling)
        if not section.has("cap") and ceiling is None:
            section.wrong("cap", "required", "Without a ceiling the clock needs a cap.")
        cap = section.decimal("cap", exponent, 1, MINOR_MAX, ceiling or start) or start
        if cap < start and not section.is_wrong("cap"):
            section.wrong("cap", "impossible", "The cap is below the start.")
        if ceiling is not None and cap > ceiling:
            section.wrong("cap", "impossible", "The cap is above the ceiling.")
        steps_count = -(-(cap - start) // increment) + 1
        fields = {"start_minor": start, "increment_minor": increment, "cap_minor": cap}
        return self.read_steps(section, steps_count, "increment", fields)

    def show(self, phase: Phase, exponent: int) -> dict[str, Any]:
        return super().show(phase, exponent) | {
            "increment": format_minor(phase.increment_minor, exponent),
            "cap": format_minor(phase.cap_minor, exponent),
        }

    def gist(self, texts: Texts) -> str:
        return texts.gettext("Dutch: the price rises until somebody accepts")

    def phrase(self, texts: Texts) -> str:
        return texts.gettext("a Dutch clock")

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        _ = texts.gettext
        hybrid = len(terms.phases) > 1
        first = (
            _(
                "The first to accept holds the price of that moment, which ends the clock: every "
                "bid of a later phase must be below it."
            )
            if hybrid
            else _("The first to accept wins at the price of that moment.")
        )
        parts = [
            _(
                "The price starts at %(start)s and rises by %(step)s every %(interval)s up to "
                "%(cap)s."
            )
            % {
                "start": money(terms, phase.start_minor),
                "step": money(terms, phase.increment_minor),
                "interval": duration(phase.interval_us, texts),
                "cap": money(terms, phase.cap_minor),
            },
            first,
            _(
                "You accept a step by its number; when the step has passed meanwhile, the accept "
                "is refused and binds nobody."
            ),
        ]
        if hybrid:
            parts.append(_("When nobody accepts, the whole auction ends without a winner."))
        last = self.steps_count(phase) - 1
        example = _("Step %(step)s is the last one, at %(price)s.") % {
            "step": last,
            "price": money(terms, self.price_of(phase, last)),
        }
        return [Paragraph(_("Dutch clock"), " ".join(parts), example)]

    chapters = (
        (
            "The Dutch clock",
            {"format": name, "start": "8000.00", "increment": "100.00", "interval_s": 60},
        ),
    )
    sample: ClassVar[dict[str, Any] | None] = {
        "format": name,
        "start": "60000.00",
        "increment": "1000.00",
        "interval_s": 4,
        "cap": "100000.00",
        "visibility": "rank",
    }
    # openprocurement.auction.insider: 35000.00 rising by 350.00 to 63000.00
    # (tests/unit/test_bidders.py, constants.py); the source falls, it is mirrored.
    example = Example(
        "Clearing of winter snow",
        "Season",
        "1",
        None,
        {
            "format": name,
            "start": "35000.00",
            "increment": "350.00",
            "interval_s": 3,
            "cap": "63000.00",
            "visibility": "rank",
        },
        (3_500_000, 3_500_000),
        (4_200_000, 6_000_000),
    )

    def bot_floor(self, phase: Phase, anchor: int, opening: int, dice: Random) -> int:
        return phase.start_minor + self.span(phase) * dice.randint(25, 90) // 100


DUTCH = Dutch()
