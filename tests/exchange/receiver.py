"""A real receiver on a local port that can behave badly on request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"
GONE = b"HTTP/1.1 410 Gone\r\n\r\n"
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7200\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
GARBAGE = b"\x16\x03\x01 not http at all\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\n" + b"x-filler: " + b"y" * 40_000


class Got(msgspec.Struct):
    """One request as it came; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """`answers` are given in turn, the last one for ever; None: never an answer."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers or [OK])
        self.got: list[Got] = []
        self.arrived = asyncio.Event()
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=1"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._open:
                writer.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (each.partition(":") for each in rest)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append(Got(line, headers, body))
        self.arrived.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            writer.write(answer)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            writer.close()
