"""One node: the application on uvicorn, ended in good order by SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import uvicorn

from marketplace.kernel import logs
from marketplace.kernel.collector import settle
from marketplace.kernel.settings import Settings
from web.http_protocol import BoundedProtocol
from web.orphan import parent_gone

if TYPE_CHECKING:
    from web.app import Application

DRAIN_S = 10
BACKLOG = 4_096
KEEP_ALIVE_S = 75
"""Longer than clients and load balancers keep idle connections: who closes first must not be us,
or a request that is on its way is lost.
"""

SOCKET_FRAME_BYTES_MAX = 64 * 1024
"""The live channel's own limit is far lower and answers with its own close code."""


def bind(host: str, port: int) -> socket.socket:
    """A bound socket that other nodes may share (SO_REUSEPORT). Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(f"Port {port} on {host} is not free: {error.strerror}") from error
    bound.set_inheritable(True)
    return bound


def trusted_peers(networks: Iterable[str]) -> list[str]:
    """As uvicorn takes them. A socket that listens on `::` names IPv4 peers `::ffff:10.0.0.7`, so
    each IPv4 network is listed in that form too.
    """
    found: list[str] = []
    for network in map(ipaddress.ip_network, networks):
        found.append(str(network))
        if network.version == 4:
            found.append(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
    return found


async def run_node(
    settings: Settings, bound: socket.socket, *, supervised: bool, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT, or until the supervising process is gone. `ready` is called
    once connections are accepted.
    """
    from web.app import create_app  # noqa: PLC0415  # seconds, which a supervisor need not wait

    logs.configure(settings.log_format, settings.log_level)
    app = create_app(settings)
    server = _Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="websockets-sansio",
            ws_max_size=SOCKET_FRAME_BYTES_MAX,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=trusted_peers(settings.trusted_proxies),
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
        ),
        ready,
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(parent_gone(stopping)) if supervised else None
        serving = group.create_task(server.serve(sockets=[bound]))
        ending = group.create_task(_end(server, app, stopping))
        await serving
        ending.cancel()
        if watching is not None:
            watching.cancel()
    if not server.started:
        raise OSError("The node did not start; the log says why.")


async def _end(server: uvicorn.Server, app: Application, stopping: asyncio.Event) -> None:
    await stopping.wait()
    try:
        if server.started:
            await app.drain()
    finally:
        server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn, with our own signal handlers and a word when it accepts connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # Else walking all that was made at the start stops the node for a tenth of a second
            # now and then, and whoever asks at that moment waits.
            settle()
            self._ready()
