"""Many WebSocket clients in one process that do as little as a client can (RFC 6455): a load that
is heavier than what it measures measures itself.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

AT_ONCE = 100
PING, PONG, TEXT, CLOSE = 0x89, 0x8A, 0x81, 0x88
WATCHED = frozenset(["bid", "standing", "you", "lead"])


class Heard(msgspec.Struct, frozen=True):
    """What of a server frame counts here; the rest is skipped unread."""

    type: str
    cid: str = ""
    outcome: str = ""
    code: str = ""
    token: str = ""
    kind: str = ""
    retry_after_s: float | None = None


_heard = msgspec.json.Decoder(Heard)


def handshake(url: str, key: str) -> bytes:
    """The request that upgrades to the live channel at `url`."""
    parts = urlsplit(url)
    nonce = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: marketplace.v1\r\nAuthorization: Bearer {key}\r\n\r\n"
    ).encode()


def masked(payload: bytes, head: int = TEXT) -> bytes:
    """A client's frame with the mask of zeros (RFC 6455, 5.3)."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((head,)) + length + bytes(4) + payload


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Whole unmasked frames as (first byte, payload), and what is left of the next one."""
    frames, at = [], 0
    while at + 2 <= len(data):
        size, start = data[at + 1], at + 2
        if size >= 126:
            start += 2 if size == 126 else 8
            size = int.from_bytes(data[at + 2 : start], "big")
        if start > len(data) or start + size > len(data):
            break
        frames.append((data[at], data[start : start + size]))
        at = start + size
    return frames, data[at:]


class Bidder(asyncio.Protocol):
    """One bidder's socket: bids, and hears acks and events."""

    def __init__(self, url: str, key: str) -> None:
        self._request = handshake(url, key)
        self._rest, self._upgraded = b"", False
        self._name, self._cids = os.urandom(4).hex(), itertools.count()
        self._asked: dict[str, asyncio.Future[Heard]] = {}
        self.snapshot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.watching: asyncio.Future[None] | None = None

    async def bid(self, price: str, confirm: str | None = None) -> Heard:
        """Until its ack is here, again where the server asks for that. Raises ConnectionError."""
        cid = f"{self._name}-{next(self._cids)}"
        order = {"type": "bid", "cid": cid, "price": price}
        if confirm is not None:
            order["confirm"] = confirm
        while True:
            answer: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
            self._asked[cid] = answer
            self._transport.write(masked(msgspec.json.encode(order)))
            heard = await answer
            if heard.type == "ack":
                return heard
            if heard.retry_after_s is None:
                raise ConnectionError(heard.code)
            await asyncio.sleep(heard.retry_after_s)

    def watch(self) -> asyncio.Future[None]:
        """Done when the next event of the standing is heard."""
        self.watching = asyncio.get_running_loop().create_future()
        return self.watching

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._upgraded:
            head, ends, rest = self._rest.partition(b"\r\n\r\n")
            if not ends:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._upgraded, self._rest = True, rest
            self._transport.write(masked(b'{"type":"hello"}'))
        frames, self._rest = split(self._rest)
        for first, payload in frames:
            if first == TEXT:
                self._hear(_heard.decode(payload))
            elif first == PING:
                self._transport.write(masked(payload, PONG))
            elif first == CLOSE:
                self._gone(f"{int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")
                self._transport.close()

    def _hear(self, frame: Heard) -> None:
        if frame.type in {"ack", "error"} and (answer := self._asked.pop(frame.cid, None)):
            answer.set_result(frame)
        elif frame.type == "snapshot" and not self.snapshot.done():
            self.snapshot.set_result(None)
        elif frame.kind in WATCHED and self.watching is not None and not self.watching.done():
            self.watching.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._gone(str(error))

    def _gone(self, why: str) -> None:
        waiting: list[asyncio.Future[Any]] = [self.snapshot, *self._asked.values()]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(ConnectionError(f"the server closed: {why}"))


async def bidders(url: str, keys: Sequence[str]) -> list[Bidder]:
    """Connected, and shown the auction, in waves of AT_ONCE."""
    loop, port = asyncio.get_running_loop(), urlsplit(url).port
    assert port is not None, "a benchmark's node has a port of its own"
    found: list[Bidder] = []
    for wave in _waves(keys):
        made = [Bidder(url, key) for key in wave]
        for each in made:
            await loop.create_connection(partial(_itself, each), "127.0.0.1", port)
        await asyncio.gather(*(each.snapshot for each in made))
        found += made
    return found


def _itself(made: Bidder) -> Bidder:
    return made


def _waves(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
