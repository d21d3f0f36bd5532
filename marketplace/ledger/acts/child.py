"""The parent's side of the rendering process."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import msgspec

from marketplace.ledger.acts.render import FRAME, FRAME_BYTES_MAX, ActData, Files

RENDER_S_MAX = 60
"""A page takes some 15 ms; an act of thousands of lines a few seconds."""


class Renderer:
    """One child process; it renders one act at a time, in the order of the calls."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def render(self, act: ActData) -> Files:
        """Raises RuntimeError when the child is gone or too slow."""
        assert self._process.stdin is not None, "opened with pipes"
        assert self._process.stdout is not None, "opened with pipes"
        request = msgspec.msgpack.encode(act)
        assert len(request) <= FRAME_BYTES_MAX, "an act has a bounded number of lines"
        try:
            async with asyncio.timeout(RENDER_S_MAX):
                self._process.stdin.write(FRAME.pack(len(request)) + request)
                await self._process.stdin.drain()
                (size,) = FRAME.unpack(await self._process.stdout.readexactly(FRAME.size))
                answer = await self._process.stdout.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as error:
            raise RuntimeError(f"act {act.number} was not rendered") from error
        return msgspec.msgpack.decode(answer, type=Files)


@contextlib.asynccontextmanager
async def rendering() -> AsyncIterator[Renderer]:
    """A child that ends with the block, or with this process, however that ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "marketplace.ledger.acts.render",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Renderer(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
