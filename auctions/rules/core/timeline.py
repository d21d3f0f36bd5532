"""Time: opening, stages, closing, silence and its end. All of it happens through commands only.

The clock of an auction is the time stamp of the command at hand. A heartbeat (`Tick`) every few
seconds proves that the servers were there. When it is silent for longer than `blind_us`, or near
the end of a stage than `near_blind_us`, nobody could have bid, so nothing opens or closes until the
next one, which gives the lost time back.
"""

from __future__ import annotations

from marketplace.kernel.clock import rfc3339

from .hybrid import next_phase
from .outcomes import AnyEvent, Closed, Code, Opened, Paused, Resumed
from .parameters import Phase
from .stages import shift, tell_moved
from .state import State, is_blind


def advance(state: State, ts: int, *, is_tick: bool, events: list[AnyEvent]) -> None:
    """Brings the state to `ts`, before the command itself is decided."""
    if state.status in ("closed", "cancelled"):
        return
    blind = is_blind(state, ts)
    if blind and not is_tick:
        if not state.outage:
            state.outage = True
            events.append(Paused(reason="Waiting for the servers.", outage=True))
        return
    if blind:
        _heal(state, ts, events)
    elif state.status == "scheduled" and ts >= state.terms.starts_at_us:
        _open(state, state.terms.starts_at_us, events)
    if is_tick:
        state.last_tick_us = ts
    settle(state, ts, events)


def settle(state: State, ts: int, events: list[AnyEvent]) -> None:
    """Ends every stage whose end has come."""
    while state.status == "open" and ts >= state.stage.ends_at:
        _stage_over(state, events)


def _open(state: State, at: int, events: list[AnyEvent]) -> None:
    state.status = "open"
    state.outage = False
    started: list[AnyEvent] = []
    _begin_phase(state, at, started)
    events.append(Opened(close_at=state.close_at))
    events.extend(started)


def _begin_phase(state: State, at: int, events: list[AnyEvent]) -> None:
    state.extensions = 0
    state.format.begin(state, at, events)
    later = state.terms.phases[state.phase + 1 :]
    state.close_at += sum(_planned_us(state, phase) for phase in later)


def _planned_us(state: State, phase: Phase) -> int:
    return state.rules.formats[phase.format].planned_us(phase, len(state.bidders))


def _stage_over(state: State, events: list[AnyEvent]) -> None:
    at = state.stage.ends_at
    if state.format.stage_over(state, events):
        finish_phase(state, at, events)


def finish_phase(state: State, at: int, events: list[AnyEvent]) -> None:
    """The next phase begins, or the auction closes."""
    phase = next_phase(state)
    if phase is not None:
        state.enter_phase(phase)
        _begin_phase(state, at, events)
        return
    state.status = "closed"
    state.close_at = at
    winner = state.rows[0][2] if state.rows else None
    events.append(Closed(close_at=at, winner=winner))


def heartbeat_us(state: State, ts: int) -> int:
    """How long after the last heartbeat the next one is due, at `ts`.

    Stages that people end themselves may be near their end from one command to the next.
    """
    terms = state.terms
    if state.status == "paused":
        return terms.heartbeat_us
    if state.format.has_stages or state.stage.ends_at - ts <= terms.near_us:
        return terms.near_heartbeat_us
    return terms.heartbeat_us


def remaining_us(state: State, ts: int) -> int:
    """What was left of the running stage at `ts`, or at the last heartbeat when that is silent.

    After a silence never less than `min_resume_us`.
    """
    if is_blind(state, ts):
        return max(state.stage.ends_at - state.last_tick_us, state.terms.min_resume_us)
    return state.stage.ends_at - ts


def _heal(state: State, ts: int, events: list[AnyEvent]) -> None:
    """The first heartbeat after a silence."""
    if state.status == "scheduled":
        _open(state, ts, events)
        return
    state.outage = False
    shift(state, ts + remaining_us(state, ts) - state.stage.ends_at)
    state.format.after_outage(state, ts)
    events.append(Resumed(close_at=state.close_at, outage=True))
    tell_moved(state, events)


def resume(state: State, ts: int, events: list[AnyEvent], reason: str) -> None:
    """The buyer's resume: exactly the time that was left, or the late opening."""
    state.outage = False
    if ts - state.last_tick_us <= state.terms.blind_us:
        # Silence counts from here on: during a pause heartbeats come less often.
        state.last_tick_us = ts
    if state.left_us is None:
        state.status = "scheduled"
        events.append(Resumed(close_at=state.close_at, reason=reason))
        if ts >= state.terms.starts_at_us and not is_blind(state, ts):
            _open(state, ts, events)
        return
    state.status = "open"
    shift(state, ts + state.left_us - state.stage.ends_at)
    state.left_us = None
    events.append(Resumed(close_at=state.close_at, reason=reason))
    tell_moved(state, events)


def not_now(state: State, ts: int) -> tuple[Code, str] | None:
    """Why nobody may bid at `ts`, with both times; None while bidding is open."""
    if state.status == "open":
        return (Code.PAUSED, _WAITING) if is_blind(state, ts) else None
    if state.status == "paused":
        return Code.PAUSED, f"The buyer paused the auction: {state.pause_reason}"
    if state.status == "cancelled":
        return Code.NOT_OPEN, "The auction was cancelled."
    stamped = f"this was stamped {rfc3339(ts)}."
    if state.status == "closed":
        return Code.LATE, f"The auction closed at {rfc3339(state.close_at)}; {stamped}"
    if is_blind(state, ts):
        return Code.PAUSED, _WAITING
    return Code.NOT_OPEN, f"The auction opens at {rfc3339(state.terms.starts_at_us)}; {stamped}"


_WAITING = "The auction waits for its servers; it goes on with at least the time that was left."
