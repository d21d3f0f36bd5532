"""uvicorn's HTTP/1.1 protocol with an end to its patience.

uvicorn waits for ever for the rest of a request and for a client that does not read its answer, and
takes a head of any size: a few thousand idle sockets would hold a node's descriptors and memory.
Here a request's head, the rate of its body and the reading of its answer are bounded. A request
that arrives in one piece, as nearly all do, costs no timer.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

TOO_SLOW, HEAD_TOO_LARGE = 408, 431


class Phase(Enum):
    """What the connection is waiting for."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"
    """A whole request has arrived; until the next one begins, keep-alive has its own timer."""


class BoundedProtocol(HttpToolsProtocol):
    """Hand it to `uvicorn.Config(http=…)`."""

    HEAD_S: ClassVar[float] = 10.0
    """From the connection, or the first byte of a later request, to the end of its head: a head is
    a packet or two, which the slowest phone sends in less.
    """

    HEAD_BYTES_MAX: ClassVar[int] = 65_536
    """Several times what browsers send with all their cookies."""

    BODY_WINDOW_S: ClassVar[float] = 10.0
    BODY_WINDOW_BYTES_MIN: ClassVar[int] = 10_240
    """1 KiB a second, less than a GPRS phone manages, in each window of a body that is not
    complete. A window in which the application itself did not read does not count.
    """

    UNREAD_S: ClassVar[float] = 60.0
    """A client that takes nothing of its answer for so long is gone."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._phase = self._watched = Phase.HEAD
        self._bytes = 0
        self._held_up = False
        self._unread: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(self.HEAD_S, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._phase is Phase.NOTHING and self._is_idle():
            # Not only at `on_message_begin`: the parser swallows blank lines before a request.
            self._phase = Phase.HEAD
        super().data_received(data)
        phase = self._phase
        if phase is Phase.NOTHING and self._watched is Phase.NOTHING:
            return
        if phase is not self._watched:
            self._watch(phase)
        self._bytes += len(data)
        if phase is Phase.BODY:
            self._held_up = self._held_up or self.flow.read_paused
        elif phase is Phase.HEAD and self._bytes > self.HEAD_BYTES_MAX:
            self._refuse(HEAD_TOO_LARGE)

    # -- what the parser says -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._phase = Phase.HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._phase = Phase.BODY
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._phase = Phase.NOTHING
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        # From here on the transport belongs to another protocol, with limits of its own.
        self._phase = Phase.NOTHING
        self._stop()
        super().handle_websocket_upgrade()

    # -- time -----------------------------------------------------------------------------------

    def _watch(self, phase: Phase) -> None:
        self._stop()
        self._watched = phase
        if phase is Phase.HEAD:
            self._timer = self.loop.call_later(self.HEAD_S, self._late)
        elif phase is Phase.BODY:
            self._begin_window()

    def _begin_window(self) -> None:
        self._bytes, self._held_up = 0, False
        self._timer = self.loop.call_later(self.BODY_WINDOW_S, self._window_over)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._watched = None, Phase.NOTHING
        self._bytes = 0

    def _late(self) -> None:
        if not self._is_idle():
            # Pipelined behind a request whose answer is still being made.
            self._timer = self.loop.call_later(self.HEAD_S, self._late)
        else:
            self._refuse(TOO_SLOW)

    def _window_over(self) -> None:
        held_up = self._held_up or self.flow.read_paused or self.cycle.waiting_for_100_continue
        if held_up or self._bytes >= self.BODY_WINDOW_BYTES_MIN:
            self._begin_window()
        else:
            self._refuse(TOO_SLOW)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self, status: int) -> None:
        """Say why, unless an answer has begun, and close."""
        self._stop()
        if self.transport.is_closing():
            return
        if self._is_idle() or not self.cycle.response_started:
            self.transport.write(
                STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n"
            )
        self.transport.close()

    # -- a client that does not read ------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()
