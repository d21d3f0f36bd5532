"""The outcomes that every format gives: refusals, and what a placed bid tells its bidder."""

from __future__ import annotations

from .guard import money
from .outcomes import AnyEvent, Code, Outcome
from .state import State


def refused(
    code: Code,
    detail: str,
    events: list[AnyEvent],
    *,
    limit: int | None = None,
    token: str | None = None,
) -> Outcome:
    """`events` are those that time brought before the command was looked at."""
    return Outcome(
        accepted=False, code=code, detail=detail, limit=limit, token=token, events=events
    )


def refused_price(
    state: State, code: Code, price: int, limit: int | None, events: list[AnyEvent]
) -> Outcome:
    """A price that the rules object to, with the highest one they would take."""
    best = "no lower price is left" if limit is None else f"at most {money(state.terms, limit)}"
    why = _REASONS[code]
    if code is Code.ABOVE_CEILING and state.taken is not None:
        why = "is not below the price accepted on the clock"
    reason = f"{money(state.terms, price)} {why}; you may bid {best}."
    return refused(code, reason, events, limit=limit)


_REASONS = {
    Code.ABOVE_CEILING: "is above the ceiling",
    Code.STEP_TOO_SMALL: "does not improve enough",
    Code.NOT_BELOW_LEAD: "does not beat the lead by enough",
    Code.TIE_FORBIDDEN: "is taken: equal bids are not allowed here",
}


def no_accept(events: list[AnyEvent]) -> Outcome:
    """Formats without a clock price."""
    return refused(Code.MALFORMED, "Name a price: this auction has no steps to accept.", events)


def no_bid(events: list[AnyEvent]) -> Outcome:
    """Formats with a clock price."""
    return refused(Code.MALFORMED, "Accept a step: prices are not named in this auction.", events)
