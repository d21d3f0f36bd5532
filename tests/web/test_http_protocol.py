"""Connections that send too slowly, too much, or do not read: real sockets against a real node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest

from marketplace.kernel.settings import Settings
from tests.conftest import serve
from web.app import create_app
from web.http_protocol import BoundedProtocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = (
    b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100000\r\n"
)


class Hasty(BoundedProtocol):
    HEAD_S: ClassVar[float] = 0.3
    BODY_WINDOW_S: ClassVar[float] = 0.3
    BODY_WINDOW_BYTES_MIN: ClassVar[int] = 1_000


class Port:
    def __init__(self, number: int) -> None:
        self.number = number

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Streams]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.number)
        try:
            async with asyncio.timeout(20):
                yield reader, writer
        finally:
            writer.close()


@pytest.fixture(scope="module")
async def hasty(settings: Settings) -> AsyncIterator[Port]:
    async with serve(create_app(settings), Hasty) as url:
        yield Port(int(url.rpartition(":")[2]))


@pytest.fixture
def usual(live_server: str) -> Port:
    return Port(int(live_server.rpartition(":")[2]))


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    await reader.readexactly(size)
    return head.split(b"\r\n")[0]


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HT", GET[:-2], b"\r\n", POST])
async def test_a_head_that_does_not_come_is_not_waited_for(hasty: Port, begun: bytes) -> None:
    async with hasty.open() as (reader, writer):
        writer.write(begun)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_drips_is_not_waited_for(hasty: Port) -> None:
    """Every byte in time, the whole never: the clock runs from the first one."""
    async with hasty.open() as (reader, writer):
        writer.write(GET[:-2] + b"X-Drip: ")
        ending = asyncio.create_task(reader.read())
        while not ending.done():
            writer.write(b"X")
            await asyncio.wait([ending], timeout=0.05)
        assert (await ending).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [b"\r\n", b"GET /h"])
async def test_a_later_head_is_timed_as_the_first_one(hasty: Port, begun: bytes) -> None:
    async with hasty.open() as (reader, writer):
        for _ in range(3):
            writer.write(GET)
            assert await answer(reader) == b"HTTP/1.1 200 OK"
        writer.write(begun)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_may_rest_between_requests(hasty: Port) -> None:
    async with hasty.open() as (reader, writer), hasty.open() as (other, _):
        writer.write(GET)
        assert await answer(reader) == b"HTTP/1.1 200 OK"
        # Longer than a head may take: the other connection is closed meanwhile.
        assert (await other.read()).startswith(b"HTTP/1.1 408 ")
        writer.write(GET)
        assert await answer(reader) == b"HTTP/1.1 200 OK"


async def test_a_body_that_drips_is_not_waited_for(hasty: Port) -> None:
    async with hasty.open() as (reader, writer):
        writer.write(POST + b"\r\n{")
        ending = asyncio.create_task(reader.read())
        while not ending.done():
            writer.write(b" ")
            await asyncio.wait([ending], timeout=0.05)
        assert (await ending).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_goes_on_after_its_answer_is_not_waited_for(hasty: Port) -> None:
    async with hasty.open() as (reader, writer):
        writer.write(POST.replace(b"100000", b"9" * 12) + b"\r\n")
        assert await answer(reader) == b"HTTP/1.1 413 Request Entity Too Large"
        ending = asyncio.create_task(reader.read())
        while not ending.done():
            writer.write(b" ")
            await asyncio.wait([ending], timeout=0.05)
        assert (await ending).startswith(b"HTTP/1.1 408 ")


async def test_a_slow_body_that_keeps_the_rate_arrives(hasty: Port) -> None:
    async with hasty.open() as (reader, writer):
        writer.write(POST.replace(b"100000", b"10000") + b"\r\n")
        arriving = asyncio.create_task(answer(reader))
        for _ in range(10):
            assert not arriving.done()
            writer.write(b" " * 1_000)
            await asyncio.wait([arriving], timeout=0.1)
        assert (await arriving).startswith(b"HTTP/1.1 4")
        assert b"408" not in await arriving


async def test_a_head_without_end_is_refused(usual: Port) -> None:
    async with usual.open() as (reader, writer):
        writer.write(GET[:-2] + b"X-Filler: " + b"y" * BoundedProtocol.HEAD_BYTES_MAX)
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 431 ")
        assert b"200 OK" not in said


async def test_requests_that_come_at_once_are_all_answered(usual: Port) -> None:
    async with usual.open() as (reader, writer):
        writer.write(GET * 5)
        for _ in range(5):
            assert await answer(reader) == b"HTTP/1.1 200 OK"


async def test_a_socket_that_was_upgraded_is_not_timed(hasty: Port) -> None:
    """Its own 5 s for `hello` go on after the head's time would have been over."""
    path = b"/api/v1/auctions/01940000-0000-7000-8000-000000000000/live"
    async with hasty.open() as (reader, writer):
        writer.write(
            b"GET "
            + path
            + b" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        # Nobody is logged in: close frame 4401, not a 408 in the middle of frames.
        frame = await reader.readexactly(4)
        assert frame[0] == 0x88
        assert int.from_bytes(frame[2:4], "big") == 4401
