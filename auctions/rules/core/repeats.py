"""The same `cid` of the same sender always gets the same answer."""

from __future__ import annotations

import hashlib

from .answers import refused
from .commands import Accept, AnyBody, Auto, Bid, Command, encode
from .outcomes import AnyEvent, Code, Outcome
from .state import CID_WINDOW, Remembered, State

DIGEST_BYTES = 16


def key_of(body: AnyBody) -> str:
    """Who sent it and under which cid; the buyer, surrogate bids too, is one sender."""
    sender = ""
    if isinstance(body, Bid):
        sender = body.bidder if body.surrogate is None else ""
    elif isinstance(body, Accept | Auto):
        sender = body.bidder
    return f"{sender}\x1f{body.cid}"


def digest_of(command: Command) -> bytes:
    raw = command.raw or encode(command.body)
    return hashlib.blake2b(raw, digest_size=DIGEST_BYTES).digest()


def recall(state: State, key: str, digest: bytes, events: list[AnyEvent]) -> Outcome | None:
    """The former decision with this command's own `events`; None for a new cid."""
    former = state.remembered.get(key) or state.remembered_before.get(key)
    if former is None:
        return None
    if former.digest != digest:
        detail = f"This cid was used for another command, number {former.seq}."
        return refused(Code.CID_REUSED, detail, events)
    return Outcome(
        accepted=former.accepted,
        code=former.code,
        detail=former.detail,
        limit=former.limit,
        token=former.token,
        rank=former.rank,
        evaluated=former.evaluated,
        repeat_of=former.seq,
        events=events,
    )


def remember(state: State, key: str, digest: bytes, seq: int, outcome: Outcome) -> None:
    """Keeps the decision. Two generations: dropping single oldest entries makes dicts slow."""
    if len(state.remembered) >= CID_WINDOW:
        state.remembered_before = state.remembered
        state.remembered = {}
    state.remembered[key] = Remembered(
        seq,
        digest,
        outcome.accepted,
        outcome.code,
        outcome.detail,
        outcome.limit,
        outcome.token,
        outcome.rank,
        outcome.evaluated,
    )
