"""One watching socket: what it has been shown, and how far it is behind.

The queue is the transport's own buffer. Above QUEUE_BYTES_MAX nothing more is put in it but acks;
when the peer has caught up it gets a fresh snapshot instead of what it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from auctions.live.wire import Wire
from auctions.rules.views.visibility import Viewer
from marketplace.kernel.actor import Actor

QUEUE_BYTES_MAX = 256 * 1_024
DRAINED_BYTES = 16 * 1_024
ACKED_BYTES_MAX = 1_024 * 1_024
"""Acks are never dropped, so a peer that orders and never reads is closed here."""

BEHIND_S_MAX = 10.0
OVERFLOWS_MAX = 3
OVERFLOWS_WITHIN_S = 60.0

TOO_SLOW = 1013


class Member:
    """Made by the socket's handler, kept by its room. Everything here is synchronous; closing is
    asked for with `leave`, and the handler does it.
    """

    # Looked at for each socket of each frame: without a dictionary each is nearer at hand.
    __slots__ = (
        "_monotonic",
        "_overflows",
        "actor",
        "behind_since",
        "leaving",
        "viewer",
        "wire",
    )

    def __init__(
        self, wire: Wire, actor: Actor, viewer: Viewer, monotonic: Callable[[], float]
    ) -> None:
        self.wire, self.actor, self.viewer = wire, actor, viewer
        self.behind_since: float | None = None
        self.leaving: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._overflows: list[float] = []
        self._monotonic = monotonic

    @property
    def alias(self) -> str | None:
        return self.viewer.alias

    @property
    def login(self) -> UUID | None:
        """The session or API key it came in with."""
        return self.actor.session_id or self.actor.api_key_id

    def show(self, frame: bytes) -> None:
        """Something that a snapshot makes up for."""
        if self.behind_since is None and not self.wire.offer(frame, QUEUE_BYTES_MAX):
            self._overflow()

    def tell(self, frame: bytes) -> None:
        """Something that must arrive: acks, answers, errors."""
        self.wire.write(frame)
        if self.wire.waiting_bytes() > ACKED_BYTES_MAX:
            self.leave(TOO_SLOW, "too slow")

    def has_caught_up(self) -> bool:
        """Whether a member that was behind may be given a snapshot; closes it when it never will
        be.
        """
        if self.behind_since is None:
            return False
        if self.wire.waiting_bytes() <= DRAINED_BYTES:
            return True
        if self._monotonic() - self.behind_since > BEHIND_S_MAX:
            self.leave(TOO_SLOW, "too slow")
        return False

    def leave(self, code: int, reason: str) -> None:
        """Have the handler close the socket; the first word counts."""
        if not self.leaving.done():
            self.leaving.set_result((code, reason))

    def _overflow(self) -> None:
        now = self._monotonic()
        self.behind_since = now
        self._overflows = [at for at in self._overflows if now - at < OVERFLOWS_WITHIN_S] + [now]
        if len(self._overflows) > OVERFLOWS_MAX:
            self.leave(TOO_SLOW, "too slow")
