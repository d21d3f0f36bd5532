"""Ending with the process that started us, even when that one was killed."""

from __future__ import annotations

import asyncio
import sys


async def parent_gone(stopping: asyncio.Event) -> None:
    """Set `stopping` when standard input ends: its other side is held by the supervisor alone."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        await reader.read()
        stopping.set()
    finally:
        transport.close()
