"""Redis processes from a configuration file, and waiting for a state of servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from marketplace.kernel.embedded.server import Server
from marketplace.kernel.embedded.servers import valkey_binary

HOST = "127.0.0.1"
ADMIN_PASSWORD = "of-the-default-user"
USER, PASSWORD = "market", "p@ss:w/rd#1"
"""What the product logs in with; the password is one that must be quoted in a URL."""

PATIENCE_S = 60.0
"""Far more than a failover takes: the machine may be busy with other tests."""

_POLL_S = 0.05
_ASK_TIMEOUT_S = 1.0
# Below what Linux gives to outgoing connections (32768), and nothing of ours listens there.
_PORTS = range(20_000, 30_000)

SERVER_LINES = (
    f"requirepass {ADMIN_PASSWORD}",
    f"masterauth {ADMIN_PASSWORD}",
    f'user {USER} on ">{PASSWORD}" ~* &* +@all -@admin -@dangerous',
    'save ""',
    "appendonly no",
    "maxmemory-policy noeviction",
    "repl-diskless-sync-delay 0",
    "repl-ping-replica-period 1",
)


class RedisProcess(Server):
    """One Valkey on a port of its own. `MARKETPLACE_REDIS_SERVER` names another binary."""

    def __init__(
        self, name: str, folder: Path, lines: Sequence[str], *, is_sentinel: bool = False
    ) -> None:
        self.port = free_port()
        path = folder / f"{name}.conf"
        path.write_text("\n".join([f"bind {HOST}", f"port {self.port}", f"dir {folder}", *lines]))
        binary = os.environ.get("MARKETPLACE_REDIS_SERVER") or valkey_binary()
        super().__init__(
            name,
            [binary, str(path), *(["--sentinel"] if is_sentinel else [])],
            log=folder / f"{name}.log",
            stop_signal=signal.SIGTERM,
            answers=self._answers,
            cwd=folder,
        )

    def client(self, **options: Any) -> Redis:
        """A client of the default user, which may do everything."""
        return Redis(
            host=HOST,
            port=self.port,
            password=ADMIN_PASSWORD,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=_ASK_TIMEOUT_S,
            socket_connect_timeout=_ASK_TIMEOUT_S,
            **options,
        )

    async def ask(self, *command: str | bytes | int) -> Any:
        """The reply as the server gives it. Raises RedisError or OSError."""
        async with self.client() as client:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]

    async def info(self, section: str) -> dict[str, str]:
        """A section of INFO."""
        facts = await self.ask("INFO", section)
        return {str(name): str(value) for name, value in facts.items()}

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            try:
                probe.connect((HOST, self.port))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith((b"+PONG", b"-NOAUTH"))
            except OSError:
                return False


def free_port() -> int:
    """A port nobody listens on."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


async def start_all(servers: Sequence[Server]) -> None:
    await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))


async def stop_all(servers: Sequence[Server]) -> None:
    await asyncio.gather(*(asyncio.to_thread(server.stop) for server in servers))


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Poll `condition`; servers that do not answer mean "not yet"."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        with contextlib.suppress(RedisError, asyncpg.PostgresError, OSError, TimeoutError):
            if await condition():
                return
        assert asyncio.get_running_loop().time() < deadline, f"in vain waited until {what}"
        await asyncio.sleep(_POLL_S)
