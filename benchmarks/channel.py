"""The live channel of one whole node: frame to ack, and from a bid to the last watcher.

Load client, node, PostgreSQL and Valkey share the machine; sockets are real and on loopback. The
load is lean, one socket a bidder; the same is measured with our own client class, which unfolds
every frame for two hundred bidders on the same two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import httpx
import uvloop

from auctions.live.client import Ack, AuctionClient
from benchmarks.crowd import Bidder, Heard, bidders
from benchmarks.harness import Figure, Stolen, memory_mib, open_loop, quantile_ms, servers, show
from marketplace.kernel.clock import Clock, rfc3339
from marketplace.kernel.db import Database
from marketplace.kernel.embedded import Servers
from web.demo.cast import Cast, assemble

SOCKETS = 200
BIDS_PER_SECOND = 500
START_CENTS = 10**11
WARM_UP_S = 3.0


@asynccontextmanager
async def node(both: Servers) -> AsyncIterator[tuple[str, int]]:
    """One `marketplace serve` and a worker in processes of their own: (address, pid of the "
    "node)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "MARKETPLACE_DATABASE_URL": both.database_url,
        "MARKETPLACE_REDIS_URL": both.redis_url,
        "MARKETPLACE_SECRET": "benchmark",
        "MARKETPLACE_LOG_LEVEL": "error",
        "MARKETPLACE_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    serve, worker = _start(environment, "serve", "--port", str(port)), _start(environment, "worker")
    try:
        await _ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", serve.pid
    finally:
        for process in (serve, worker):
            process.terminate()
        for process in (serve, worker):
            process.wait(30)


def _start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "web.cli", *arguments], env=environment)


async def _ready(address: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{address}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)  # polling a foreign process


async def publish(cast: Cast) -> str:
    """An open auction that all bots have joined; its id."""
    lot = {
        "title": "Bench",
        "items": [{"name": "Bench", "quantity": "1", "unit": "C62"}],
        "rules": {
            "format": "english",
            "starts_at": rfc3339(Clock().now_us() + 1_000_000),
            "duration_s": 3_600,
            "visibility": "rank_and_lead",
            "step": {"against": "own", "kind": "amount", "value": "0.01"},
        },
    }
    draft = {"title": "Bench", "currency": "EUR", "access": "invited", "lots": [lot]}
    tender = await cast.buyer.rest.post("/api/v1/tenders", draft)
    path = f"/api/v1/tenders/{tender['id']}"
    for start in range(0, len(cast.bots), 50):
        invited = [bot.organisation_id for bot in cast.bots[start : start + 50]]
        await cast.buyer.rest.post(f"{path}/invitations", {"organisations": invited})
    published = await cast.buyer.rest.post(f"{path}/publish")
    for bot in cast.bots:
        await bot.rest.post(f"{path}/participation", {"accept_terms": True})
    return str(published["lots"][0]["auction_id"])


async def measure(both: Servers, seconds: float) -> list[Figure]:
    async with node(both) as (address, pid):
        database = Database(both.database_url, pool_size=1)
        names = [f"Bidder{number:03} Ltd" for number in range(SOCKETS)]
        cast = await assemble(address, database, bots=names, guests=())
        await database.close()
        auction_id = await publish(cast)
        keys = [bot.key for bot in cast.bots]
        before = memory_mib(pid)
        url = f"{address}/api/v1/auctions/{auction_id}/live"
        lean = await bidders(url, keys)
        figures = [
            Figure(
                name=f"memory a socket, {SOCKETS} bidders of their own",
                value=(memory_mib(pid) - before) / SOCKETS * 1024,
                unit="KiB",
            )
        ]
        name = f"frame to ack, {BIDS_PER_SECOND} bids/s, {SOCKETS} sockets"
        turns = falling(SOCKETS)
        figures += await acks(name, [each.bid for each in lean], turns, seconds)
        close(lean)
        figures += await by_client(address, auction_id, keys, turns, seconds)
        lean = await bidders(url, keys)
        figures += await watchers(lean)
        close(lean)
    return figures


def close(crowd: list[Bidder]) -> None:
    for each in crowd:
        each.close()


def falling(bidders_count: int) -> Iterator[tuple[int, str]]:
    """Whose turn it is, and a price below the own last one."""
    for number in itertools.count():
        cents = START_CENTS - number // bidders_count
        yield number % bidders_count, f"{cents // 100}.{cents % 100:02}"


async def by_client(
    address: str, auction_id: str, keys: list[str], turns: Iterator[tuple[int, str]], seconds: float
) -> list[Figure]:
    """The same by the client class for integrators, all of them in this one process."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(AuctionClient(address, key, auction_id)) for key in keys
        ]
        await clients[0].until("open")
        return await acks(
            "the same by AuctionClient", [each.bid for each in clients], turns, seconds
        )


async def acks(
    name: str,
    bids: Sequence[Callable[[str], Awaitable[Ack | Heard]]],
    turns: Iterator[tuple[int, str]],
    seconds: float,
) -> list[Figure]:
    """Frame to ack at a steady rate, measured by the bidders, who take turns."""
    refused = itertools.count()

    async def bid(_: int) -> None:
        number, price = next(turns)
        ack = await bids[number](price)
        # On a machine that is too slow a bidder overtakes itself; that is an answer as well.
        if ack.outcome != "accepted":
            next(refused)

    await open_loop(bid, per_second=BIDS_PER_SECOND, seconds=WARM_UP_S)
    stolen = Stolen()
    latencies = await open_loop(bid, per_second=BIDS_PER_SECOND, seconds=seconds)
    return [
        Figure(name=f"{name}: p50", value=quantile_ms(latencies, 0.5), unit="ms", note=str(stolen)),
        Figure(name=f"{name}: p99", value=quantile_ms(latencies, 0.99), unit="ms"),
        Figure(name=f"{name}: refused", value=next(refused), unit="bids"),
    ]


async def watchers(crowd: list[Bidder], count: int = 40) -> list[Figure]:
    """From sending a bid until the last of all sockets has heard of it; one bid at a time."""
    latencies = []
    for number in range(count):
        # The lead falls, so every bidder must be told.
        cents = START_CENTS // 2 - number * 100
        await asyncio.sleep(0.1)  # conflation starts afresh for each bid
        heard = [each.watch() for each in crowd]
        begun = time.perf_counter()
        price = f"{cents // 100}.{cents % 100:02}"
        ack = await crowd[number % len(crowd)].bid(price)
        if ack.code == "confirm_required":
            await crowd[number % len(crowd)].bid(price, confirm=ack.token)
            continue
        await asyncio.gather(*heard)
        latencies.append(time.perf_counter() - begun)
    name = f"bid to the last of {len(crowd)} watchers"
    return [
        Figure(name=f"{name}: p50", value=quantile_ms(latencies, 0.5), unit="ms"),
        Figure(name=f"{name}: p99", value=quantile_ms(latencies, 0.99), unit="ms"),
    ]


def run(seconds: float = 8.0) -> list[Figure]:
    with servers() as both:
        return uvloop.run(measure(both, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    show(run(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
