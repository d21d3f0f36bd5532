"""Processes of a benchmark that answer questions: a server, a load client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

Answer = dict[str, Any]


class Child:
    """A process of `module` in another role: one JSON line in, one JSON line out."""

    def __init__(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid

    async def hear(self) -> Answer:
        assert self._process.stdout is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        assert line, "the process has ended"
        return msgspec.json.decode(line, type=Answer)

    async def ask(self, **question: Any) -> Answer:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(question) + b"\n")
        self._process.stdin.flush()
        return await self.hear()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(30)


async def serve_questions(answer: Callable[[Answer], Awaitable[Answer]]) -> None:
    """The other end of `Child.ask`, until standard input ends."""
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        say(await answer(msgspec.json.decode(line)))


def say(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()
