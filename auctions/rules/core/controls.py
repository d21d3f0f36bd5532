"""The buyer's commands: who takes part, pause, resume, extend, cancel, withdraw, message."""

from __future__ import annotations

import msgspec

from marketplace.kernel.money import MINOR_MAX

from . import abnormal, automatic
from .answers import refused
from .bidding import ceiling
from .commands import (
    ALIAS_CHARS_MAX,
    TEXT_CHARS_MAX,
    Admit,
    Cancel,
    Command,
    Exclude,
    Extend,
    Message,
    Pause,
    Reschedule,
    Resume,
    Withdraw,
)
from .entry import Ready
from .guard import BadPrice, read_lines, read_price
from .hybrid import give_back
from .outcomes import (
    Admitted,
    Announced,
    AnyEvent,
    BidWithdrawn,
    Cancelled,
    Code,
    Excluded,
    Extended,
    Outcome,
    Paused,
    Rescheduled,
)
from .parameters import BIDDERS_MAX
from .placing import place
from .scoring import WrongAnswer, read_keep_ppm, read_rating, scale_of
from .stages import shift, tell_moved
from .standing import strike
from .state import Bidder, State
from .timeline import not_now, remaining_us
from .timeline import resume as resume_at

EXTEND_S_MAX = 7 * 86_400
POSTPONE_S_MAX = 366 * 86_400
"""Longer ahead nobody plans an auction; a typing mistake is more likely."""

EXTENSION_BY_BUYER = 0
FINAL = ("closed", "cancelled")


def over(state: State, ts: int, events: list[AnyEvent]) -> Outcome | None:
    """The refusal when nothing can be done any more."""
    reason = not_now(state, ts)
    if state.status in FINAL and reason is not None:
        return refused(reason[0], reason[1], events)
    return None


def accepted(events: list[AnyEvent]) -> Outcome:
    return Outcome(accepted=True, events=events)


def wrong_text(text: str, events: list[AnyEvent]) -> Outcome | None:
    if 1 <= len(text) <= TEXT_CHARS_MAX:
        return None
    return refused(Code.MALFORMED, f"A text of 1 to {TEXT_CHARS_MAX} characters is needed.", events)


def admit(state: State, command: Command, body: Admit, events: list[AnyEvent]) -> Outcome:
    if not 1 <= len(body.bidder) <= ALIAS_CHARS_MAX:
        return refused(Code.MALFORMED, f"An alias has 1 to {ALIAS_CHARS_MAX} characters.", events)
    known = state.bidders.get(body.bidder)
    if known is None and len(state.bidders) >= BIDDERS_MAX:
        return refused(Code.TOO_MANY, f"At most {BIDDERS_MAX} bidders.", events)
    try:
        bidder = _read_bidder(state, body)
        offer = None if body.offer is None else _read_offer(state, body, bidder)
    except WrongAnswer as error:
        return refused(Code.MALFORMED, str(error), events)
    except BadPrice as error:
        return refused(error.code, error.detail, events)
    if below_minimum(state, body.rating):
        detail = f"The lowest rating admitted here is {state.terms.min_rating}."
        return refused(Code.NOT_ADMITTED, detail, events)
    if known is not None and known.bids:
        return _readmit(known, bidder, body, events)
    if known is not None:
        automatic.end(state, known)
        bidder.number = known.number
    state.bidders[body.bidder] = bidder
    events.append(Admitted(bidder=body.bidder))
    if offer is not None:
        place(state, command.seq, body.bidder, offer, events)
    return accepted(events)


def _read_bidder(state: State, body: Admit) -> Bidder:
    """Raises WrongAnswer."""
    read_rating(body.rating)
    if abs(body.bonus_minor) > MINOR_MAX:
        raise WrongAnswer("bonus_minor is too large.")
    bidder = Bidder(
        number=len(state.bidders),
        keep_ppm=read_keep_ppm(body.bonus_percent),
        bonus_minor=body.bonus_minor,
        rating=body.rating,
        answers=dict(body.attributes),
    )
    scoring = state.terms.scoring
    asked = scoring.costs or any(feature.source == "options" for feature in scoring.features)
    if body.attributes or not asked:
        bidder.scale = scale_of(
            state.terms,
            body.attributes,
            keep_ppm=bidder.keep_ppm,
            bonus_minor=bidder.bonus_minor,
            rating=bidder.rating,
        )
    return bidder


def _read_offer(state: State, body: Admit, bidder: Bidder) -> Ready:
    """Raises BadPrice or WrongAnswer."""
    if state.status != "scheduled" or state.format.is_clock:
        raise WrongAnswer(
            "Offers are taken before the opening, and not where a clock names prices."
        )
    price = read_price(state.terms, body.offer)
    if price > ceiling(state):
        raise BadPrice(Code.ABOVE_CEILING, "The offer is above the ceiling.")
    if bidder.scale is None:
        raise WrongAnswer("The offer needs its answers.")
    lines = read_lines(state.terms, body.lines, price)
    return Ready(price, bidder.scale, lines=lines)


def _readmit(known: Bidder, bidder: Bidder, body: Admit, events: list[AnyEvent]) -> Outcome:
    """Who has bid comes back on the same terms only: bids that stand keep their worth."""
    same = (known.keep_ppm, known.bonus_minor, known.rating) == (
        bidder.keep_ppm,
        bidder.bonus_minor,
        bidder.rating,
    )
    if not same or body.offer is not None:
        return refused(Code.OUT_OF_RANGE, "This bidder has bid already on other terms.", events)
    known.admitted = True
    events.append(Admitted(bidder=body.bidder))
    return accepted(events)


def below_minimum(state: State, rating: str | None) -> bool:
    """Not rated yet is not a low rating."""
    points = read_rating(rating)
    minimum = read_rating(state.terms.min_rating)
    return points is not None and minimum is not None and points < minimum


def exclude(state: State, command: Command, body: Exclude, events: list[AnyEvent]) -> Outcome:
    bidder = state.bidders.get(body.bidder)
    if bidder is None or not bidder.admitted:
        return refused(Code.NOT_ADMITTED, "There is no such bidder.", events)
    refusal = wrong_text(body.reason, events)
    if refusal is not None:
        return refusal
    automatic.end(state, bidder)
    bidder.admitted = False
    state.pending.pop(body.bidder, None)
    events.append(Excluded(bidder=body.bidder, reason=body.reason))
    return accepted(events)


def pause(state: State, command: Command, body: Pause, events: list[AnyEvent]) -> Outcome:
    if state.status == "paused":
        return refused(Code.PAUSED, "The auction is paused already.", events)
    refusal = wrong_text(body.reason, events)
    if refusal is not None:
        return refusal
    opened = state.status == "open"
    state.left_us = remaining_us(state, command.ts) if opened else None
    state.status = "paused"
    state.pause_reason = body.reason
    events.append(Paused(reason=body.reason))
    return accepted(events)


def resume(state: State, command: Command, body: Resume, events: list[AnyEvent]) -> Outcome:
    if state.status != "paused":
        return refused(Code.NOT_OPEN, "The auction is not paused by the buyer.", events)
    if len(body.reason) > TEXT_CHARS_MAX:
        return refused(Code.MALFORMED, f"At most {TEXT_CHARS_MAX} characters.", events)
    resume_at(state, command.ts, events, body.reason)
    return accepted(events)


def extend(state: State, command: Command, body: Extend, events: list[AnyEvent]) -> Outcome:
    if state.status == "scheduled":
        return refused(Code.NOT_OPEN, "The auction has not opened yet.", events)
    refusal = wrong_text(body.reason, events)
    if refusal is not None:
        return refusal
    if not 1 <= body.seconds <= EXTEND_S_MAX:
        return refused(Code.OUT_OF_RANGE, f"Between 1 and {EXTEND_S_MAX} seconds.", events)
    if state.status == "paused" and state.left_us is None:
        return refused(Code.NOT_OPEN, "The auction has not opened yet.", events)
    by_us = body.seconds * 1_000_000
    shift(state, by_us)
    if state.left_us is not None:
        state.left_us += by_us
    events.append(Extended(close_at=state.close_at, number=EXTENSION_BY_BUYER, reason=body.reason))
    tell_moved(state, events)
    return accepted(events)


def reschedule(state: State, command: Command, body: Reschedule, events: list[AnyEvent]) -> Outcome:
    """Only before the opening, and only later: nobody misses an auction by it."""
    if state.status != "scheduled":
        return refused(Code.LATE, "The auction has begun.", events)
    refusal = wrong_text(body.reason, events)
    if refusal is not None:
        return refusal
    later_us = body.starts_at_us - state.terms.starts_at_us
    if not 0 < later_us <= POSTPONE_S_MAX * 1_000_000:
        detail = f"A start moves later, by at most {POSTPONE_S_MAX // 86_400} days at once."
        return refused(Code.OUT_OF_RANGE, detail, events)
    state.terms = msgspec.structs.replace(state.terms, starts_at_us=body.starts_at_us)
    shift(state, later_us)
    events.append(
        Rescheduled(starts_at=body.starts_at_us, close_at=state.close_at, reason=body.reason)
    )
    return accepted(events)


def cancel(state: State, command: Command, body: Cancel, events: list[AnyEvent]) -> Outcome:
    refusal = wrong_text(body.reason, events)
    if refusal is not None:
        return refusal
    state.status = "cancelled"
    events.append(Cancelled(reason=body.reason))
    return accepted(events)


def message(state: State, command: Command, body: Message, events: list[AnyEvent]) -> Outcome:
    refusal = wrong_text(body.text, events)
    if refusal is not None:
        return refusal
    events.append(Announced(text=body.text))
    return accepted(events)


def withdraw(state: State, command: Command, body: Withdraw, events: list[AnyEvent]) -> Outcome:
    refusal = wrong_text(body.reason, events)
    if refusal is not None:
        return refusal
    alias = body.bidder or _bidder_of(state, body.bid_seq)
    struck = strike(state, alias, body.bid_seq) if alias in state.bidders else None
    if struck is None:
        detail = f"No bid with the number {body.bid_seq} is in the books any more."
        return refused(Code.OUT_OF_RANGE, detail, events)
    abnormal.strike_initial(state, alias, struck)
    give_back(state, struck)
    # Else the automatic would put the struck bid back at once.
    automatic.end(state, state.bidders[alias])
    events.append(BidWithdrawn(bidder=alias, bid_seq=body.bid_seq, reason=body.reason))
    if state.autos_count and state.format.allows_automatic and not_now(state, command.ts) is None:
        automatic.respond(state, command.seq, events)
    return accepted(events)


def _bidder_of(state: State, bid_seq: int) -> str:
    """Whose bid it is: by hand before automatic, then in the order of acceptance; "" when gone."""
    found = [
        (placed.auto, placed.order, alias)
        for alias, bidder in state.bidders.items()
        for placed in bidder.bids
        if placed.seq == bid_seq
    ]
    return min(found)[2] if found else ""
