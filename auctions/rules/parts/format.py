"""What a format is: its decisions, parameters, hints, words, practice and simulation in one class.

A new format is a subclass in a file of its own and one line in `formats/__init__.py`. It overrides
what differs from the simplest auction: one stage of a fixed length, in which each price counts by
the step. The rest of the program never asks which format it is; it asks these facts and methods.
"""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar, Protocol

import msgspec

from auctions.rules.core.answers import no_accept, no_bid
from auctions.rules.core.bidding import highest
from auctions.rules.core.commands import Accept, AnyBody, Bid, Command
from auctions.rules.core.outcomes import AnyEvent, Outcome
from auctions.rules.core.overtime import extend
from auctions.rules.core.parameters import Phase, Terms
from auctions.rules.core.scoring import Scale
from auctions.rules.core.stages import enter
from auctions.rules.core.state import Stage, State

from .documented import PhaseRules, TimedRules
from .fields import Section
from .words import Paragraph, Texts, seconds

PRACTICE_US_MAX = 60_000_000
"""A stage in which one bid is enough, shortened for practice."""

BOTS = 5


class Example(msgspec.Struct, frozen=True):
    """One kind of demo: the lot as the API takes it, and from where to where bots go, in minor
    units. Where prices are named no floor is above an opening.
    """

    title: str
    item: str
    quantity: str
    ceiling: str | None
    rules: dict[str, Any]
    opening: tuple[int, int]
    floors: tuple[int, int]


class Play(Protocol):
    """A simulated auction, as far as its bidders act in it."""

    state: State

    def send(self, body: AnyBody, at: int) -> Outcome: ...

    def border(self, alias: str, at: int) -> int | None:
        """The highest price that would be accepted now."""

    def confirmed(self, body: Bid) -> Bid:
        """The same with the token that the typing guard would ask for."""

    def answers_of(self, alias: str) -> dict[str, str]: ...


class Format:
    """The base of all formats; every fact is that of the simplest auction."""

    name: ClassVar[str]
    stands_alone: ClassVar[bool] = True
    """Whether an auction may consist of it."""

    is_clock: ClassVar[bool] = False
    """A clock names the price, the same for everybody: it comes first, takes no offers, and nothing
    but the price counts."""

    ends_on_accept: ClassVar[bool] = False
    """The first accept ends the clock, and its price is the one that later phases must beat."""

    is_last_word: ClassVar[bool] = False
    """Only the bidder who took the price of a clock speaks, after the others."""

    is_sealed: ClassVar[bool] = False
    """Bids are kept encrypted until they are opened together."""

    has_stages: ClassVar[bool] = False
    """People must follow its stages: they are announced, and hearts beat as near an end."""

    counts_steps: ClassVar[bool] = False
    """Its rules have a `step`."""

    has_overtime: ClassVar[bool] = False
    """Its rules may have an `overtime`."""

    allows_automatic: ClassVar[bool] = False
    tells_price_for_rank: ClassVar[bool] = False
    """Whether a bidder may ask which price gives which rank, where prices are shown."""

    publishes_at_once: ClassVar[bool] = False
    """A bid is shown the moment it is accepted; elsewhere when its stage is over."""

    needs_rivals: ClassVar[bool] = False
    """With one bidder there is nobody to take turns with."""

    # Decisions -------------------------------------------------------------------------------

    def planned_us(self, phase: Phase, bidders_count: int) -> int:
        """How long the phase lasts if nothing moves its end."""
        return phase.duration_us

    def begin(self, state: State, at: int, events: list[AnyEvent]) -> None:
        """The phase begins at `at`: sets `stage` and `close_at` (as if no other phase followed)."""
        state.close_at = at + state.now.duration_us
        enter(state, Stage(name=self.name, ends_at=state.close_at), events)

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool:
        """The stage has reached its end: enters the next one, or says that the phase is over."""
        return True

    def after_outage(self, state: State, ts: int) -> None:
        """The stage goes on at `ts` with the time that was left already given back."""

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
        """A price was named while bidding is open, by an admitted bidder."""
        return no_bid(events)

    def accept(
        self, state: State, command: Command, body: Accept, events: list[AnyEvent]
    ) -> Outcome:
        """A step was accepted while bidding is open, by an admitted bidder."""
        return no_accept(events)

    extend = staticmethod(extend)
    """Overtime, after a command that moved the holder of a position (state, ts, position, events).

    No method around it: every bid comes here.
    """

    # Hints -----------------------------------------------------------------------------------

    def may_bid(self, state: State, alias: str) -> bool:
        """Whether it is this bidder's turn, where there are turns."""
        return True

    def next_price(self, state: State, alias: str, scale: Scale) -> int | None:
        """The highest price that would be accepted from a bidder who may bid; None for none."""
        return highest(state, alias, scale)

    # Parameters ------------------------------------------------------------------------------

    documented: ClassVar[type[PhaseRules]] = TimedRules
    """The fields that `read` and its facts read, for the API document."""

    def read(self, section: Section, exponent: int, ceiling: int | None) -> dict[str, Any]:
        """Its own fields of the rules as fields of a Phase; wrong ones are noted in `section`."""
        return {}

    def show(self, phase: Phase, exponent: int) -> dict[str, Any]:
        """The fields of the rules that `read` and its facts would read as this phase."""
        return {"duration_s": seconds(phase.duration_us)}

    # Words -----------------------------------------------------------------------------------

    def gist(self, texts: Texts) -> str:
        """Its name and what happens: `Name: a few words`."""
        return self.name

    def phrase(self, texts: Texts) -> str:
        """What an auction of it is, within a sentence: `a round of sealed bids`."""
        return self.gist(texts)

    def explain(self, terms: Terms, phase: Phase, texts: Texts) -> list[Paragraph]:
        """Its rules in plain words, in the order in which one needs them."""
        return []

    chapters: ClassVar[tuple[tuple[str, dict[str, Any]], ...]] = ()
    """Titles of the bidding guide with rules that show this format; without a start."""

    # Practice, demo and simulation -----------------------------------------------------------

    sample: ClassVar[dict[str, Any] | None] = None
    """Rules to practise with when there is no lot, without a start; None: not offered."""

    example: ClassVar[Example | None] = None
    """What the demo shows of it; None: no demo."""

    bots: ClassVar[int] = BOTS
    """How many bots come to a practice auction."""

    def shortened(self, phase: Phase) -> Phase:
        """The same phase in minutes, for practice."""
        duration_us = min(phase.duration_us, PRACTICE_US_MAX)
        return msgspec.structs.replace(phase, duration_us=duration_us)

    def bot_floor(self, phase: Phase, anchor: int, opening: int, dice: Random) -> int:
        """The price below which a bot never goes; `anchor` is about what the lot may cost."""
        return max(1, min(opening, anchor * dice.randint(70, 88) // 100))

    repeats_bids: ClassVar[bool] = True
    """In a simulation bids are sent again at their old moments; elsewhere `act` makes them."""

    def act(self, play: Play, alias: str, ladder: list[int], at: int) -> None:
        """What a simulated bidder does at a stage; `ladder` is every price it named, in order."""

    def price_of(self, phase: Phase, step: int) -> int | None:
        """The price of a clock's step; None where there are none."""
        return None
