"""Last word: the bidder who took the price of a clock may answer the bids of the others.

The answer may be changed or taken back until the end of the phase; then it stands.
"""

from __future__ import annotations

from auctions.rules.core.answers import refused
from auctions.rules.core.commands import Bid, Command
from auctions.rules.core.entry import examine
from auctions.rules.core.outcomes import AnyEvent, Code, Outcome
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.placing import new_bid, stand_pending
from auctions.rules.core.scoring import evaluate
from auctions.rules.core.stages import enter
from auctions.rules.core.state import Stage, State
from auctions.rules.parts.format import Format, Play
from auctions.rules.parts.words import Paragraph, Texts, duration
from marketplace.kernel.money import format_minor


class LastWord(Format):
    name = "last_word"
    stands_alone = False
    is_last_word = True
    tells_price_for_rank = True
    repeats_bids = False

    def begin(self, state: State, at: int, events: list[AnyEvent]) -> None:
        assert state.taken is not None, "the phase begins only where somebody has the last word"
        state.close_at = at + state.now.duration_us
        enter(state, Stage(self.name, state.close_at, bidder=state.taken.bidder), events)

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool:
        stand_pending(state, events)
        return True

    def may_bid(self, state: State, alias: str) -> bool:
        return state.stage.bidder == alias

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
        """Replaces the answer; a null price takes it back. Nothing is told before the end."""
        alias = body.bidder
        if not self.may_bid(state, alias):
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

    def phrase(self, texts: Texts) -> str:
        return texts.gettext("a last word")

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        _ = texts.gettext
        text = _(
            "Who accepted on the clock bids no more until the others have bid, and then has "
            "%(duration)s to answer, if another bidder leads by then. The answer may be changed or "
            "taken back until the end; it must be below the own bid, and it leads where it is "
            "below the best one. Nobody else bids in this time."
        ) % {"duration": duration(phase.duration_us, texts)}
        example = _("800 was accepted, 780 was bid: the answer 779 wins, 790 does not.")
        return [Paragraph(_("Last word"), text, example)]

    def act(self, play: Play, alias: str, ladder: list[int], at: int) -> None:
        """Names the lowest price it ever named."""
        border = play.border(alias, at)
        if border is not None and border >= min(ladder):
            text = format_minor(min(ladder), play.state.terms.exponent)
            play.send(play.confirmed(Bid(bidder=alias, price=text)), at)


LAST_WORD = LastWord()
