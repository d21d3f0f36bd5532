"""The formats by name; each is a module with these functions."""

from __future__ import annotations

from typing import Protocol

from . import dutch, english, japanese, last_word, rounds, sealed
from .commands import Accept, Bid, Command
from .outcomes import AnyEvent, Outcome
from .parameters import Phase
from .state import State


class Format(Protocol):
    """What a format decides."""

    def planned_us(self, phase: Phase, bidders_count: int) -> int:
        """How long the phase lasts if nothing moves its end."""

    def begin(self, state: State, at: int, events: list[AnyEvent]) -> None:
        """The phase begins at `at`: sets `stage` and `close_at` (as if no other phase followed)."""

    def stage_over(self, state: State, events: list[AnyEvent]) -> bool:
        """The stage has reached its end: enters the next one, or says that the phase is over."""

    def after_outage(self, state: State, ts: int) -> None:
        """The stage goes on at `ts` with the time that was left already given back."""

    def bid(self, state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
        """A price was named while bidding is open, by an admitted bidder."""

    def accept(
        self, state: State, command: Command, body: Accept, events: list[AnyEvent]
    ) -> Outcome:
        """A step was accepted while bidding is open, by an admitted bidder."""


FORMATS: dict[str, Format] = {
    "english": english,
    "rounds": rounds,
    "sealed": sealed,
    "dutch": dutch,
    "japanese": japanese,
    "last_word": last_word,
}
