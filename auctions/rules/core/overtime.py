"""Overtime: a late bid that matters moves the close."""

from __future__ import annotations

from .outcomes import AnyEvent, Extended
from .stages import shift
from .state import State


def extend(state: State, ts: int, moved: int, events: list[AnyEvent]) -> None:
    """Overtime: once for each command, however many automatic bids it woke.

    `moved` is the best position that changed its holder, 0 for the lead, UNMOVED for none.
    """
    overtime = state.now.overtime
    if overtime is None or state.stage.ends_at - ts > overtime.window_us:
        return
    if overtime.trigger_rank is not None and moved >= overtime.trigger_rank:
        return
    if overtime.limit is not None and state.extensions >= overtime.limit:
        return
    start = state.stage.ends_at if overtime.counted_from == "close" else ts
    gained_us = start + overtime.extend_us - state.stage.ends_at
    if gained_us <= 0:
        return
    state.extensions += 1
    shift(state, gained_us)
    events.append(Extended(close_at=state.close_at, number=state.extensions))
