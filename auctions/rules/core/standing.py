"""The ordered standing: a row for each bidder with a bid, best first, kept sorted by bisection."""

from __future__ import annotations

from bisect import bisect_left

from .scoring import PLAIN, Exact, evaluate
from .state import HISTORY_MAX, Bidder, Placed, Row, State

_LAST = 2**62


def position(state: State, alias: str) -> int | None:
    """0 for the best; None without a bid."""
    row = state.row_of.get(alias)
    return None if row is None else bisect_left(state.rows, row)


def put(state: State, bidder: Bidder, alias: str, placed: Placed) -> tuple[int | None, int]:
    """Makes `placed` the bid that stands; returns the positions before and after."""
    rows, former, before = state.rows, state.row_of.get(alias), None
    if former is not None:
        before = bisect_left(rows, former)
        del rows[before]
    bids = bidder.bids
    bids.append(placed)
    if len(bids) > HISTORY_MAX:
        del bids[0]
    return before, _insert(state, alias, placed)


def _insert(state: State, alias: str, placed: Placed) -> int:
    rows, scale = state.rows, placed.scale
    evaluated: Exact = placed.price if scale is PLAIN else evaluate(scale, placed.price)
    row = evaluated, placed.order, alias
    after = bisect_left(rows, row)
    rows.insert(after, row)
    state.row_of[alias] = row
    return after


def strike(state: State, alias: str, bid_seq: int) -> Placed | None:
    """Takes the newest bid with that number away and returns it; an older one of the bidder stands
    again. None where there is no such bid.
    """
    bids = state.bidders[alias].bids
    for index in range(len(bids) - 1, -1, -1):
        if bids[index].seq == bid_seq:
            state.rows.remove(state.row_of.pop(alias))
            struck = bids.pop(index)
            if bids:
                _insert(state, alias, bids[-1])
            return struck
    return None


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
