"""`apply(state, command) -> (state, outcome)`: the only place that knows what a command means.

Pure and deterministic: no clock, no I/O, no randomness. Time comes with the command; what has
become due by then (opening, stages, closing) happens first, then the command itself is decided.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import automatic, controls
from .answers import refused
from .commands import (
    CID_CHARS_MAX,
    Accept,
    Admit,
    Auto,
    Bid,
    Cancel,
    Command,
    Exclude,
    Extend,
    Message,
    Pause,
    Reschedule,
    Resume,
    Tick,
    Withdraw,
)
from .format import Control
from .hybrid import waits
from .outcomes import AnyEvent, Code, Outcome
from .repeats import digest_of, key_of, recall, remember
from .state import State
from .timeline import advance, not_now, settle


class BrokenLog(AssertionError):
    """The log does not continue where the state stands, or was made under rules unknown here."""


def apply(state: State, command: Command) -> tuple[State, Outcome]:
    """Decides one command.

    `state` is consumed: it is changed in place and handed back, use only what is returned. Raises
    BrokenLog when `seq` is not the next one or `ts` does not rise.
    """
    seq, ts, body = command.seq, command.ts, command.body
    if seq != state.seq + 1 or ts <= state.ts:
        raise BrokenLog(f"command {seq} at {ts} does not follow {state.seq} at {state.ts}")
    events: list[AnyEvent] = []
    advance(state, ts, is_tick=type(body) is Tick, events=events)
    state.seq, state.ts = seq, ts
    if not body.cid:
        return state, _decide(state, command, events)
    if len(body.cid) > CID_CHARS_MAX:
        detail = f"A cid has at most {CID_CHARS_MAX} characters."
        return state, refused(Code.MALFORMED, detail, events)
    key, digest = key_of(body), digest_of(command)
    outcome = recall(state, key, digest, events)
    if outcome is None:
        outcome = _decide(state, command, events)
        remember(state, key, digest, seq, outcome)
    return state, outcome


def _decide(state: State, command: Command, events: list[AnyEvent]) -> Outcome:
    body = command.body
    if not isinstance(body, _OF_BIDDERS):
        return _control(state, command, events)
    bidder = state.bidders.get(body.bidder)
    if bidder is None or not bidder.admitted:
        return refused(Code.NOT_ADMITTED, "You are not admitted to this auction.", events)
    # `advance` has just said whether the servers were silent; `not_now` says why nobody may bid.
    if state.status != "open" or state.outage:
        reason = not_now(state, command.ts)
        assert reason is not None, "closed to bids"
        return refused(reason[0], reason[1], events)
    if isinstance(body, Accept):
        outcome = state.format.accept(state, command, body, events)
        # An accepted price may end a clock at once; `events` are those of the outcome.
        settle(state, command.ts, events)
        return outcome
    if state.taken is not None and waits(state, body.bidder):
        return refused(Code.NOT_YOUR_TURN, _LAST_WORD, events)
    if isinstance(body, Bid):
        return state.format.bid(state, command, body, events)
    return automatic.set_limit(state, command, body, events)


def _control(state: State, command: Command, events: list[AnyEvent]) -> Outcome:
    body = command.body
    if isinstance(body, Tick):
        return Outcome(accepted=True, events=events)
    gone = controls.over(state, command.ts, events)
    if gone is not None:
        return gone
    return state.rules.controls[type(body)](state, command, body, events)


_LAST_WORD = "You accepted the price of the clock; you have the last word when the others have bid."
_OF_BIDDERS = (Bid, Accept, Auto)
CONTROLS: Mapping[type, Control] = {
    Admit: controls.admit,
    Exclude: controls.exclude,
    Pause: controls.pause,
    Resume: controls.resume,
    Extend: controls.extend,
    Reschedule: controls.reschedule,
    Cancel: controls.cancel,
    Withdraw: controls.withdraw,
    Message: controls.message,
}
