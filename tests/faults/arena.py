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
from collections.abc import Sequence
from pathlib import Path

import httpx

from marketplace.kernel import embedded
from marketplace.migrations.run import migrate

SECRET = "a secret of the fault tests"
START_TIMEOUT_S = 60
KEEP_LOGS = os.environ.get("FAULT_LOGS")
"""A folder to copy the logs to, for whoever hunts a failure."""

_DATA = shutil.ignore_patterns("postgres", "postgres-at", "*.sock")


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


class Arena:
    """PostgreSQL (fsync on), Valkey, `nodes_count` nodes and a worker; an async context manager."""

    def __init__(self, nodes_count: int, *, node_command: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="marketplace-faults-")
        self.servers = embedded.start(Path(self._folder.name))
        environment = os.environ | {
            "MARKETPLACE_DATABASE_URL": self.servers.database_url,
            "MARKETPLACE_REDIS_URL": self.servers.redis_url,
            "MARKETPLACE_SECRET": SECRET,
            "MARKETPLACE_LOG_FORMAT": "json",
        }
        folder = Path(self._folder.name)
        self.nodes = [
            NodeProcess(node_command, environment, folder / f"node-{number}.log")
            for number in range(nodes_count)
        ]
        self.logs = [folder / f"node-{number}.log" for number in range(nodes_count)]
        self._environment, self._worker_log = environment, folder / "worker.log"
        self._worker: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Arena:
        await migrate(self.servers.database_url)
        for node in self.nodes:
            node.start()
        self._start_worker()
        for node in self.nodes:
            await node.ready()
        return self

    def _start_worker(self) -> None:
        command = [sys.executable, "-m", "web.cli", "worker"]
        with self._worker_log.open("ab") as log:
            self._worker = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    async def __aexit__(self, *_: object) -> None:
        for node in self.nodes:
            node.stop()
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()
        self.servers.stop()
        if KEEP_LOGS is not None:
            shutil.copytree(self._folder.name, KEEP_LOGS, dirs_exist_ok=True, ignore=_DATA)
        self._folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


__all__ = ["Arena", "NodeProcess"]
