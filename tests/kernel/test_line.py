"""A connection of its own for scripts: replies never mix, whatever happens to the one before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from marketplace.kernel.redis import AnyRedis, Line
from marketplace.kernel.redis import line as line_module

SLOW = "local n = 0; for i = 1, 2e7 do n = n + i end; return 'slow'"


@pytest.fixture
async def line(redis: AnyRedis) -> AsyncIterator[Line]:
    assert isinstance(redis, Redis)
    line = Line(redis.connection_pool.make_connection)
    yield line
    await line.close()


async def test_replies_keep_their_order_and_errors_their_place(line: Line) -> None:
    first, second, third = await line.ask([("ECHO", b"a"), ("INCR", "a", "b"), ("ECHO", "\u20ac")])
    assert (first, third) == (b"a", "\u20ac".encode())
    assert isinstance(second, ResponseError)


async def test_the_reply_of_a_call_given_up_is_not_the_next_ones(line: Line) -> None:
    await line.ask([("PING",)])
    slow = asyncio.create_task(line.ask([("EVAL", SLOW, 0)]))
    # In its first turn it is sent and waits.
    await asyncio.sleep(0)
    slow.cancel()
    await asyncio.wait([slow])
    assert await line.ask([("ECHO", "next")]) == [b"next"]


async def test_a_server_that_does_not_answer_is_given_up(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await line.ask([("PING",)])
    monkeypatch.setattr(line_module, "CALL_TIMEOUT_S", 0.01)
    with pytest.raises(TimeoutError):
        await line.ask([("EVAL", SLOW, 0)])
    monkeypatch.undo()
    assert await line.ask([("ECHO", "next")]) == [b"next"]


async def test_it_connects_again_when_the_server_has_closed(line: Line, redis: AnyRedis) -> None:
    (own,) = await line.ask([("CLIENT", "ID")])
    assert isinstance(own, int)
    await redis.execute_command("CLIENT", "KILL", "ID", own)

    async def asked() -> list[object]:
        # The end of the connection may not have been seen yet.
        try:
            return await line.ask([("CLIENT", "ID")])
        except (RedisError, OSError):
            return await line.ask([("CLIENT", "ID")])

    (anew,) = await asked()
    assert isinstance(anew, int)
    assert anew > own
