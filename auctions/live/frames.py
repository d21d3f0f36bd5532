"""Server frames of one auction, from its state: pure, as plain dicts ready for the encoder.

An `event`, `state` or `snapshot` frame that carries `standing`, `stage`, `you`, `next`, `state`,
`close_at` or `reason` replaces that part of what a watcher knows; nothing has to be computed from
former frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from auctions.book.receipts import SignedHead
from auctions.live.conflate import Happened
from auctions.rules.core.state import State, is_blind
from auctions.rules.views.projection import event_frames
from auctions.rules.views.visibility import (
    Audience,
    Viewer,
    audience,
    personal,
    snapshot,
    stage_view,
    standing_view,
    status,
)
from marketplace.kernel.clock import rfc3339

INTERRUPTED = "interrupted"
"""The reason shown while a server behind the auction is away."""

Frame = dict[str, Any]


class Organisation(msgspec.Struct, frozen=True):
    """Who is behind an alias."""

    id: UUID
    name: str


Names = Mapping[str, Organisation]


class Shown(msgspec.Struct):
    """What the members of one audience know of the shared parts."""

    standing: list[Frame]
    stage: Frame


def shown_now(state: State, key: Audience, names: Names) -> Shown:
    """The shared parts as they are."""
    return Shown(named(state, key, standing_view(state, key), names), stage_view(state, key))


def named(state: State, key: Audience, rows: list[Frame], names: Names) -> list[Frame]:
    """Rows with the organisations, for those who may know them."""
    revealed = state.status == "closed" and state.terms.names_after_close
    if key != "buyer" and not (key in ("all", "result") and revealed):
        return rows
    return [row | _organisation(names.get(row["alias"])) for row in rows]


def _organisation(known: Organisation | None) -> Frame:
    return {
        "organisation": known.name if known else None,
        "organisation_id": known.id if known else None,
    }


def shared_frames(
    state: State, happened: Iterable[Happened], key: Audience, former: Shown | None, now: Shown
) -> list[Frame]:
    """Events for one audience; the last one carries the shared parts that differ from `former`
    (None: all of them).
    """
    frames = [
        {"type": "event", **frame}
        for command, event in happened
        for frame in event_frames(state, command, [event], key)
    ]
    for frame in frames:
        # Rows of a single command would be out of date; the whole standing comes at the end.
        frame.pop("standing", None)
        frame.pop("row", None)
    news: Frame = {}
    if former is None or former.standing != now.standing:
        news["standing"] = now.standing
    if former is None or former.stage != now.stage:
        news["stage"] = now.stage
    if news and frames and frames[-1]["seq"] == state.seq:
        frames[-1] |= news
    elif news:
        frames.append(_event(state, "standing") | news)
    return frames


def state_view(state: State, now_us: int) -> Frame:
    """Status, close and reason as `state` frames and snapshots have them."""
    reason = state.pause_reason if state.status == "paused" else None
    if is_blind(state, now_us):
        reason = INTERRUPTED
    return {
        "state": status(state, now_us),
        "close_at": rfc3339(state.close_at),
        "reason": reason or None,
    }


def interrupted(view: Frame) -> Frame:
    """The same while nobody knows more: what runs shows as paused, what has ended as it is."""
    if view.get("state") in {"closed", "cancelled"}:
        return view
    return view | {"state": "paused", "reason": INTERRUPTED}


def state_frame(view: Frame) -> Frame:
    return {"type": "state", **view}


def snapshot_frame(state: State, viewer: Viewer, epoch: int, now_us: int, names: Names) -> Frame:
    """Everything this viewer may know."""
    whole = snapshot(state, viewer, now_us)
    whole["standing"] = named(state, audience(state, viewer), whole["standing"], names)
    place = {"type": "snapshot", "epoch": epoch, "seq": state.seq, "now": rfc3339(now_us)}
    return place | whole | state_view(state, now_us)


def personal_view(state: State, viewer: Viewer, now_us: int) -> Frame | None:
    """`you` and `next` of a bidder, None for others."""
    if viewer.role != "bidder" or viewer.alias is None:
        return None
    return personal(state, viewer.alias, now_us)


def you_frame(state: State, view: Frame) -> Frame:
    return _event(state, "you") | view


def head_frame(head: SignedHead) -> Frame:
    """The chain so far, signed: whoever keeps one can prove that history was not rewritten."""
    return {
        "type": "event",
        "seq": head.seq,
        "ts": head.ts,
        "kind": "head",
        "head": msgspec.structs.asdict(head),
    }


def _event(state: State, kind: str) -> Frame:
    return {"type": "event", "seq": state.seq, "ts": rfc3339(state.ts), "kind": kind}
