"""Automatic bidding: down to a private limit, by the same rules as a bid by hand.

An automatic bidder who does not lead bids the highest price that takes the lead, as long as that is
not below the limit. Two or more of them would answer each other step by step; the end of that is
computed at once, from the weakest limit to the strongest:

- whoever can be beaten by a stronger one goes straight to the own limit;
- the strongest then bids the highest price that beats them;
- when the limits are equal, or closer than the step, the stronger one (of equal limits the one set
  earlier) goes to its own limit and leads. Before it the others bid the lowest price from which
  that bid is still allowed, so a declined award has a next.

A limit that cannot take the lead is refused, so that nobody waits for a bid that never comes.
"""

from __future__ import annotations

from math import ceil, floor

from .answers import refused
from .bidding import ceiling, highest, highest_below, leads_above, objection
from .commands import Auto, Command
from .entry import Ready, scale_for
from .guard import BadPrice, money, read_price
from .outcomes import AnyEvent, AutoSet, Code, Outcome
from .placing import UNMOVED, place
from .scoring import Exact, Scale, WrongAnswer, evaluate, price_at
from .standing import rank_of, rival_lead
from .state import BIDS_PER_BIDDER_MAX, Bidder, Row, State

PASSES_MAX = 1_000
"""Every pass lowers the lead, so this is never reached; but every loop has a limit."""


def set_limit(state: State, command: Command, body: Auto, events: list[AnyEvent]) -> Outcome:
    """Remembers the limit and answers the standing at once; None ends automatic bidding."""
    bidder = state.bidders[body.bidder]
    if body.limit is None:
        end(state, bidder)
        events.append(AutoSet(bidder=body.bidder, limit=None))
        return _told(state, body.bidder, events)
    refusal = _refusal(state, body.bidder, body.limit, events)
    if refusal is not None:
        return refusal
    state.autos_count += bidder.auto_minor is None
    bidder.auto_minor = read_price(state.terms, body.limit)
    bidder.auto_since = command.seq
    events.append(AutoSet(bidder=body.bidder, limit=bidder.auto_minor))
    state.format.extend(state, command.ts, respond(state, command.seq, events), events)
    return _told(state, body.bidder, events)


def end(state: State, bidder: Bidder) -> None:
    """No automatic bids for this bidder any more."""
    state.autos_count -= bidder.auto_minor is not None
    bidder.auto_minor = None


def _told(state: State, alias: str, events: list[AnyEvent]) -> Outcome:
    current = state.bidders[alias].current
    evaluated = None if current is None else str(evaluate(current.scale, current.price))
    return Outcome(accepted=True, rank=rank_of(state, alias), evaluated=evaluated, events=events)


def _refusal(state: State, alias: str, limit: str, events: list[AnyEvent]) -> Outcome | None:
    bidder = state.bidders[alias]
    if not state.format.allows_automatic or not state.terms.shows_lead:
        # Elsewhere the automatic price itself would tell what the others bid.
        detail = "Automatic bidding needs an English auction that shows the lead."
        return refused(Code.MALFORMED, detail, events)
    if state.terms.lines:
        detail = "Automatic bidding names one price; here every line needs its own."
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
    return _cannot_lead(state, alias, price, events)


def _cannot_lead(state: State, alias: str, limit: int, events: list[AnyEvent]) -> Outcome | None:
    """The refusal of a limit by which nothing could ever be bid; None where something can."""
    if not state.rows:
        return None
    scale, lead = _scale(state, alias), rival_lead(state, alias)
    if lead is None:
        best, code = highest(state, alias, scale), Code.STEP_TOO_SMALL
        reason = "You lead, and your next bid would have to be lower than this limit"
    else:
        best, code = highest_below(state, alias, scale, lead[0]), Code.NOT_BELOW_LEAD
        reason = "This limit cannot take the lead"
    if best is not None and best >= limit:
        return None
    if not state.bidders[alias].bids and state.now.step.against == "own":
        # The lead is shown only after an own bid.
        return refused(code, f"{reason}. Bid once by hand to see which price does.", events)
    most = "no lower price is left" if best is None else f"at most {money(state.terms, best)}"
    return refused(code, f"{reason}: {most}.", events, limit=best)


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
    if alias in forced and _reaches_limit(state, alias):
        return limit
    best = _leading_price(state, alias)
    if best is None or best < limit:
        return None
    worth = evaluate(_scale(state, alias), limit)
    if any(_beats(state, rival, alias, worth) for _, _, rival in stronger):
        return limit
    rivals = [rival for _, _, rival in stronger if _reaches_limit(state, rival)]
    if not rivals:
        return best
    forced.add(rivals[-1])
    return _last_price(state, alias, rivals, best)


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
    rows = state.rows
    state.rows = _rows_with(rows, alias, worth)
    best = highest_below(state, rival, _scale(state, rival), worth)
    state.rows = rows
    return best is not None and best >= _limit(state, rival)


def _rows_with(rows: list[Row], alias: str, worth: Exact) -> list[Row]:
    """The standing if `alias` bid `worth` now."""
    return sorted([row for row in rows if row[2] != alias] + [(worth, 2**62, alias)])


def _reaches_limit(state: State, rival: str) -> bool:
    """Whether a stronger `rival` may go to the own limit now; being stronger, it leads there."""
    return objection(state, rival, _scale(state, rival), _limit(state, rival)) is None


def _last_price(state: State, alias: str, rivals: list[str], best: int) -> int | None:
    """The last price that `alias` can bid before `rivals` (weakest first) go below it.

    The strongest goes to its own limit, each before it to the last price that leaves room for the
    next.
    """
    leader, target = rivals[-1], _limit(state, rivals[-1])
    for rival in reversed(rivals[:-1]):
        price = _lowest_above(state, rival, leader, target)
        if price is not None:
            leader, target = rival, price
    price = _lowest_above(state, alias, leader, target)
    if price is None:
        return None
    # Where equal bids are forbidden another bidder may hold just this price; so many can be in use.
    for free in range(price, min(best, price + len(state.rows)) + 1):
        if objection(state, alias, _scale(state, alias), free) is None:
            return free
    return None


def _lowest_above(state: State, alias: str, rival: str, target: int) -> int | None:
    """The lowest price of `alias`, not below the own limit, after which `rival` may still bid
    `target` and lead with it; None where there is none.
    """
    scale, limit = _scale(state, alias), _limit(state, alias)
    worth = evaluate(_scale(state, rival), target)
    least = floor(price_at(scale, worth)) + 1
    for lead in leads_above(state.now.step, worth):
        price = max(limit, least, ceil(price_at(scale, lead)))
        if _leaves_room(state, alias, evaluate(scale, price), rival, target):
            return price
    return None


def _leaves_room(state: State, alias: str, worth: Exact, rival: str, target: int) -> bool:
    """Whether nothing objects to `target` of `rival` once `alias` stands at `worth`."""
    rows = state.rows
    state.rows = _rows_with(rows, alias, worth)
    code = objection(state, rival, _scale(state, rival), target)
    state.rows = rows
    return code is None


def _limit(state: State, alias: str) -> int:
    limit = state.bidders[alias].auto_minor
    assert limit is not None
    return limit


def _scale(state: State, alias: str) -> Scale:
    scale = state.bidders[alias].scale
    assert scale is not None
    return scale
