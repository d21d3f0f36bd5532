"""What must I bid? The exact border of what would be accepted, by the functions that decide it.

Nothing here tells more than the visibility allows: a rank can only be asked for where its price is
shown, and everything is in the bidder's own terms, so no coefficient of a rival shines through.
"""

from __future__ import annotations

from auctions.rules.core.bidding import highest, highest_at, highest_below
from auctions.rules.core.entry import scale_for
from auctions.rules.core.hybrid import waits
from auctions.rules.core.scoring import Scale, WrongAnswer
from auctions.rules.core.state import BIDS_PER_BIDDER_MAX, Bidder, State
from auctions.rules.core.timeline import not_now
from marketplace.kernel.money import MINOR_MAX


def next_max_price(state: State, bidder: str, now_us: int) -> int | None:
    """The highest price in minor units that would be accepted from `bidder` at `now_us`.

    With the answers given so far. MINOR_MAX means that nothing limits it; None that no bid would be
    accepted: not admitted, not open, not the own turn, dropped out, answers missing, no price left.
    On a clock it is the price to accept.
    """
    scale = _scale_now(state, bidder, now_us)
    return None if scale is None else state.format.next_price(state, bidder, scale)


def price_for_rank(state: State, bidder: str, rank: int, now_us: int) -> int | None:
    """The highest acceptable price that gives `bidder` the shown rank `rank` or a better one.

    None where no such price exists or where it would tell what the visibility hides: the lead
    (rank 1) needs `rank_and_lead`, other ranks need `all`, and both an own accepted bid.
    """
    scale = _scale_now(state, bidder, now_us)
    if scale is None or not _may_ask(state, bidder, rank):
        return None
    rivals = [row for row in state.rows if row[2] != bidder]
    if rank > len(rivals):
        return highest(state, bidder, scale)
    evaluated = rivals[rank - 1][0]
    if state.terms.tie_rank == "best":
        return highest_at(state, bidder, scale, evaluated)
    return highest_below(state, bidder, scale, evaluated)


def _may_ask(state: State, bidder: str, rank: int) -> bool:
    if not state.format.tells_price_for_rank or rank < 1 or bidder not in state.row_of:
        return False
    visibility = state.terms.visibility
    return visibility == "all" or (visibility == "rank_and_lead" and rank == 1)


def _scale_now(state: State, alias: str, now_us: int) -> Scale | None:
    """The bidder's scale when a bid at `now_us` would be looked at at all."""
    bidder = state.bidders.get(alias)
    if bidder is None or not bidder.admitted or bidder.bids_count >= BIDS_PER_BIDDER_MAX:
        return None
    if state.status != "open" or not_now(state, now_us) is not None:
        return None
    if now_us >= state.stage.ends_at:
        # What comes next (a close, another turn) is decided by the next command.
        return None
    if waits(state, alias) or not state.format.may_bid(state, alias):
        return None
    return _known_scale(state, bidder)


def _known_scale(state: State, bidder: Bidder) -> Scale | None:
    try:
        scale, _ = scale_for(state, bidder, {})
    except WrongAnswer:
        return None
    return scale


def is_unlimited(price: int) -> bool:
    """Whether `next_max_price` met no border but the largest number there is."""
    return price >= MINOR_MAX
