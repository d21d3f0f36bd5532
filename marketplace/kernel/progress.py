"""The progress of a long job as server-sent events: one for each change, `end` for the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database

COMMENT_EVERY_S = 10
"""Proxies drop a stream that is silent for a minute, some after half of that."""


View = TypeVar("View", bound=msgspec.Struct)


async def events(
    database: Database,
    actor: Actor,
    clock: Clock,
    read: Callable[[AsyncSession], Awaitable[View]],
    has_ended: Callable[[View], bool],
    *,
    every_s: float,
    at_most_s: float,
) -> AsyncIterator[bytes]:
    """What `read` shows, each time it changed, looked at every `every_s` seconds. Each look is a
    transaction of its own: between two none may stay open. The client connects again when the
    stream ends after `at_most_s` seconds without an `end`.
    """
    last, silent_s = b"", 0.0
    until = clock.monotonic() + at_most_s
    while clock.monotonic() < until:
        async with database.transaction(actor) as session:
            view = await read(session)
        shown, ended = msgspec.json.encode(view), has_ended(view)
        if shown != last:
            name = b"end" if ended else b"progress"
            yield b"event: " + name + b"\ndata: " + shown + b"\n\n"
            last, silent_s = shown, 0.0
            if ended:
                return
        elif silent_s >= COMMENT_EVERY_S:
            yield b": waiting\n\n"
            silent_s = 0.0
        await asyncio.sleep(every_s)
        silent_s += every_s
