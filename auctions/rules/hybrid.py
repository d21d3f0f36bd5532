"""What a Dutch clock hands on to the phases after it.

    dutch        the first accept ends the clock; its price is the one to beat
    in between   the others bid below that price; whoever accepted waits, if a last word follows
    last_word    whoever accepted may answer, where a rival leads now

This is the order of the hybrid Dutch auctions of openprocurement.auction.insider (Dutch, sealed
bids, best bid), mirrored for purchases. A clock that nobody accepts ends the whole auction: nobody
wanted the highest price, so nobody would go below it.
"""

from __future__ import annotations

from .parameters import Phase
from .standing import rival_lead
from .state import Placed, State, Taken, top_of

LAST_WORD = "last_word"


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
    if state.now.format == "dutch" and state.taken is None:
        return None
    for number in range(state.phase + 1, len(state.terms.phases)):
        if state.terms.phases[number].format != LAST_WORD or _has_answer(state):
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
    return any(phase.format == LAST_WORD for phase in later(state))
