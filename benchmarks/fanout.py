"""Fan-out of one node: one publication to every socket, against a bare asyncio server that writes
the same pre-encoded frame to every socket.

Servers and load clients are processes of their own. Each publication waits until the kernel has
taken the former one from every socket, on both sides, so both are measured at saturation; the
node's conflation is switched off for that, and on again for the latencies. The two take turns, and
the ratio is the median over the turns.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import psutil
import structlog
import uvicorn
import uvloop

from auctions.live import room
from auctions.live.hub import Hub
from auctions.live.wire import text_frame
from auctions.rules.core.commands import Message
from benchmarks.channel import publish
from benchmarks.children import Answer, Child, say, serve_questions
from benchmarks.crowd import handshake, masked
from benchmarks.harness import Figure, memory_mib, quantile_ms, servers, show
from marketplace.kernel.collector import settle
from marketplace.kernel.db import Database
from marketplace.kernel.embedded import Servers
from marketplace.kernel.settings import Settings
from web.app import Application, create_app
from web.demo.cast import assemble

ME = "benchmarks.fanout"
CROWDS = (1_000, 5_000)
TURNS, ROUNDS, LATENCY_ROUNDS = 7, 60, 40
LATENCY_EVERY_S = 0.25
POLL_S = 0.0003
MARK = b'"@'
"""Stands once in each published frame, before the nanosecond it was published at."""


async def rounds(publish_one: Callable[[], Awaitable[None]], question: Answer) -> Answer:
    """`count` publications, `pause_s` apart: seconds and CPU seconds they took here."""
    process = psutil.Process()
    before, begun = process.cpu_times(), time.perf_counter()
    for _ in range(question["count"]):
        await publish_one()
        await asyncio.sleep(question["pause_s"])
    after, seconds = process.cpu_times(), time.perf_counter() - begun
    cpu_s = after.user + after.system - before.user - before.system
    return {"seconds": seconds, "cpu_s": cpu_s}


async def drained(waiting: list[Callable[[], int]]) -> None:
    """Until the kernel has taken everything; each socket is looked at until it is empty."""
    for waiting_bytes in waiting:
        # The kernel sends no event.
        while waiting_bytes():  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)


# -- the bare server ----------------------------------------------------------------------------


class Bare(asyncio.Protocol):
    """Takes any handshake, then only writes."""

    open: set[Any] = set()  # noqa: RUF012  # one server a process

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET") and self._transport not in self.open:
            self._transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            self.open.add(self._transport)

    def connection_lost(self, _: Exception | None) -> None:
        self.open.discard(self._transport)


async def bare(frame_bytes: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Bare, "127.0.0.1", 0, backlog=4_096)
    say({"port": server.sockets[0].getsockname()[1]})

    async def publish_one() -> None:
        stamp = b"%s%d" % (MARK, time.monotonic_ns())
        frame = text_frame(stamp.ljust(frame_bytes, b"x"))
        for transport in Bare.open:
            transport.write(frame)
        await drained([transport.get_write_buffer_size for transport in Bare.open])

    await serve_questions(lambda question: rounds(publish_one, question))


# -- the node -----------------------------------------------------------------------------------


@asynccontextmanager
async def running(app: Application) -> Any:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        backlog=4_096,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        # The load client answers no pings; five thousand handshakes may take longer than two.
        ws_ping_interval=None,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    ticking = asyncio.create_task(server.main_loop())
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await ticking


async def node(database_url: str, redis_url: str) -> None:
    # Standard output carries the answers.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = Settings(database_url=database_url, redis_url=redis_url, secret="benchmark")
    app = create_app(settings)
    async with running(app) as port:
        url = f"http://127.0.0.1:{port}"
        database = Database(database_url, pool_size=1)
        cast = await assemble(url, database, bots=["Watcher Ltd"], guests=())
        await database.close()
        auction_id = await publish(cast)
        live: Hub = app.litestar.state.living.live
        live.limits = msgspec.structs.replace(live.limits, sockets_a_user=100_000)
        settle()
        say({"port": port, "auction": auction_id, "key": cast.bots[0].key})
        await serve_questions(lambda question: publications(live, auction_id, question))


async def publications(live: Hub, auction_id: str, question: Answer) -> Answer:
    """Buyer's messages: durable like a bid, shown to every socket."""
    room.FRAME_PAUSE_S = question.get("frame_pause_s", 0.0)
    book = await live.books.open(UUID(auction_id))
    hall = await live.room(book.auction_id)
    # Connected is not yet seated.
    while hall.seated_count < question["crowd"]:  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    delivered, waiting = hall.delivered, [m.wire.waiting_bytes for m in hall.members]

    async def publish_one() -> None:
        nonlocal delivered
        message = Message(text=f"@{time.monotonic_ns()}")
        # As in a real auction, the next command is made durable while the last one is shown.
        committing = asyncio.create_task(live.books.submit(book.auction_id, message))
        while hall.delivered < delivered:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        await drained(waiting)
        delivered += len(waiting)
        await committing

    return await rounds(publish_one, question)


# -- the load -----------------------------------------------------------------------------------


class Watcher(asyncio.Protocol):
    """Says hello and counts marks; `heard[stamp]` collects the times at which each arrived."""

    heard: dict[int, list[int]] = {}  # noqa: RUF012  # one load a process
    ready = 0

    def __init__(self, request: bytes) -> None:
        self._request, self._rest, self._greeted = request, b"", False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if not self._greeted:
            self._greeted = True
            Watcher.ready += 1
            self._transport.write(masked(b'{"type":"hello"}'))
        data = self._rest + data
        at = data.find(MARK)
        while at >= 0 and (stamp := _digits(data, at + len(MARK))) is not None:
            Watcher.heard.setdefault(stamp, []).append(now)
            data = data[at + 1 :]
            at = data.find(MARK)
        self._rest = data[at:] if at >= 0 else data[-1:]


def _digits(data: bytes, start: int) -> int | None:
    end = start
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    # The stamp may be cut off: what follows it tells.
    return int(data[start:end]) if start < end < len(data) else None


async def load(url: str, count: int, key: str) -> None:
    loop, port = asyncio.get_running_loop(), urlsplit(url).port
    assert port is not None, "a benchmark's server has a port of its own"
    request = handshake(url, key)
    for start in range(0, count, 100):
        wave = range(start, min(start + 100, count))
        await asyncio.gather(
            *(loop.create_connection(lambda: Watcher(request), "127.0.0.1", port) for _ in wave)
        )
        # A hundred handshakes at a time.
        while Watcher.ready < wave[-1] + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    say({"open": Watcher.ready})
    await serve_questions(report)


async def report(question: Answer) -> Answer:
    """Once every publication has reached everybody: ms from each until its last socket."""
    # Counting is done in the protocol.
    while sum(map(len, Watcher.heard.values())) < question["deliveries"]:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    heard, Watcher.heard = Watcher.heard, {}
    last = [(max(times) - stamp) / 1e9 for stamp, times in heard.items()]
    return {
        "last_p50_ms": quantile_ms(last, 0.5),
        "last_p99_ms": quantile_ms(last, 0.99),
    }


# -- the comparison -----------------------------------------------------------------------------


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    per_second: float
    cpu_us: float


class Side:
    """A server with its crowd connected."""

    def __init__(self, server: Child, url: str, key: str, crowd: int) -> None:
        self._server, self._crowd = server, crowd
        self._before_mib = memory_mib(server.pid)
        self._watchers = Child(ME, "load", url, str(crowd), key)

    async def ready(self) -> None:
        await self._watchers.hear()
        await self._publish(10)
        self.kib_a_socket = (memory_mib(self._server.pid) - self._before_mib) / self._crowd * 1_024

    async def turn(self, count: int) -> Turn:
        """Publications at saturation."""
        full, _ = await self._publish(count)
        deliveries = count * self._crowd
        return Turn(
            per_second=deliveries / full["seconds"], cpu_us=full["cpu_s"] / deliveries * 1e6
        )

    async def latency(self) -> Answer:
        _, latency = await self._publish(
            LATENCY_ROUNDS, pause_s=LATENCY_EVERY_S, frame_pause_s=0.06
        )
        return latency

    async def _publish(self, count: int, **how: float) -> tuple[Answer, Answer]:
        question = {"crowd": self._crowd, "count": count, "pause_s": 0.0} | how
        answer = await self._server.ask(**question)
        return answer, await self._watchers.ask(deliveries=count * self._crowd)

    def signal(self, number: int) -> None:
        for child in (self._server, self._watchers):
            child.signal(number)

    def end(self) -> None:
        self._watchers.end()
        self._server.end()


@contextmanager
def frozen(other: Side) -> Iterator[None]:
    """`other` stands still: well below the silence that would interrupt its auction."""
    other.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        other.signal(signal.SIGCONT)


async def compare(both: Servers, crowd: int) -> list[Figure]:
    children = [Child(ME, "bare", "160"), Child(ME, "node", both.database_url, both.redis_url)]
    plain, whole = [await child.hear() for child in children]
    path = f"http://127.0.0.1:{whole['port']}/api/v1/auctions/{whole['auction']}/live"
    limit = Side(children[0], f"http://127.0.0.1:{plain['port']}/", "none", crowd)
    node_ = Side(children[1], path, whole["key"], crowd)
    try:
        turns = []
        for side in (limit, node_):
            await side.ready()
        # In turn, the other one frozen: what else this machine does meanwhile meets both alike.
        for _ in range(TURNS):
            count = max(10, ROUNDS * 1_000 // crowd)
            with frozen(node_):
                plain_turn = await limit.turn(count)
            with frozen(limit):
                turns.append((plain_turn, await node_.turn(count)))
        latencies = [await side.latency() for side in (limit, node_)]
    finally:
        for side in (limit, node_):
            side.end()
    return figures(crowd, turns, latencies, [limit.kib_a_socket, node_.kib_a_socket])


def figures(
    crowd: int, turns: list[tuple[Turn, Turn]], latencies: list[Answer], kib: list[float]
) -> list[Figure]:
    name = f"{crowd} sockets"
    ratios = sorted(whole.per_second / limit.per_second for limit, whole in turns)
    limits, wholes = zip(*turns, strict=True)
    per_second = median(turn.per_second for turn in limits)
    cpu_us = median(turn.cpu_us for turn in limits)
    delivered = Figure(
        name=f"{name}: delivered at saturation",
        value=median(turn.per_second for turn in wholes),
        unit="msg/s",
        ratio=median(ratios),
        limit=f"the bare server's {per_second:,.0f} ({ratios[0]:.2f} to {ratios[-1]:.2f} by turn)",
    )
    cpu = Figure(
        name=f"{name}: CPU of the server a delivery",
        value=median(turn.cpu_us for turn in wholes),
        unit="µs",
        ratio=median(limit.cpu_us / whole.cpu_us for limit, whole in turns),
        limit=f"the bare server's speed ({cpu_us:.1f} µs)",
    )
    plain, shown = latencies
    beside = [
        ("publication to the last watcher, p50", shown["last_p50_ms"], plain["last_p50_ms"], "ms"),
        ("publication to the last watcher, p99", shown["last_p99_ms"], plain["last_p99_ms"], "ms"),
        ("memory a socket", kib[1], kib[0], "KiB"),
    ]
    return [delivered, cpu] + [
        Figure(name=f"{name}: {what}", value=value, unit=unit, note=f"(bare {plain:.1f})")
        for what, value, plain, unit in beside
    ]


def run(crowds: tuple[int, ...] = CROWDS) -> list[Figure]:
    found: list[Figure] = []
    for crowd in crowds:
        with servers() as both:
            found += uvloop.run(compare(both, crowd))
    return found


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in {"bare", "node", "load"}:
        role, *given = sys.argv[1:]
        if role == "bare":
            uvloop.run(bare(int(given[0])))
        elif role == "node":
            uvloop.run(node(given[0], given[1]))
        else:
            uvloop.run(load(given[0], int(given[1]), given[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crowds", type=int, nargs="+", default=list(CROWDS))
    print(f"load average before: {Path('/proc/loadavg').read_text().split()[0]}")
    show(run(tuple(parser.parse_args().crowds)))


if __name__ == "__main__":
    main()
