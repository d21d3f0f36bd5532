"""Hearing what is published on some channels, wherever the servers are that carry them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.redis.cluster import Cluster

RECONNECT_S = 0.2
SILENCE_S = 1.0
"""After so much silence a PING goes out, and after as much again the connection is given up: one
to a host that is gone without a word would stay open for minutes and hear nothing.
"""

REGROUP_S = 1.0
"""Slots move without anybody saying so to those who listen at the old place."""

_NO_ANSWER = (RedisError, OSError, TimeoutError)
_HERE = ""
"""The name of the only server, or of the master behind Sentinel."""


class Channels:
    """`add` channels, and `listen` for the life of the process. Messages are hints: they may be
    lost while connections are made anew.

    On a cluster there is one connection to each master that has one of the channels, read by a task
    of its own. redis-py's reader for a cluster waits for the nodes in turn: a message of one would
    come when the others have been silent for long enough.
    """

    def __init__(
        self,
        redis: Redis | Cluster,
        heard: Callable[[str, bytes], None],
        *,
        where: str,
        sharded: bool = False,
    ) -> None:
        """`heard` gets channel and message; `where` names this in the log of an outage. `sharded`
        channels are sharded where the server has that.
        """
        self._redis, self._heard = redis, heard
        self._where, self._sharded = where, sharded
        self._channels: set[str] = set()
        self._readers: dict[str, _Reader] = {}
        self._changed = asyncio.Event()

    async def add(self, channel: str) -> None:
        """From now on; if its server is away, from when that is back."""
        self._channels.add(channel)
        reader = self._readers.get(self._server_of(channel) or "")
        if reader is None:
            self._changed.set()
            return
        # Where that fails the reading task notices too, and connects anew with all channels.
        with contextlib.suppress(*_NO_ANSWER):
            await reader.subscribe(channel)

    async def remove(self, channel: str) -> None:
        self._channels.discard(channel)
        # What is left over because the slot moves is left at the next regrouping.
        reader = self._readers.get(self._server_of(channel) or "")
        with contextlib.suppress(*_NO_ANSWER):
            if reader is not None:
                await reader.unsubscribe(channel)

    async def listen(self) -> None:
        """Until cancelled: one task for each server that has one of the channels."""
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._changed.clear()
                wanted = await self._by_server()
                for name in tasks.keys() - wanted.keys():
                    tasks.pop(name).cancel()
                for name in [name for name, task in tasks.items() if task.done()]:
                    tasks.pop(name).result()
                for name, channels in wanted.items():
                    if name not in tasks:
                        tasks[name] = asyncio.create_task(self._read(name))
                    elif name in self._readers:
                        with contextlib.suppress(*_NO_ANSWER):
                            await self._readers[name].follow(channels)
                await self._pause(tasks)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _by_server(self) -> dict[str, set[str]]:
        servers: defaultdict[str, set[str]] = defaultdict(set)
        if isinstance(self._redis, Cluster) and self._channels:
            try:
                await self._redis.known()
            except _NO_ANSWER as error:
                OUTAGES.failed(error, where=self._where)
                return servers
        for channel in self._channels:
            name = self._server_of(channel)
            if name is not None:
                servers[name].add(channel)
        return servers

    def _server_of(self, channel: str) -> str | None:
        if not isinstance(self._redis, Cluster):
            return _HERE
        try:
            return str(self._redis.master_of(("SSUBSCRIBE", channel)).name)
        except RedisConnectionError:
            return None

    async def _pause(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait(
                {changed, *tasks.values()},
                timeout=REGROUP_S if isinstance(self._redis, Cluster) else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            changed.cancel()

    async def _read(self, name: str) -> None:
        """Until the connection fails; then wait a little, for `listen` starts the next at once."""
        try:
            if isinstance(self._redis, Cluster):
                async with self._redis.client_of(name) as client:
                    await self._read_from(client, name)
            else:
                await self._read_from(self._redis, name)
        except _NO_ANSWER as error:
            OUTAGES.failed(error, where=self._where)
            if isinstance(self._redis, Cluster):
                self._redis.look_again()
            await asyncio.sleep(RECONNECT_S)

    async def _read_from(self, client: Redis, name: str) -> None:
        sharded = self._sharded and await has_sharded(client)
        async with client.pubsub() as pubsub:
            await pubsub.connect()
            reader = _Reader(pubsub, self._heard, sharded=sharded)
            self._readers[name] = reader
            try:
                await reader.follow((await self._by_server()).get(name, set()))
                await reader.read()
            finally:
                if self._readers[name] is reader:
                    del self._readers[name]


class _Reader:
    """One connection and what is subscribed on it."""

    def __init__(
        self, pubsub: PubSub, heard: Callable[[str, bytes], None], *, sharded: bool
    ) -> None:
        self._pubsub, self._heard, self._sharded = pubsub, heard, sharded
        self._channels: set[str] = set()

    async def follow(self, channels: set[str]) -> None:
        """Exactly these."""
        for channel in channels - self._channels:
            await self.subscribe(channel)
        for channel in self._channels - channels:
            await self.unsubscribe(channel)

    async def subscribe(self, channel: str) -> None:
        # One by one: channels of several slots cannot be in one call.
        self._channels.add(channel)
        await (
            self._pubsub.ssubscribe(channel) if self._sharded else self._pubsub.subscribe(channel)
        )

    async def unsubscribe(self, channel: str) -> None:
        self._channels.discard(channel)
        await (
            self._pubsub.sunsubscribe(channel)
            if self._sharded
            else self._pubsub.unsubscribe(channel)
        )

    async def read(self) -> None:
        """Raises RedisError, OSError or TimeoutError when the connection is of no use any more."""
        was_silent = False
        while True:
            message = await self._pubsub.get_message(timeout=SILENCE_S)
            if message is None:
                if was_silent:
                    raise RedisTimeoutError("nothing is heard, not even the answer to a PING")
                was_silent = True
                await self._pubsub.ping()
                continue
            was_silent = False
            kind, channel = message["type"], message["channel"]
            if kind in {"message", "smessage"}:
                self._heard(channel.decode(), message["data"])
            elif kind == "sunsubscribe" and channel.decode() in self._channels:
                # Not asked for: the slot has moved away from this server.
                raise RedisConnectionError("the channel has moved")


async def try_channel(redis: Redis | Cluster, channel: str) -> None:
    """Subscribe and publish as it is done for sharded `Channels`, until the message is there.
    Raises RedisError; has no time limit of its own.
    """
    if isinstance(redis, Cluster):
        await redis.known()
        async with redis.client_of(redis.master_of(("SSUBSCRIBE", channel)).name) as client:
            await _try_channel(client, channel)
    else:
        await _try_channel(redis, channel)


async def _try_channel(client: Redis, channel: str) -> None:
    sharded = await has_sharded(client)
    async with client.pubsub() as pubsub:
        await _Reader(pubsub, _ignore, sharded=sharded).subscribe(channel)
        while await pubsub.get_message(timeout=SILENCE_S) is None:
            pass
        command = "SPUBLISH" if sharded else "PUBLISH"
        await client.execute_command(command, channel, "")  # type: ignore[no-untyped-call]
        while await pubsub.get_message(timeout=SILENCE_S) is None:
            pass


def _ignore(_: str, __: bytes) -> None:
    pass


async def has_sharded(client: Redis | Cluster) -> bool:
    """Whether the server has sharded pub/sub (Redis 7 and its continuations)."""
    try:
        await client.execute_command("PUBSUB", "SHARDNUMSUB")  # type: ignore[no-untyped-call]
    except ResponseError as error:
        if "nknown" not in str(error):
            raise
        return False
    return True
