"""Sealed: one bid each, replaced as often as one likes until the close, shown to nobody before."""

from __future__ import annotations

from typing import Any, ClassVar

from auctions.rules.core.bidding import free_highest
from auctions.rules.core.commands import Bid, Command
from auctions.rules.core.entry import examine
from auctions.rules.core.outcomes import AnyEvent, Outcome
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.placing import new_bid, stand_pending
from auctions.rules.core.scoring import Scale, evaluate
from auctions.rules.core.state import State
from auctions.rules.parts.format import Example, Format
from auctions.rules.parts.words import Paragraph, Texts, duration


class Sealed(Format):
    name = "sealed"
    is_sealed = True

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool:
        """The bids are opened: they stand in the order in which they were sent."""
        stand_pending(state, events)
        return True

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
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

    def next_price(self, state: State, alias: str, scale: Scale) -> int | None:
        return free_highest(state, alias, scale)

    def gist(self, texts: Texts) -> str:
        return texts.gettext("Sealed: one bid each")

    def phrase(self, texts: Texts) -> str:
        return texts.gettext("a round of sealed bids")

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        _ = texts.gettext
        text = _(
            "One bid each, for %(duration)s. You may replace it or take it back until the close. "
            "Nobody, the buyer included, sees any bid before: they are kept encrypted. Then all "
            "are opened at once."
        ) % {"duration": duration(phase.duration_us, texts)}
        if len(terms.phases) > 1:
            text += " " + _("A bid of an earlier phase can only be improved.")
        return [Paragraph(_("Sealed bids"), text, _("You send 900, then 870: 870 is opened."))]

    chapters = (("Sealed bids", {"format": name, "duration_s": 86_400}),)
    sample: ClassVar[dict[str, Any] | None] = {
        "format": name,
        "duration_s": 60,
        "visibility": "rank",
    }
    # procedure_tools, closeFrameworkAgreementUA: 500.00 and 499.00 with the values 0.10 and 0.15 of
    # one criterion.
    example = Example(
        "Air handling units",
        "Air handling unit",
        "10",
        "500.00",
        {
            "format": name,
            "duration_s": 90,
            "visibility": "rank",
            "scoring": {
                "kind": "meat",
                "features": [
                    {
                        "id": "air_intake",
                        "title": "Air intake",
                        "max": "0.15",
                        "options": [
                            {"id": "side", "title": "At the side", "value": "0.10"},
                            {"id": "top", "title": "At the top", "value": "0.15"},
                        ],
                    }
                ],
            },
        },
        (49_900, 50_000),
        (49_900, 49_900),
    )


SEALED = Sealed()
