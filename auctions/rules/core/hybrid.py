"""What a clock that ends on the first accept hands on to the phases after it.

    the clock    the first accept ends it; its price is the one to beat
    in between   the others bid below that price; whoever accepted waits, if a last word follows
    last word    whoever accepted may answer, where a rival leads now

This is the order of the hybrid auctions of openprocurement.auction.insider (clock, sealed bids,
best bid), mirrored for purchases. A clock that nobody accepts ends the whole auction: nobody wanted
the highest price, so nobody would go below it.
"""

from __future__ import annotations

from .parameters import Phase
from .standing import rival_lead
from .state import Placed, State, Taken, top_of


def take(state: State, alias: str, placed: Placed) -> None:
    """`alias` accepted the price of the clock."""
    state.taken = Taken(alias, placed.order, placed.price)
    state.top = top_of(state.terms, state.taken)


def give_back(state: State, struck: Placed) -> None:
    """After a withdrawal: an accepted price that was struck out binds the others no more."""
    if state.taken is not None and state.taken.order == struck.order:
        state.taken = None
        state.top = top_of(state.terms, None)


def next_phase(state: State) -> int | None:
    """The number of the phase after the running one; None where the auction is over."""
    if state.format.ends_on_accept and state.taken is None:
        return None
    for number in range(state.phase + 1, len(state.terms.phases)):
        if not _is_last_word(state, state.terms.phases[number]) or _has_answer(state):
            return number
    return None


def _has_answer(state: State) -> bool:
    """Whether the accepted price is led by a rival and its bidder may still bid."""
    taken = state.taken
    if taken is None or not state.bidders[taken.bidder].admitted:
        return False
    return rival_lead(state, taken.bidder) is not None


def later(state: State) -> tuple[Phase, ...]:
    return state.terms.phases[state.phase + 1 :]


def waits(state: State, alias: str) -> bool:
    """Whether `alias` took the price of the clock and bids again in the last word only."""
    taken = state.taken
    if taken is None or taken.bidder != alias:
        return False
    return any(_is_last_word(state, phase) for phase in later(state))


def _is_last_word(state: State, phase: Phase) -> bool:
    return state.rules.formats[phase.format].is_last_word
