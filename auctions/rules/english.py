"""English: everybody bids whenever they like, each bid improves, late bids buy overtime."""

from __future__ import annotations

from . import automatic
from .answers import no_accept
from .commands import Bid, Command
from .entry import examine
from .outcomes import AnyEvent, BidPlaced, Outcome
from .overtime import extend
from .parameters import Phase
from .placing import place
from .stages import enter
from .standing import rank_of
from .state import Stage, State

accept = no_accept


def planned_us(phase: Phase, bidders_count: int) -> int:
    return phase.duration_us


def begin(state: State, at: int, events: list[AnyEvent]) -> None:
    state.close_at = at + state.now.duration_us
    enter(state, Stage(name="english", ends_at=state.close_at), events)


def stage_over(state: State, events: list[AnyEvent]) -> bool:
    return True


def after_outage(state: State, ts: int) -> None:
    """Nothing but the time was lost."""


def bid(state: State, command: Command, body: Bid, events: list[AnyEvent]) -> Outcome:
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
    extend(state, command.ts, moved, events)
    return Outcome(accepted=True, rank=rank, evaluated=placed.evaluated, events=events)
