"""What happened, as `event` frames for each audience; what an audience may not see leaves no frame.

The buyer's and the `all` standing are kept up to date by the frames:

- a frame with `standing` replaces the whole list; the buyer gets it with every bid and withdrawal,
  because one bid may make another abnormally low, or end that;
- `bid` removes the row of that alias and inserts the new one at its `rank`;
- `withdrawn` does the same with `row`, or only removes when `row` is null.

The `lead` audience gets `bid` only when the best price changed; its `standing` is that one row.

Who sends fewer frames than there were (conflation) drops the older `bid` frames and puts
`visibility.standing_view` of the newest state into the last frame instead: that replaces the list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auctions.rules.core.commands import Command
from auctions.rules.core.outcomes import (
    Admitted,
    Announced,
    AnyEvent,
    AutoSet,
    BidPlaced,
    BidWithdrawn,
    Cancelled,
    Closed,
    DroppedOut,
    Excluded,
    Extended,
    Opened,
    Outcome,
    Paused,
    Rescheduled,
    Resumed,
    Stage,
)
from auctions.rules.core.standing import position
from auctions.rules.core.state import State
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.money import format_minor

from .visibility import SEES_ROWS, Audience, lead_view, row_view, standing_view

Frame = dict[str, Any]


def project(state: State, command: Command, outcome: Outcome, key: Audience) -> list[Frame]:
    """The frames (without `type`) of one command, `state` being the one after it.

    Each has seq, ts (RFC 3339) and kind. A refused command still tells what time brought.
    """
    frames = event_frames(state, command, outcome.events, key)
    if frames and key in SEES_ROWS and _needs_all(state, outcome.events, key):
        frames[-1]["standing"] = standing_view(state, key)
    return frames


def event_frames(
    state: State, command: Command, events: list[AnyEvent], key: Audience
) -> list[Frame]:
    """The same without the whole standing, for a caller that adds it once for many commands."""
    frames: list[Frame] = []
    for event in events:
        fields = _FIELDS[type(event)](state, event, key)
        if fields is not None:
            kind = event.__struct_config__.tag
            frames.append({"seq": command.seq, "ts": rfc3339(command.ts), "kind": kind, **fields})
    return frames


def _needs_all(state: State, events: list[AnyEvent], key: Audience) -> bool:
    """Whether single rows would not do: several changes at once, shared ranks, flags that a bid
    changes beside its own, or the opening.
    """
    changes = sum(isinstance(event, BidPlaced | BidWithdrawn) for event in events)
    shared = changes and (key == "buyer" or state.terms.tie_rank != "order")
    return changes > 1 or bool(shared) or any(isinstance(event, Opened) for event in events)


def _opened(state: State, event: Opened, key: Audience) -> Frame | None:
    return {"close_at": rfc3339(event.close_at)}


def _bid(state: State, event: BidPlaced, key: Audience) -> Frame | None:
    index = position(state, event.bidder)
    if key in ("public", "result") or index is None:
        return None
    if state.status == "scheduled" and key != "buyer":
        return None
    if key == "lead":
        return lead_view(state) | {"standing": [lead_view(state)]} if index == 0 else None
    row = row_view(state, index, key)
    if key != "buyer":
        return row
    # `seq` of a frame is that of the command; a bid that was kept back has a number of its own.
    bid_seq = row.pop("seq")
    return row | {"bid_seq": bid_seq, "auto": event.auto, "surrogate": event.surrogate}


def _withdrawn(state: State, event: BidWithdrawn, key: Audience) -> Frame | None:
    told: Frame = {"reason": event.reason}
    if key in ("public", "result"):
        return told
    if key == "lead":
        return told | {"standing": standing_view(state, key)}
    index = position(state, event.bidder)
    row = None if index is None else row_view(state, index, key)
    return told | {"alias": event.bidder, "bid_seq": event.bid_seq, "row": row}


def _extended(state: State, event: Extended, key: Audience) -> Frame | None:
    frame: Frame = {"close_at": rfc3339(event.close_at)}
    # Number 0 is the buyer's own extension, which says why; overtime counts from 1.
    return frame | ({"number": event.number} if event.number else {"reason": event.reason})


def _rescheduled(state: State, event: Rescheduled, key: Audience) -> Frame | None:
    return {
        "starts_at": rfc3339(event.starts_at),
        "close_at": rfc3339(event.close_at),
        "reason": event.reason,
    }


def _paused(state: State, event: Paused, key: Audience) -> Frame | None:
    return {"reason": event.reason, "outage": event.outage}


def _resumed(state: State, event: Resumed, key: Audience) -> Frame | None:
    return {
        "close_at": rfc3339(event.close_at),
        "reason": event.reason,
        "outage": event.outage,
    }


def _stage(state: State, event: Stage, key: Audience) -> Frame | None:
    price = event.price
    fields: Frame = {
        "name": event.name,
        "ends_at": None if event.ends_at is None else rfc3339(event.ends_at),
        "phase": event.phase,
        "round": event.round,
        "turn": event.turn,
        "step": event.step,
        "price": None if price is None else format_minor(price, state.terms.exponent),
        "alias": event.bidder if key in SEES_ROWS else None,
        "close_at": rfc3339(state.close_at),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _dropped(state: State, event: DroppedOut, key: Audience) -> Frame | None:
    return {"alias": event.bidder, "step": event.step} if key in SEES_ROWS else None


def _announced(state: State, event: Announced, key: Audience) -> Frame | None:
    return {"text": event.text}


def _admitted(state: State, event: Admitted, key: Audience) -> Frame | None:
    return {"alias": event.bidder} if key == "buyer" else None


def _excluded(state: State, event: Excluded, key: Audience) -> Frame | None:
    return {"alias": event.bidder, "reason": event.reason} if key == "buyer" else None


def _auto(state: State, event: AutoSet, key: Audience) -> Frame | None:
    """An automatic limit is nobody's business but the bidder's."""
    return None


def _closed(state: State, event: Closed, key: Audience) -> Frame | None:
    frame: Frame = {"close_at": rfc3339(event.close_at)}
    return frame | ({"winner": event.winner} if key in (*SEES_ROWS, "result") else {})


def _cancelled(state: State, event: Cancelled, key: Audience) -> Frame | None:
    return {"reason": event.reason}


_FIELDS: dict[type, Callable[[State, Any, Audience], Frame | None]] = {
    Opened: _opened,
    BidPlaced: _bid,
    BidWithdrawn: _withdrawn,
    Extended: _extended,
    Rescheduled: _rescheduled,
    Paused: _paused,
    Resumed: _resumed,
    Stage: _stage,
    DroppedOut: _dropped,
    Announced: _announced,
    Admitted: _admitted,
    Excluded: _excluded,
    AutoSet: _auto,
    Closed: _closed,
    Cancelled: _cancelled,
}
