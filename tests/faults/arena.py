"""Real servers and real node processes that can be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

import httpx

from auctions.book.log import head_key
from marketplace.migrations.run import migrate
from tests.topology import (
    ClusterTopology,
    SentinelTopology,
    SingleTopology,
    StandbyTopology,
    cluster,
    sentinel,
    single,
    standby,
)

SECRET = "a secret of the fault tests"
START_TIMEOUT_S = 240
END_TIMEOUT_S = 20
WORKERS = 2
HEAL_TRIES = 3
KEEP_LOGS = os.environ.get("FAULT_LOGS")
"""A folder to copy the logs to, for whoever hunts a failure."""

AnyTopology = SingleTopology | SentinelTopology | ClusterTopology | StandbyTopology
TOPOLOGIES: dict[str, Callable[[], contextlib.AbstractAsyncContextManager[AnyTopology]]] = {
    "single": single,
    "sentinel": sentinel,
    "cluster": cluster,
    "standby": standby,
}


class NodeProcess:
    """One `marketplace serve` on a port of its own; `command` replaces the program to run."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, *command, "--port", str(self.port)]
        self._environment = environment | {"MARKETPLACE_PUBLIC_URL": self.url}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    async def ready(self) -> None:
        """Wait until it serves. Raises TimeoutError."""
        async with asyncio.timeout(START_TIMEOUT_S), httpx.AsyncClient() as client:
            while True:
                assert self._process is not None
                assert self._process.poll() is None, self._log.read_text()[-3000:]
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.url}/readyz", timeout=2)).status_code == 200:
                        return
                await asyncio.sleep(0.05)  # polling a foreign process

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """As a deploy does it: in good order."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self.kill()


class WorkerProcess:
    """One `marketplace worker`."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "web.cli", "worker"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Arena:
    """A topology (PostgreSQL with fsync on), `nodes_count` nodes and two workers; an async context
    manager.
    """

    def __init__(
        self, nodes_count: int, *, node_command: Sequence[str], topology: str = "single"
    ) -> None:
        self._nodes_count, self._node_command, self._kind = nodes_count, node_command, topology
        self._stack = contextlib.AsyncExitStack()
        self._mending: list[Callable[[], Awaitable[object]]] = []
        self.auction_id = UUID(int=0)
        """The one that carries the load."""

    @property
    def auction_key(self) -> str:
        """Where its log is: on a cluster that slot's master is the one to break."""
        return head_key(self.auction_id)

    def later(self, mend: Callable[[], Awaitable[object]]) -> None:
        """Something to do once bidding has gone on without it."""
        self._mending.append(mend)

    async def mend(self) -> None:
        """All servers are there again and in step."""
        mending, self._mending = self._mending, []
        for mend in mending:
            await mend()
        for tries in reversed(range(HEAL_TRIES)):
            try:
                await self.topology.healed()
                return
            except AssertionError:
                # It has a minute each time; a machine that does other things too takes longer.
                if not tries:
                    raise

    async def __aenter__(self) -> Arena:
        async with contextlib.AsyncExitStack() as stack:
            self.topology = await stack.enter_async_context(TOPOLOGIES[self._kind]())
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mp-faults-")))
            if KEEP_LOGS is not None:
                stack.callback(shutil.copytree, folder, KEEP_LOGS, dirs_exist_ok=True)
            await migrate(self.topology.database_url)
            environment = os.environ | {
                "MARKETPLACE_DATABASE_URL": self.topology.database_url,
                "MARKETPLACE_REDIS_URL": self.topology.redis_url,
                "MARKETPLACE_SECRET": SECRET,
                "MARKETPLACE_LOG_FORMAT": "json",
            }
            self.nodes = [
                NodeProcess(self._node_command, environment, folder / f"node-{number}.log")
                for number in range(self._nodes_count)
            ]
            self.workers = [
                WorkerProcess(environment, folder / f"worker-{number}.log")
                for number in range(WORKERS)
            ]
            for process in (*self.nodes, *self.workers):
                process.start()
                stack.callback(process.stop if isinstance(process, NodeProcess) else process.kill)
            for node in self.nodes:
                await node.ready()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


__all__ = ["TOPOLOGIES", "Arena", "NodeProcess"]
