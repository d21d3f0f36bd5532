"""Messages are heard again after a connection was lost, or went silent without a word."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from marketplace.kernel.redis import AnyRedis, Channels, connect
from tests.servers import Place
from tests.topology import until

CHANNEL = "test:channel"


class Relay:
    """From a port to the server's socket; `mute` leaves its connections open and passes nothing."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._passes: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = 0

    def mute(self) -> None:
        for task in self._passes:
            task.cancel()
        self._passes.clear()

    async def close(self) -> None:
        self.mute()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        up_reader, up_writer = await asyncio.open_unix_connection(self._socket_path)
        self._writers += (writer, up_writer)
        for source, target in ((reader, up_writer), (up_reader, writer)):
            self._passes.append(asyncio.create_task(_pump(source, target)))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()


@contextlib.asynccontextmanager
async def listening(redis: AnyRedis, *, sharded: bool) -> AsyncIterator[Callable[[], int]]:
    """Inside, the number of messages heard so far."""
    heard: list[bytes] = []
    channels = Channels(
        redis, lambda _, message: heard.append(message), where="a test", sharded=sharded
    )
    await channels.add(CHANNEL)
    task = asyncio.create_task(channels.listen())
    try:
        yield lambda: len(heard)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def is_heard(redis: AnyRedis, heard: Callable[[], int], *, sharded: bool) -> None:
    """Until one of many messages is heard."""
    before = heard()

    async def arrives() -> bool:
        await redis.execute_command("SPUBLISH" if sharded else "PUBLISH", CHANNEL, "x")
        return heard() > before

    await until(arrives, "a message is heard")


@pytest.mark.parametrize("sharded", [False, True])
async def test_messages_are_heard_again_after_the_connection_went_silent(
    servers: Place, redis: AnyRedis, sharded: bool
) -> None:
    path, _, options = servers.redis_url.removeprefix("unix://").partition("?")
    relay = Relay(path)
    server = await asyncio.start_server(relay.accept, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        over_relay = connect(f"redis://127.0.0.1:{port}?{options}")
        async with listening(over_relay, sharded=sharded) as heard:
            await is_heard(redis, heard, sharded=sharded)
            first = relay.connections
            relay.mute()
            await is_heard(redis, heard, sharded=sharded)
            assert relay.connections > first
        await over_relay.aclose()
        await relay.close()
