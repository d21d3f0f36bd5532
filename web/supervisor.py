"""Several node processes on one port, and a worker beside them: start, keep alive, end together."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence

import structlog

from marketplace.kernel.settings import Settings, environment
from web.console import CommandFailed
from web.serve import DRAIN_S

RESTARTS_MAX = 1_000
RESTART_PAUSE_S = 0.5
END_S = DRAIN_S + 5

_log = structlog.get_logger(__name__)


class Supervisor:
    """Runs `marketplace …` child processes; a child that dies is started again."""

    def __init__(self, settings: Settings) -> None:
        self._environment = environment(settings)
        self._stopping = asyncio.Event()

    async def run(
        self,
        nodes: Sequence[Sequence[str]],
        others: Sequence[Sequence[str]],
        ready: Callable[[], None],
    ) -> None:
        """Until SIGTERM or SIGINT. Each command is the arguments of `marketplace`; a node says one
        line on standard output when it serves, and `ready` is called when all have.

        Raises CommandFailed when a node dies before it ever served.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        up = [asyncio.Event() for _ in nodes]
        async with asyncio.TaskGroup() as group:
            for arguments, event in zip(nodes, up, strict=True):
                group.create_task(self._keep(arguments, event))
            for arguments in others:
                group.create_task(self._keep(arguments, None))
            await self._all_up(up)
            if all(event.is_set() for event in up):
                ready()
        if not all(event.is_set() for event in up):
            raise CommandFailed("A node did not start; the log above says why.")

    async def _all_up(self, up: Sequence[asyncio.Event]) -> None:
        stopping = asyncio.ensure_future(self._stopping.wait())
        waiting = asyncio.ensure_future(asyncio.wait([asyncio.ensure_future(e.wait()) for e in up]))
        await asyncio.wait([stopping, waiting], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        waiting.cancel()

    async def _keep(self, arguments: Sequence[str], up: asyncio.Event | None) -> None:
        for _ in range(RESTARTS_MAX):
            code = await self._once(arguments, up)
            if self._stopping.is_set():
                return
            _log.warning("process_ended", command=arguments[0], code=code)
            if up is not None and not up.is_set():
                break
            await asyncio.sleep(RESTART_PAUSE_S)
        self._stopping.set()

    async def _once(self, arguments: Sequence[str], up: asyncio.Event | None) -> int:
        # A session of its own: Ctrl-C reaches us first, and we end the children in order. Their
        # standard input ends when we do, however that happens.
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "web.cli",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
        )
        assert child.stdout is not None, "a pipe was asked for"
        ended = asyncio.ensure_future(child.wait())
        stopping = asyncio.ensure_future(self._stopping.wait())
        saying = asyncio.ensure_future(_hear(child.stdout, up))
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            child.terminate()
            await asyncio.wait([ended], timeout=END_S)
        if not ended.done():
            child.kill()
        stopping.cancel()
        code = await ended
        await saying
        return code


async def _hear(stdout: asyncio.StreamReader, up: asyncio.Event | None) -> None:
    while await stdout.readline():
        if up is not None:
            up.set()
