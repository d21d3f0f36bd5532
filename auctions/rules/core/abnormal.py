"""Abnormally low bids, flagged to the buyer only; a flag never refuses a bid.

A verdict is no event of the log: it depends on what others bid and withdraw later, so it is judged
anew from the state whenever the buyer looks.

Two limits, both included: 40 % below the mean of the other bidders' initial prices, and 30 % below
the price that stands next in the list. With a single bid there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Sequence

from .state import Placed, State

BELOW_MEAN = "below_mean_of_initial"
BELOW_NEXT = "below_next_final"
MEAN_PERCENT = 40
NEXT_PERCENT = 30


def note_initial(state: State, alias: str, placed: Placed) -> None:
    """Remembers the first bid of a bidder who had none."""
    state.bidders[alias].initial = placed
    state.initial_sum += placed.price
    state.initial_count += 1


def strike_initial(state: State, alias: str, struck: Placed) -> None:
    """After a withdrawal: where the first bid was struck out, the oldest left is the first."""
    bidder = state.bidders[alias]
    if bidder.initial is None or bidder.initial.order != struck.order:
        return
    state.initial_sum -= struck.price
    state.initial_count -= 1
    bidder.initial = None
    if bidder.bids:
        note_initial(state, alias, bidder.bids[0])


def reasons(state: State, index: int) -> tuple[str, ...]:
    """Why the bid at this position of the standing is abnormally low; empty when it is not."""
    rows = state.rows
    if len(rows) < 2:
        return ()
    bidder = state.bidders[rows[index][2]]
    assert bidder.initial is not None, "a row of the standing has a bid, and a first one"
    next_price = None
    if index + 1 < len(rows):
        next_price = state.bidders[rows[index + 1][2]].bids[-1].price
    others_sum = state.initial_sum - bidder.initial.price
    others_count = state.initial_count - 1
    return judge(bidder.bids[-1].price, others_sum, others_count, next_price)


def judge(
    price: int, others_initial_sum: int, others_count: int, next_price: int | None
) -> tuple[str, ...]:
    """The decision itself: prices in minor units, the mean given as sum and count."""
    scaled = price * 100
    mean = others_count and scaled * others_count <= others_initial_sum * (100 - MEAN_PERCENT)
    following = next_price is not None and scaled <= next_price * (100 - NEXT_PERCENT)
    if not (mean or following):
        return ()
    return (BELOW_MEAN,) * bool(mean) + (BELOW_NEXT,) * following


def judge_list(initial: Sequence[int], final: Sequence[int], index: int) -> tuple[str, ...]:
    """The same over plain lists, best first; the same index is the same bidder."""
    if len(final) < 2:
        return ()
    following = final[index + 1] if index + 1 < len(final) else None
    return judge(final[index], sum(initial) - initial[index], len(initial) - 1, following)
