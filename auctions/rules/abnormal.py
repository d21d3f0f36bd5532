"""Abnormally low bids, flagged to the buyer only; a flag never refuses a bid.

Two limits, both included: 40 % below the mean of the other bidders' initial prices, and 30 % below
the price that stands next in the list. With a single bid there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Sequence

from .state import Bidder, State

BELOW_MEAN = "below_mean_of_initial"
BELOW_NEXT = "below_next_final"
MEAN_PERCENT = 40
NEXT_PERCENT = 30


def note_initial(state: State, alias: str, price: int) -> None:
    """Remembers the first price of a bidder."""
    bidder = state.bidders[alias]
    if bidder.initial_minor is None:
        bidder.initial_minor = price
        state.initial_sum += price
        state.initial_count += 1


def forget_initial(state: State, alias: str) -> None:
    """A bidder without a bid has no initial price either."""
    bidder = state.bidders[alias]
    if bidder.initial_minor is not None and not bidder.bids:
        state.initial_sum -= bidder.initial_minor
        state.initial_count -= 1
        bidder.initial_minor = None


def reasons(state: State, bidder: Bidder, index: int) -> tuple[str, ...]:
    """Why the bid at this position of the standing is abnormally low; empty when it is not."""
    rows, initial = state.rows, bidder.initial_minor
    if len(rows) < 2:
        return ()
    # Whoever has a row has a bid, and a first one.
    assert initial is not None
    next_price = None
    if index + 1 < len(rows):
        next_price = state.bidders[rows[index + 1][2]].bids[-1].price
    others_sum, others_count = state.initial_sum - initial, state.initial_count - 1
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
