"""English: everybody bids whenever they like, each bid improves, late bids buy overtime."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from auctions.rules.core import automatic
from auctions.rules.core.commands import Bid, Command
from auctions.rules.core.entry import examine
from auctions.rules.core.outcomes import AnyEvent, BidPlaced, Outcome
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.placing import place
from auctions.rules.core.standing import rank_of
from auctions.rules.core.state import State
from auctions.rules.parts.documented import OvertimeRules, StepRules, TimedRules
from auctions.rules.parts.format import Example, Format
from auctions.rules.parts.overtime import overtime_words, shortened_overtime, show_overtime
from auctions.rules.parts.step import buffer_words, show_step, step_words
from auctions.rules.parts.words import SECOND_US, Paragraph, Texts, duration

PRACTICE_US_MAX = 180 * SECOND_US

_CHAPTER: dict[str, Any] = {
    "format": "english",
    "duration_s": 1_200,
    "step": {"value": "50.00"},
    "overtime": {"window_s": 120, "extend_s": 120, "trigger_rank": 3, "max": 10},
    "visibility": "rank_and_lead",
}


class EnglishRules(TimedRules, frozen=True, kw_only=True):
    """Everybody bids whenever they like until the close.

    step      by how much a bid must improve; null: by the smallest unit of the currency
    overtime  when a late bid moves the close; null: never
    """

    step: StepRules | None = None
    overtime: OvertimeRules | None = None


class English(Format):
    name = "english"
    documented = EnglishRules
    counts_steps = True
    has_overtime = True
    allows_automatic = True
    tells_price_for_rank = True
    publishes_at_once = True

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
        """The bid stands at once; the rank told is the one after automatic bids have answered."""
        ready = examine(state, body, events)
        if isinstance(ready, Outcome):
            return ready
        alias = body.bidder
        moved = place(state, command.seq, alias, ready, events)
        placed = events[-1]
        assert isinstance(placed, BidPlaced)
        rank: int | None = placed.rank
        if state.autos_count:
            moved = min(moved, automatic.respond(state, command.seq, events))
            rank = rank_of(state, alias)
        self.extend(state, command.ts, moved, events)
        return Outcome(accepted=True, rank=rank, evaluated=placed.evaluated, events=events)

    def show(self, phase: Phase, exponent: int) -> dict[str, Any]:
        shown = super().show(phase, exponent) | {"step": show_step(phase.step, exponent)}
        if phase.overtime is not None:
            shown["overtime"] = show_overtime(phase.overtime)
        return shown

    def gist(self, texts: Texts) -> str:
        return texts.gettext("English: prices fall until the time is up")

    def phrase(self, texts: Texts) -> str:
        return texts.gettext("an English auction")

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        _ = texts.gettext
        text = _(
            "Bidding is open for %(duration)s. Everybody bids at any time and as often as they "
            "like. A bid stamped at or after the close is late, without exception."
        ) % {"duration": duration(phase.duration_us, texts)}
        example = _("Close at 10:20:00: 10:19:59.999999 is in time, 10:20:00.000000 is late.")
        paragraphs = [Paragraph(_("English auction"), text, example)]
        paragraphs += step_words(terms, phase.step, texts)
        paragraphs += buffer_words(terms, phase.step, texts)
        paragraphs += overtime_words(phase.overtime, texts)
        return paragraphs + _automatic_words(terms, texts)

    chapters = (
        ("The English auction", _CHAPTER),
        ("Other steps", _CHAPTER | {"step": {"kind": "percent", "value": "0.5"}}),
        (
            "Steps by price",
            _CHAPTER
            | {"step": {"value": "10.00", "bands": [{"from": "1000.00", "value": "20.00"}]}},
        ),
        (
            "Beating the lead",
            _CHAPTER
            | {"step": {"against": "lead", "value": "50.00", "front_buffer": "5.00"}}
            | {"overtime": {"window_s": 60, "extend_s": 90, "from": "bid"}},
        ),
    )
    sample: ClassVar[dict[str, Any] | None] = {
        "format": name,
        "duration_s": 120,
        "step": {"against": "own", "kind": "amount", "value": "500.00"},
        "overtime": {"window_s": 20, "extend_s": 20, "trigger_rank": 3, "from": "close", "max": 5},
        "visibility": "rank_and_lead",
    }
    # openprocurement.auction.worker: initial prices 475000.00 and 480000.00 (tests/data/data.py),
    # step 7500.00 (tests/unit/test_forms.py).
    example = Example(
        "400 circulation pumps",
        "Circulation pump",
        "400",
        "480000.00",
        {
            "format": name,
            "duration_s": 240,
            "step": {"against": "own", "kind": "amount", "value": "7500.00"},
            "visibility": "rank_and_lead",
            "overtime": {
                "window_s": 20,
                "extend_s": 20,
                "trigger_rank": 3,
                "from": "close",
                "max": 6,
            },
        },
        (47_500_000, 48_000_000),
        (25_850_000, 36_000_000),
    )

    def shortened(self, phase: Phase) -> Phase:
        return msgspec.structs.replace(
            phase,
            duration_us=min(phase.duration_us, PRACTICE_US_MAX),
            overtime=shortened_overtime(phase.overtime),
        )


def _automatic_words(terms: Terms, texts: Texts) -> list[Paragraph]:
    if not terms.shows_lead or terms.lines:
        return []
    _ = texts.gettext
    text = _(
        "You may set a private limit: whenever you do not lead, the highest price that takes the "
        "lead is bid for you, never below the limit. A limit that cannot take the lead is refused "
        "at once. Two limits meet at once: the weaker one is bid in full, the stronger one just "
        "beats it. Of equal limits, or limits closer than the step, the stronger or earlier one is "
        "bid in full and leads; just before, the lowest price that leaves room for that bid is bid "
        "for the other, so that both have a bid that stands. While the auction runs nobody sees a "
        "limit, the buyer included; after the close it stands in the buyer's log, so that each bid "
        "made for you can be checked. A withdrawal of your bid ends it."
    )
    example = _(
        "Step 10 against the lead. Limits 800 and 700: 800 is bid, then 790 leads. Limits 700 and "
        "700: 710 is bid, then the earlier 700 leads."
    )
    return [Paragraph(_("Automatic bidding"), text, example)]


ENGLISH = English()
