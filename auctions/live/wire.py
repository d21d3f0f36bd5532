"""Writes an encoded WebSocket frame straight to the server's transport.

An ASGI `send` builds, copies and joins each frame anew for each socket, which costs as much as the
rest of the fan-out together. uvicorn's `websockets-sansio` protocol is reachable from the `send`
callable it hands to the application; where it is not, `SendWire` does the same by `send`.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Protocol

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SEND_BUFFER_BYTES = 131_072
"""What the kernel may hold for one socket: else a dead phone hides megabytes from the bound."""

RAW_SEND = "marketplace.raw_send"
"""Where the outermost wrapper leaves the server's own `send` in a scope: Litestar wraps it."""

CLOSE_TIMEOUT_S = 1.0
_TEXT = 0x81


def text_frame(payload: bytes) -> bytes:
    """One unmasked, final, uncompressed text frame (RFC 6455, 5.2); right even where
    permessage-deflate was agreed, because compression is marked message by message.
    """
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65_536:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + payload


def payloads_of(frames: bytes) -> Iterator[bytes]:
    """The inverse of `text_frame`, for any number of them joined."""
    at = 0
    while at < len(frames):
        size, head = frames[at + 1], at + 2
        if size >= 126:
            head += 2 if size == 126 else 8
            size = int.from_bytes(frames[at + 2 : head], "big")
        at = head + size
        yield frames[head:at]


class Wire(Protocol):
    """The outgoing side of one accepted socket. `write` never waits and never fails."""

    def write(self, frame: bytes) -> None:
        """One frame, or several joined."""

    def offer(self, frame: bytes, waiting_max: int) -> bool:
        """`write`, unless more than that many bytes wait; whether it was written."""

    def waiting_bytes(self) -> int:
        """What the peer has not taken yet, beyond the kernel's buffer."""

    async def close(self, code: int, reason: str) -> None:
        """Say why and close; a peer that does not read is cut off after CLOSE_TIMEOUT_S."""


class TransportWire:
    """uvicorn, `ws="websockets-sansio"`."""

    __slots__ = ("_closed", "_send", "_transport", "waiting_bytes")

    def __init__(self, transport: asyncio.Transport, send: Send) -> None:
        self._transport, self._send, self._closed = transport, send, False
        self.waiting_bytes: Callable[[], int] = transport.get_write_buffer_size
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def write(self, frame: bytes) -> None:
        self.offer(frame, sys.maxsize)

    def offer(self, frame: bytes, waiting_max: int) -> bool:
        # A thousand times a publication, on objects out of all caches: no step more than needed.
        transport = self._transport
        if transport.get_write_buffer_size() > waiting_max:
            return False
        # Nothing may follow a close frame (RFC 6455, 5.5.1).
        if not self._closed:
            # A transport that is about to close drops it by itself; one that has closed objects.
            try:
                transport.write(frame)
            except RuntimeError:
                self._closed = True
        return True

    async def close(self, code: int, reason: str) -> None:
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await _say_close(self._send, code, reason)
        except TimeoutError:
            self._transport.abort()


class SendWire:
    """Any other ASGI server: a task sends one frame after the other."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def write(self, frame: bytes) -> None:
        if self._closed:
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())

    def offer(self, frame: bytes, waiting_max: int) -> bool:
        if self._bytes > waiting_max:
            return False
        self.write(frame)
        return True

    def waiting_bytes(self) -> int:
        return self._bytes

    async def _drain(self) -> None:
        try:
            while self._frames:
                frame = self._frames.popleft()
                for payload in payloads_of(frame):
                    await self._send({"type": "websocket.send", "text": payload.decode()})
                self._bytes -= len(frame)
        except (OSError, RuntimeError):
            # The peer is gone; whoever reads from it hears so.
            self._closed = True
        finally:
            self._task = None

    async def close(self, code: int, reason: str) -> None:
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT_S)
        if self._task is not None:
            self._task.cancel()
        await _say_close(self._send, code, reason)


async def _say_close(send: Send, code: int, reason: str) -> None:
    try:
        await send({"type": "websocket.close", "code": code, "reason": reason})
    except (OSError, RuntimeError):
        # Closed by the peer in the same moment.
        return


def wire_of(send: Send) -> Wire:
    """The fast wire where the server has one. `send` is the server's own, not a wrapper of it."""
    protocol = getattr(send, "__self__", None)
    transport = getattr(protocol, "transport", None)
    known = isinstance(getattr(protocol, "close_sent", None), bool)
    # By its methods, not its class: uvloop's transports are no asyncio.Transport.
    if known and transport is not None and hasattr(transport, "get_write_buffer_size"):
        return TransportWire(transport, send)
    return SendWire(send)
