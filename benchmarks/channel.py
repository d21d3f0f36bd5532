"""The live channel of one whole node: frame to ack, and from a bid to the last watcher.

Load client, node, PostgreSQL and Valkey share the machine; sockets are real and on loopback.
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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvloop

from auctions.live.client import AuctionClient
from benchmarks.harness import Figure, memory_mib, open_loop, quantile_ms, servers, show
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
        before = memory_mib(pid)
        async with contextlib.AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(AuctionClient(address, bot.key, auction_id))
                for bot in cast.bots
            ]
            await clients[0].until("open")
            figures = [
                Figure(
                    name=f"memory a socket, {SOCKETS} bidders of their own",
                    value=(memory_mib(pid) - before) / SOCKETS * 1024,
                    unit="KiB",
                )
            ]
            figures += await acks(clients, seconds)
            figures += await watchers(clients)
    return figures


async def acks(clients: list[AuctionClient], seconds: float) -> list[Figure]:
    """Frame to ack at a steady rate, measured by the bidders."""
    counter, refused = itertools.count(), itertools.count()

    async def bid(_: int) -> None:
        number = next(counter)
        cents = START_CENTS - number // len(clients)
        ack = await clients[number % len(clients)].bid(f"{cents // 100}.{cents % 100:02}")
        # On a machine that is too slow a bidder overtakes itself; that is an answer as well.
        if not ack.accepted:
            next(refused)

    await open_loop(bid, per_second=BIDS_PER_SECOND, seconds=WARM_UP_S)
    latencies = await open_loop(bid, per_second=BIDS_PER_SECOND, seconds=seconds)
    name = f"frame to ack, {BIDS_PER_SECOND} bids/s, {SOCKETS} sockets"
    return [
        Figure(name=f"{name}: p50", value=quantile_ms(latencies, 0.5), unit="ms"),
        Figure(name=f"{name}: p99", value=quantile_ms(latencies, 0.99), unit="ms"),
        Figure(name=f"{name}: refused", value=next(refused), unit="bids"),
    ]


async def watchers(clients: list[AuctionClient], count: int = 40) -> list[Figure]:
    """From sending a bid until the last of all sockets has heard of it; one bid at a time."""
    latencies = []
    for number in range(count):
        # The lead falls, so every bidder must be told.
        cents = START_CENTS // 2 - number * 100
        heard = [asyncio.create_task(_next_event(client)) for client in clients]
        await asyncio.sleep(0.1)  # conflation starts afresh for each bid
        begun = time.perf_counter()
        price = f"{cents // 100}.{cents % 100:02}"
        ack = await clients[number % len(clients)].bid(price)
        if ack.code == "confirm_required":
            for task in heard:
                task.cancel()
            await clients[number % len(clients)].bid(price, confirm=ack.token)
            continue
        await asyncio.gather(*heard)
        latencies.append(time.perf_counter() - begun)
    name = f"bid to the last of {len(clients)} watchers"
    return [
        Figure(name=f"{name}: p50", value=quantile_ms(latencies, 0.5), unit="ms"),
        Figure(name=f"{name}: p99", value=quantile_ms(latencies, 0.99), unit="ms"),
    ]


async def _next_event(client: AuctionClient) -> None:
    async for frame in client.events():
        if frame["type"] == "event" and frame.get("kind") in {"bid", "standing", "you", "lead"}:
            return


def run(seconds: float = 8.0) -> list[Figure]:
    with servers() as both:
        return uvloop.run(measure(both, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    show(run(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
