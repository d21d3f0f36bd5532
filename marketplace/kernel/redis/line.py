"""One connection for one caller that asks in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ReadOnlyError, ResponseError

CALL_TIMEOUT_S = 2.0

Command = tuple[str | bytes | int, ...]


class Line:
    """It connects as a pool's connections do, also anew after an error.

    A pipeline of the pool's sends from a task of its own, looks twice whether the connection lives
    and arms a timer for each of that: on a loop that is busy each step waits for its turn.
    """

    def __init__(self, make_connection: Callable[[], AbstractConnection]) -> None:
        self._make_connection = make_connection
        self._connection: AbstractConnection | None = None

    async def ask(self, commands: Sequence[Command]) -> list[object]:
        """The replies in order, errors of single commands among them. Raises RedisError, OSError or
        TimeoutError: then it is unknown what of it was done.
        """
        async with asyncio.timeout(CALL_TIMEOUT_S):
            connection = await self._ready()
            packed = b"".join([hiredis.pack_command(command) for command in commands])  # type: ignore[arg-type]
            await connection.send_packed_command(packed, check_health=False)
            replies = [await self._reply(connection) for _ in commands]
        if isinstance(replies[-1], ReadOnlyError):
            # A master no more: behind the same name there may be another one by now.
            await self.close()
        return replies

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)

    async def _ready(self) -> AbstractConnection:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._make_connection()
            # The time for the whole call is enough.
            connection.socket_timeout = None
        elif connection.is_connected:
            if not await connection.can_read():
                return connection
            # Closed by the server, or a reply of a call that was given up.
            await connection.disconnect(nowait=True)
        # Not left to the sending of a command: that would not ask Sentinel where to connect.
        await connection.connect()  # type: ignore[no-untyped-call]
        return connection

    async def _reply(self, connection: AbstractConnection) -> object:
        # Whatever else happens here, a cancellation too, redis-py ends the connection.
        try:
            return await connection.read_response()
        except ResponseError as error:
            return error
