"""Automatic bidding: down to a private limit, by the same rules as a bid by hand.

An automatic bidder who does not lead bids the highest price that takes the lead, as long as that is
not below the limit. Two or more of them would answer each other step by step; the end of that is
computed at once, from the weakest limit to the strongest:

- whoever can be beaten by a stronger one goes straight to the own limit;
- the strongest then bids the highest price that beats them;
- when the limits are equal, or closer than the step, the stronger one (of equal limits the one set
  earlier) goes to its own limit first, and the other stays where it is.
"""

from __future__ import annotations

from .answers import refused
from .bidding import ceiling, highest, highest_below, objection
from .commands import Auto, Command
from .entry import Ready, scale_for
from .guard import BadPrice, money, read_price
from .outcomes import AnyEvent, AutoSet, Code, Outcome
from .overtime import extend
from .placing import UNMOVED, place
from .scoring import Exact, Scale, WrongAnswer, evaluate
from .standing import rank_of, rival_lead
from .state import BIDS_PER_BIDDER_MAX, Bidder, State

PASSES_MAX = 1_000
"""Every pass lowers the lead, so this is never reached; but every loop has a limit."""


def set_limit(state: State, command: Command, body: Auto, events: list[AnyEvent]) -> Outcome:
    """Remembers the limit and answers the standing at once; None ends automatic bidding."""
    bidder = state.bidders[body.bidder]
    if body.limit is None:
        end(state, bidder)
        events.append(AutoSet(bidder=body.bidder, limit=None))
        return _told(state, body.bidder, events)
    refusal = _refusal(state, bidder, body.limit, events)
    if refusal is not None:
        return refusal
    state.autos_count += bidder.auto_minor is None
    bidder.auto_minor = read_price(state.terms, body.limit)
    bidder.auto_since = command.seq
    events.append(AutoSet(bidder=body.bidder, limit=bidder.auto_minor))
    extend(state, command.ts, respond(state, command.seq, events), events)
    return _told(state, body.bidder, events)


def end(state: State, bidder: Bidder) -> None:
    """No automatic bids for this bidder any more."""
    state.autos_count -= bidder.auto_minor is not None
    bidder.auto_minor = None


def _told(state: State, alias: str, events: list[AnyEvent]) -> Outcome:
    current = state.bidders[alias].current
    evaluated = None if current is None else str(evaluate(current.scale, current.price))
    return Outcome(accepted=True, rank=rank_of(state, alias), evaluated=evaluated, events=events)


def _refusal(state: State, bidder: Bidder, limit: str, events: list[AnyEvent]) -> Outcome | None:
    if state.now.format != "english" or not state.terms.shows_lead:
        # Elsewhere the automatic price itself would tell what the others bid.
        detail = "Automatic bidding needs an English auction that shows the lead."
        return refused(Code.MALFORMED, detail, events)
    try:
        price = read_price(state.terms, limit)
        scale, _ = scale_for(state, bidder, {})
    except BadPrice as error:
        return refused(error.code, error.detail, events)
    except WrongAnswer as error:
        return refused(Code.MALFORMED, f"Bid once by hand first. {error}", events)
    bidder.scale = scale
    top = ceiling(state)
    if price > top:
        detail = f"The ceiling is {money(state.terms, top)}."
        return refused(Code.ABOVE_CEILING, detail, events, limit=top)
    return None


def respond(state: State, seq: int, events: list[AnyEvent]) -> int:
    """Lets automatic bidders answer until none of them wants to any more.

    Returns the best position that changed its holder, UNMOVED for none.
    """
    moved = UNMOVED
    for _ in range(PASSES_MAX):
        bids = _pass(state, seq, events)
        moved = min(moved, bids)
        if bids == UNMOVED:
            break
    return moved


def _pass(state: State, seq: int, events: list[AnyEvent]) -> int:
    """One walk from the weakest limit to the strongest."""
    moved = UNMOVED
    contenders = _weakest_first(state)
    forced: set[str] = set()
    for index, (_, _, alias) in enumerate(contenders):
        price = _answer(state, alias, contenders[index + 1 :], forced)
        if price is not None:
            ready = Ready(price, _scale(state, alias), auto=True)
            moved = min(moved, place(state, seq, alias, ready, events))
    return moved


def _weakest_first(state: State) -> list[tuple[Exact, int, str]]:
    limits = [
        (evaluate(bidder.scale, bidder.auto_minor), bidder.auto_since, alias)
        for alias, bidder in state.bidders.items()
        if bidder.auto_minor is not None
        and bidder.scale is not None
        and bidder.bids_count < BIDS_PER_BIDDER_MAX
    ]
    return sorted(limits, reverse=True)


def _answer(
    state: State, alias: str, stronger: list[tuple[Exact, int, str]], forced: set[str]
) -> int | None:
    """The price this automatic bidder names now, or None. May force a stronger one to its limit."""
    limit = _limit(state, alias)
    if alias in forced:
        # Nobody in between could bid, else it had been forced instead: the limit still leads.
        return limit
    best = _leading_price(state, alias)
    if best is None or best < limit:
        return None
    worth = evaluate(_scale(state, alias), limit)
    if any(_beats(state, rival, alias, worth) for _, _, rival in stronger):
        return limit
    for _, _, rival in stronger:
        if _reaches_limit(state, rival):
            forced.add(rival)
            return None
    return best


def _leading_price(state: State, alias: str) -> int | None:
    """The highest acceptable price that takes the lead; None for the leader."""
    lead = rival_lead(state, alias)
    if lead is not None:
        return highest_below(state, alias, _scale(state, alias), lead[0])
    if state.rows or state.terms.ceiling_minor is None:
        return None
    return highest(state, alias, _scale(state, alias))


def _beats(state: State, rival: str, alias: str, worth: Exact) -> bool:
    """Whether `rival` could still take the lead if `alias` stood at `worth`."""
    kept = state.rows
    state.rows = sorted([row for row in kept if row[2] != alias] + [(worth, 2**62, alias)])
    best = highest_below(state, rival, _scale(state, rival), worth)
    state.rows = kept
    return best is not None and best >= _limit(state, rival)


def _reaches_limit(state: State, rival: str) -> bool:
    """Whether a stronger `rival` may go to the own limit now; being stronger, it leads there."""
    return objection(state, rival, _scale(state, rival), _limit(state, rival)) is None


def _limit(state: State, alias: str) -> int:
    limit = state.bidders[alias].auto_minor
    assert limit is not None
    return limit


def _scale(state: State, alias: str) -> Scale:
    scale = state.bidders[alias].scale
    assert scale is not None
    return scale
