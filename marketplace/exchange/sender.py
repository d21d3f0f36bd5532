"""One POST to somebody else's server: no redirects, no surprises, everything limited.

A small HTTP/1.1 client on asyncio streams, because the address to connect to is decided by
`addresses`, not by a library that resolves the name once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from marketplace.exchange.addresses import NotAllowed, Resolve, address_of, read_url, resolve
from marketplace.kernel.clock import Clock

TIMEOUT_S = 10.0
HEAD_BYTES_MAX = 16_384
EXCERPT_BYTES = 512
INTERIM_MAX = 3
PATIENCE_S_MAX = 86_400
"""A receiver may not put a delivery off for longer: the schedule ends after three days."""


class Answer(msgspec.Struct, frozen=True):
    """What the receiver said. `retry_after_s`: it asks for that much patience."""

    status: int
    excerpt: str
    retry_after_s: int | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class NotSent(Exception):
    """No answer was to be had; the text says why in a few words."""


class Sender:
    """`private`: addresses of the own network are allowed too (tests, closed installations)."""

    def __init__(
        self,
        *,
        private: bool = False,
        resolver: Resolve = resolve,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._private = private
        self._resolver = resolver
        self._timeout_s = timeout_s
        self._tls = tls
        self._clock = clock or Clock()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises NotSent."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, headers, body)
        except TimeoutError:
            raise NotSent("No answer in time.") from None
        except NotAllowed as error:
            raise NotSent(str(error)) from error
        except ssl.SSLError:
            raise NotSent("The TLS certificate is not accepted.") from None
        except (OSError, asyncio.IncompleteReadError):
            raise NotSent("No connection.") from None
        except (asyncio.LimitOverrunError, ValueError):
            raise NotSent("The answer is not HTTP.") from None

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        target = read_url(url, private=self._private)
        address = await address_of(target, self._resolver, private=self._private)
        reader, writer = await asyncio.open_connection(
            address,
            target.port,
            ssl=(self._tls or _public_authorities()) if target.secure else None,
            server_hostname=target.host if target.secure else None,
            limit=HEAD_BYTES_MAX,
        )
        try:
            own = {
                "Host": target.authority,
                "Content-Length": str(len(body)),
                "Connection": "close",
            }
            lines = [f"{name}: {value}" for name, value in (own | dict(headers)).items()]
            head = "\r\n".join([f"POST {target.path} HTTP/1.1", *lines, "", ""])
            writer.write(head.encode("latin-1") + body)
            await writer.drain()
            return await _read(reader, self._clock)
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await writer.wait_closed()


@functools.cache
def _public_authorities() -> ssl.SSLContext:
    """Read once a process: it takes tens of milliseconds."""
    return ssl.create_default_context()


async def _read(reader: asyncio.StreamReader, clock: Clock) -> Answer:
    """Status and a piece of the body; the rest is never read. Raises ValueError, LimitOverrunError,
    IncompleteReadError.
    """
    for _ in range(INTERIM_MAX):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.split("\r\n")
        version, _, rest = status_line.partition(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError("not HTTP")
        status = int(rest[:3])
        if not 100 <= status <= 599:
            raise ValueError("not a status")
        if status >= 200:
            body = await reader.read(EXCERPT_BYTES)
            excerpt = body.decode("utf-8", "replace").replace("\0", "")
            return Answer(status, excerpt, _retry_after(lines, clock.now()))
    raise ValueError("only interim answers")


def _retry_after(lines: list[str], now: datetime) -> int | None:
    """RFC 9110, 10.2.3: seconds, or a date in any of the three forms of HTTP."""
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip().lower() == "retry-after":
            seconds = _seconds(value.strip(), now)
            return None if seconds is None else min(seconds, PATIENCE_S_MAX)
    return None


def _seconds(text: str, now: datetime) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        then = parsedate_to_datetime(text)
        # asctime names no zone; HTTP dates are UTC.
        until = then.replace(tzinfo=then.tzinfo or UTC) - now
    except (ValueError, OverflowError):
        return None
    return max(math.ceil(until.total_seconds()), 0)
