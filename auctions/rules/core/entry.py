"""From the text a bidder sent to a bid that may stand: reading, answers, limits, doubts."""

from __future__ import annotations

import msgspec

from .answers import refused, refused_price
from .bidding import free_highest, free_objection, highest, objection
from .commands import Bid
from .guard import BadPrice, confirmation_token, doubt, read_lines, read_price
from .outcomes import AnyEvent, Code, Outcome
from .scoring import Scale, WrongAnswer, scale_of
from .state import BIDS_PER_BIDDER_MAX, Bidder, State


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A bid to which nothing objects; `answers` is None when they stay as they were."""

    price: int
    scale: Scale
    answers: dict[str, str] | None = None
    auto: bool = False
    surrogate: bool = False
    lines: tuple[int, ...] = ()


def examine(
    state: State, body: Bid, events: list[AnyEvent], *, free: bool = False
) -> Ready | Outcome:
    """The bid ready to stand, or its refusal. `free`: no step counts (sealed bids)."""
    bidder = state.bidders[body.bidder]
    lines: tuple[int, ...] = ()
    if bidder.bids_count >= BIDS_PER_BIDDER_MAX:
        return refused(Code.TOO_MANY, f"At most {BIDS_PER_BIDDER_MAX} bids.", events)
    try:
        price = read_price(state.terms, body.price)
        if body.lines or state.terms.lines:
            lines = read_lines(state.terms, body.lines, price)
        scale, answers = scale_for(state, bidder, body.attributes)
    except BadPrice as error:
        return refused(error.code, error.detail, events)
    except WrongAnswer as error:
        return refused(Code.MALFORMED, str(error), events)
    alias = body.bidder
    code = (free_objection if free else objection)(state, alias, scale, price)
    if code is not None:
        best = (free_highest if free else highest)(state, alias, scale)
        return refused_price(state, code, price, best, events)
    question = doubt(state, alias, scale, price)
    if question is not None:
        token = confirmation_token(state.terms, alias, price)
        if body.confirm != token:
            return refused(Code.CONFIRM_REQUIRED, question, events, token=token)
    return Ready(price, scale, answers, False, body.surrogate is not None, lines)


def scale_for(
    state: State, bidder: Bidder, given: dict[str, str]
) -> tuple[Scale, dict[str, str] | None]:
    """The scale with these answers over the former ones. Raises WrongAnswer."""
    if bidder.scale is not None and not given:
        return bidder.scale, None
    answers = {**bidder.answers, **given}
    scale = scale_of(
        state.terms,
        answers,
        keep_ppm=bidder.keep_ppm,
        bonus_minor=bidder.bonus_minor,
        rating=bidder.rating,
    )
    return scale, answers
