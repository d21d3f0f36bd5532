"""Puts an accepted bid into the standing and tells about it."""

from __future__ import annotations

from . import abnormal
from .entry import Ready
from .outcomes import AnyEvent, BidPlaced
from .standing import put, rank_at
from .state import Placed, State

UNMOVED = 2**31
"""Position of a bid that changed nobody's rank."""


def new_bid(state: State, seq: int, alias: str, ready: Ready) -> Placed:
    """An accepted bid with the next order number; it is not in the standing yet."""
    bidder, scale, order = state.bidders[alias], ready.scale, state.bids_count + 1
    if bidder.scale is not scale:
        bidder.scale = scale
    if ready.answers is not None:
        bidder.answers = ready.answers
    bidder.bids_count += 1
    state.bids_count = order
    return Placed(seq, order, ready.price, scale, ready.auto, ready.surrogate, ready.lines)


def place(state: State, seq: int, alias: str, ready: Ready, events: list[AnyEvent]) -> int:
    """Accepts a bid, which stands at once. Returns the best position that changed its holder."""
    return stand(state, alias, new_bid(state, seq, alias, ready), events)


def stand_pending(state: State, events: list[AnyEvent]) -> None:
    """What was named in the stage stands now, in the order in which it was named."""
    for alias, placed in sorted(state.pending.items(), key=lambda item: item[1].order):
        stand(state, alias, placed, events)
    state.pending = {}


def stand(state: State, alias: str, placed: Placed, events: list[AnyEvent]) -> int:
    """Lets an accepted bid stand: standing, initial prices, event."""
    bidder = state.bidders[alias]
    before, after = put(state, bidder, alias, placed)
    if before is None:
        abnormal.note_initial(state, alias, placed)
    events.append(
        BidPlaced(
            bidder=alias,
            price=placed.price,
            evaluated=str(state.rows[after][0]),
            rank=rank_at(state, after),
            auto=placed.auto,
            surrogate=placed.surrogate,
        )
    )
    return UNMOVED if before == after else after
