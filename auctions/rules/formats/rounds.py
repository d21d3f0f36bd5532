"""Rounds: a pause, then turns from worst to best, so that the best speaks last; again and again.

In the own turn a bid may be changed freely, even taken back; what is there at its end is
published. During the first pause everybody may name an initial bid, published when it ends; who
brought an opened offer starts with that. Who has no bid yet speaks first, the later admitted before
the earlier. Each round orders anew.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

from auctions.rules.core.answers import refused
from auctions.rules.core.bidding import free_highest, highest
from auctions.rules.core.commands import Bid, Command
from auctions.rules.core.entry import examine
from auctions.rules.core.hybrid import waits
from auctions.rules.core.outcomes import AnyEvent, Code, Outcome
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.placing import new_bid, stand_pending
from auctions.rules.core.scoring import Scale, evaluate
from auctions.rules.core.stages import enter
from auctions.rules.core.state import Stage, State
from auctions.rules.parts.documented import Interval, Pause, PhaseRules, StepRules
from auctions.rules.parts.fields import TURN_S_MAX, Section
from auctions.rules.parts.format import Example, Format, Play
from auctions.rules.parts.step import buffer_words, show_step, step_words
from auctions.rules.parts.words import SECOND_US, Paragraph, Texts, duration, seconds
from marketplace.kernel.money import format_minor

ROUNDS_MAX = 20
PRACTICE_TURN_US, PRACTICE_FIRST_PAUSE_US = 20 * SECOND_US, 20 * SECOND_US
PRACTICE_PAUSE_US = 5 * SECOND_US
PRACTICE_ROUNDS_MAX = BOTS = 3


class Planned(NamedTuple):
    """A stage of the plan, from the start of the phase; `length_us` may be 0."""

    offset_us: int
    name: str
    round: int | None
    turn: int | None
    length_us: int


def plan(phase: Phase, bidders_count: int) -> list[Planned]:
    """All stages of the phase if nothing moves: pauses, turns, the wait and the announcement."""
    stages: list[Planned] = []
    at = 0
    for number in range(1, phase.rounds + 1):
        pause_us = phase.first_pause_us if number == 1 else phase.pause_us
        stages.append(Planned(at, "pause", number, None, pause_us))
        at += pause_us
        for turn in range(1, bidders_count + 1):
            stages.append(Planned(at, "turn", number, turn, phase.turn_us))
            at += phase.turn_us
    stages.append(Planned(at, "before_announcement", None, None, phase.announce_us))
    stages.append(Planned(at + phase.announce_us, "announcement", None, None, 0))
    return stages


def turn_order(state: State) -> list[str]:
    """Who speaks when: without a bid first, then from worst to best; the excluded are left out."""
    silent = sorted(
        (alias for alias, bidder in state.bidders.items() if bidder.admitted and not bidder.bids),
        key=lambda alias: -state.bidders[alias].number,
    )
    standing = [
        alias
        for _, _, alias in reversed(state.rows)
        if state.bidders[alias].admitted and not waits(state, alias)
    ]
    return silent + standing


class RoundsRules(PhaseRules, frozen=True, kw_only=True):
    """Turns from worst to best, so that the best speaks last, again and again.

    rounds         how many, e.g. `3`
    turn_s         seconds of each bidder's turn, e.g. `120`
    first_pause_s  seconds before the first round, in which everybody may name a first bid,
                   e.g. `300`
    pause_s        seconds before each other round, e.g. `120`
    announce_s     seconds between the last turn and the result, e.g. `0`
    step           by how much a bid must improve; null: by the smallest unit of the currency
    """

    rounds: Annotated[int, Meta(ge=1, le=ROUNDS_MAX)] | None = 3
    turn_s: Interval | None = 120
    first_pause_s: Pause | None = 300
    pause_s: Pause | None = 120
    announce_s: Pause | None = 0
    step: StepRules | None = None


class Rounds(Format):
    name = "rounds"
    documented = RoundsRules
    has_stages = True
    counts_steps = True
    tells_price_for_rank = True
    needs_rivals = True
    repeats_bids = False
    bots = BOTS
    """Few, where everybody has to wait for everybody's turn."""

    def planned_us(self, phase: Phase, bidders_count: int) -> int:
        return plan(phase, bidders_count)[-1].offset_us

    def begin(self, state: State, at: int, events: list[AnyEvent]) -> None:
        state.turns = []
        state.close_at = at + self.planned_us(state.now, len(turn_order(state)))
        ends_at = at + state.now.first_pause_us
        enter(state, Stage(name="pause", ends_at=ends_at, round=1), events)

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool:
        stand_pending(state, events)
        stage = state.stage
        number = stage.round or 0
        if stage.name == "before_announcement":
            return True
        if stage.name == "pause":
            state.turns = turn_order(state)
            _replan(state, number)
            if state.turns:
                _enter_turn(state, number, 1, events)
                return False
        elif stage.turn is not None and stage.turn < len(state.turns):
            _enter_turn(state, number, stage.turn + 1, events)
            return False
        _enter_pause(state, number, events)
        return False

    def may_bid(self, state: State, alias: str) -> bool:
        """In the own turn, or in the first pause without a bid that stands."""
        if is_free(state):
            return not state.bidders[alias].bids
        return state.stage.name == "turn" and state.stage.bidder == alias

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
        alias = body.bidder
        if not self.may_bid(state, alias):
            return refused(Code.NOT_YOUR_TURN, _whose(state), events)
        if body.price is None:
            # Nothing was published, so nothing is told: no event.
            state.pending.pop(alias, None)
            return Outcome(accepted=True, events=events)
        ready = examine(state, body, events, free=is_free(state))
        if isinstance(ready, Outcome):
            return ready
        state.pending[alias] = new_bid(state, command.seq, alias, ready)
        evaluated = str(evaluate(ready.scale, ready.price))
        return Outcome(accepted=True, evaluated=evaluated, events=events)

    def next_price(self, state: State, alias: str, scale: Scale) -> int | None:
        return (free_highest if is_free(state) else highest)(state, alias, scale)

    def read(self, section: Section, exponent: int, ceiling: int | None) -> dict[str, Any]:
        clock = {
            "rounds": section.whole("rounds", 1, ROUNDS_MAX, 3) or 3,
            "turn_us": section.seconds("turn_s", 1, TURN_S_MAX, 120),
            "first_pause_us": section.seconds("first_pause_s", 0, TURN_S_MAX, 300),
            "pause_us": section.seconds("pause_s", 0, TURN_S_MAX, 120),
            "announce_us": section.seconds("announce_s", 0, TURN_S_MAX, 0),
        }
        # An estimate with two bidders; the opening knows how many there are.
        turns_us = clock["rounds"] * 2 * clock["turn_us"]
        pauses_us = clock["first_pause_us"] + (clock["rounds"] - 1) * clock["pause_us"]
        return clock | {"duration_us": turns_us + pauses_us + clock["announce_us"]}

    def show(self, phase: Phase, exponent: int) -> dict[str, Any]:
        return {
            "step": show_step(phase.step, exponent),
            "rounds": phase.rounds,
            "turn_s": seconds(phase.turn_us),
            "first_pause_s": seconds(phase.first_pause_us),
            "pause_s": seconds(phase.pause_us),
            "announce_s": seconds(phase.announce_us),
        }

    def gist(self, texts: Texts) -> str:
        return texts.gettext("Rounds: turns from worst to best, the best speaks last")

    def phrase(self, texts: Texts) -> str:
        return texts.gettext("an auction in rounds")

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        _ = texts.gettext
        text = _(
            "After a pause of %(first)s there are %(rounds)s rounds with a pause of %(pause)s "
            "between them. In each round everybody has one turn of %(turn)s, from the worst to the "
            "best, so the best speaks last; of equal bids the earlier is better and speaks later; "
            "who has no bid speaks first. In your turn you may change your bid or take it back; at "
            "the end of the turn it is published. During the first pause everybody without a bid "
            "may name an initial one, published when it ends."
        ) % {
            "first": duration(phase.first_pause_us, texts),
            "rounds": phase.rounds,
            "pause": duration(phase.pause_us, texts),
            "turn": duration(phase.turn_us, texts),
        }
        example = _("With three bidders that takes %(duration)s if nothing is extended.") % {
            "duration": duration(self.planned_us(phase, 3), texts)
        }
        paragraphs = [Paragraph(_("Rounds"), text, example)]
        paragraphs += step_words(terms, phase.step, texts)
        return paragraphs + buffer_words(terms, phase.step, texts)

    chapters = (("Rounds", {"format": name, "step": {"value": "50.00"}}),)
    sample: ClassVar[dict[str, Any] | None] = {
        "format": name,
        "rounds": 2,
        "turn_s": 15,
        "first_pause_s": 20,
        "pause_s": 5,
        "announce_s": 5,
        "step": {"against": "own", "kind": "amount", "value": "500.00"},
        "visibility": "all",
    }
    # openprocurement.auction.worker: initial prices 475000.00 and 480000.00 (tests/data/data.py),
    # step 7500.00 (tests/unit/test_forms.py).
    example = Example(
        "400 circulation pumps, in rounds",
        "Circulation pump",
        "400",
        "480000.00",
        {
            "format": name,
            "rounds": 3,
            "turn_s": 6,
            "first_pause_s": 15,
            "pause_s": 8,
            "announce_s": 5,
            "step": {"against": "own", "kind": "amount", "value": "7500.00"},
            "visibility": "all",
        },
        (47_500_000, 48_000_000),
        (25_850_000, 36_000_000),
    )

    def shortened(self, phase: Phase) -> Phase:
        turn_us = min(phase.turn_us, PRACTICE_TURN_US)
        first_pause_us = min(phase.first_pause_us, PRACTICE_FIRST_PAUSE_US)
        pause_us = min(phase.pause_us, PRACTICE_PAUSE_US)
        announce_us = min(phase.announce_us, PRACTICE_PAUSE_US)
        rounds = min(phase.rounds, PRACTICE_ROUNDS_MAX)
        turns_us = rounds * (self.bots + 1) * turn_us
        return msgspec.structs.replace(
            phase,
            rounds=rounds,
            turn_us=turn_us,
            first_pause_us=first_pause_us,
            pause_us=pause_us,
            announce_us=announce_us,
            duration_us=first_pause_us + turns_us + (rounds - 1) * pause_us + announce_us,
        )

    def act(self, play: Play, alias: str, ladder: list[int], at: int) -> None:
        """Names the first price in the first pause and comes down to the lowest evenly over the
        rounds, at once where the step asks for more."""
        state = play.state
        if alias not in state.bidders or not self.may_bid(state, alias):
            return
        number = 0 if state.stage.turn is None else state.stage.round or 0
        falling = sorted(set(ladder), reverse=True)
        wish = falling[(len(falling) - 1) * number // state.now.rounds]
        border = play.border(alias, at)
        if border is not None and wish > border >= min(ladder):
            wish = border
        text = format_minor(wish, state.terms.exponent)
        body = Bid(bidder=alias, price=text, attributes=play.answers_of(alias))
        play.send(play.confirmed(body), at)


def _replan(state: State, number: int) -> None:
    """The close follows from how many take turns in this round; later phases move along."""
    phase = state.now
    left = phase.rounds - number
    turns_us = len(state.turns) * phase.turn_us * (left + 1)
    here_us = turns_us + left * phase.pause_us + phase.announce_us
    later_us = sum(
        state.rules.formats[later.format].planned_us(later, len(state.bidders))
        for later in state.terms.phases[state.phase + 1 :]
    )
    state.close_at = state.stage.ends_at + here_us + later_us


def _enter_turn(state: State, number: int, turn: int, events: list[AnyEvent]) -> None:
    ends_at = state.stage.ends_at + state.now.turn_us
    alias = state.turns[turn - 1]
    stage = Stage(name="turn", ends_at=ends_at, round=number, turn=turn, bidder=alias)
    enter(state, stage, events)


def _enter_pause(state: State, number: int, events: list[AnyEvent]) -> None:
    at = state.stage.ends_at
    if number < state.now.rounds:
        stage = Stage(name="pause", ends_at=at + state.now.pause_us, round=number + 1)
    else:
        stage = Stage(name="before_announcement", ends_at=at + state.now.announce_us)
    enter(state, stage, events)


def is_free(state: State) -> bool:
    """During the first pause only the ceiling limits an initial bid."""
    return state.stage.name == "pause" and state.stage.round == 1


def _whose(state: State) -> str:
    stage = state.stage
    if stage.name == "turn":
        return f"Round {stage.round}, turn {stage.turn} belongs to another bidder."
    if is_free(state):
        return "Your initial bid stands already; wait for your turn."
    return "Wait for your turn."


ROUNDS = Rounds()
