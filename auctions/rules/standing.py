"""The ordered standing: a row for each bidder with a bid, best first, kept sorted by bisection."""

from __future__ import annotations

from bisect import bisect_left, insort

from .scoring import evaluate
from .state import HISTORY_MAX, Bidder, Placed, Row, State

_LAST = 2**62


def row_of(alias: str, placed: Placed) -> Row:
    return evaluate(placed.scale, placed.price), placed.order, alias


def position(state: State, alias: str) -> int | None:
    """0 for the best; None without a bid."""
    placed = state.bidders[alias].current
    return None if placed is None else bisect_left(state.rows, row_of(alias, placed))


def put(state: State, alias: str, placed: Placed) -> tuple[int | None, int]:
    """Makes `placed` the bid that stands; returns the positions before and after."""
    bidder = state.bidders[alias]
    before = position(state, alias)
    if before is not None:
        del state.rows[before]
    row = row_of(alias, placed)
    insort(state.rows, row)
    bidder.bids.append(placed)
    if len(bidder.bids) > HISTORY_MAX:
        del bidder.bids[0]
    return before, bisect_left(state.rows, row)


def strike(state: State, alias: str, bid_seq: int) -> bool:
    """Takes the newest bid with that number away; an older one of the bidder stands again."""
    bidder = state.bidders[alias]
    for index in range(len(bidder.bids) - 1, -1, -1):
        if bidder.bids[index].seq == bid_seq:
            _strike_at(state, alias, bidder, index)
            return True
    return False


def _strike_at(state: State, alias: str, bidder: Bidder, index: int) -> None:
    before = position(state, alias)
    assert before is not None
    del state.rows[before]
    del bidder.bids[index]
    if bidder.current is not None:
        insort(state.rows, row_of(alias, bidder.current))


def rank_at(state: State, index: int) -> int:
    """The rank shown for a position: equal ones share the best or the worst of their places."""
    if state.terms.tie_rank == "order":
        return index + 1
    evaluated = state.rows[index][0]
    if state.terms.tie_rank == "best":
        return bisect_left(state.rows, (evaluated, -1, "")) + 1
    return bisect_left(state.rows, (evaluated, _LAST, ""))


def rank_of(state: State, alias: str) -> int | None:
    index = position(state, alias)
    return None if index is None else rank_at(state, index)


def rival_lead(state: State, alias: str) -> Row | None:
    """The best row when somebody else holds it."""
    return state.rows[0] if state.rows and state.rows[0][2] != alias else None
