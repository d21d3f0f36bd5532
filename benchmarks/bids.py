"""Bids: admitted, decided and durable, against bare `XADD` and a bare group commit of the same
rows.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Sequence
from statistics import median
from uuid import UUID

import asyncpg
import uvloop
from msgspec.structs import replace

from auctions.book.books import Books
from auctions.book.journal import Journal, Record
from auctions.rules.core.commands import Admit, Bid, Tick
from auctions.rules.terms.read import read_terms
from benchmarks.harness import (
    Figure,
    closed_loop,
    memory_mib,
    open_loop,
    quantile_ms,
    servers,
    show,
)
from marketplace.kernel.clock import Clock, rfc3339
from marketplace.kernel.collector import settle
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.redis import connect
from marketplace.kernel.settings import external_urls

BIDDERS = 200
START_MINOR = 10**11
GATHERED_MAX = 512
TURNS = 5


class Node:
    """One node without sockets: books on both servers, and bids that are always accepted."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.database = Database(database_url)
        self.redis = connect(redis_url)
        self.books = Books(self.database, self.redis, Clock())
        self._counter = itertools.count()

    async def __aenter__(self) -> Node:
        settle()
        await self.books.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.books.stop()
        await self.redis.aclose()
        await self.database.close()

    async def new_auction(self) -> UUID:
        """An open english auction with BIDDERS bidders."""
        auction_id = new_id()
        rules = {
            "format": "english",
            "starts_at": rfc3339(Clock().now_us()),
            "duration_s": 3600,
            "step": {"against": "own", "kind": "amount", "value": "0.01"},
            "visibility": "rank_and_lead",
        }
        terms = read_terms(rules, auction=str(auction_id), currency="EUR", ceiling=None)
        async with self.database.transaction(SYSTEM) as session:
            await self.books.create(session, auction_id, terms)
        await self.books.submit(auction_id, Tick())
        for number in range(BIDDERS):
            await self.books.submit(
                auction_id, Admit(cid=f"admit-{number}", bidder=f"bidder {number}")
            )
        return auction_id

    async def bid(self, auction_id: UUID, offset: int = 0, every: int = 1) -> None:
        """A bid that beats the own last one; several nodes take turns by (`offset`, `every`)."""
        number = next(self._counter) * every + offset
        price = START_MINOR - number // BIDDERS
        body = Bid(
            cid=f"c{number}",
            bidder=f"bidder {number % BIDDERS}",
            price=f"{price // 100}.{price % 100:02}",
        )
        durable = await self.books.submit(auction_id, body)
        assert durable.outcome.accepted, durable.outcome


async def bare_xadd(redis_url: str, *, workers: int, seconds: float) -> float:
    """Entries per second by pipelined `XADD`, a batch gathering while the last is in flight."""
    redis = connect(redis_url)
    gathered: list[asyncio.Future[None]] = []
    ready = asyncio.Event()
    body = b'{"bidder":"bidder 123","cid":"c123456","kind":"bid","price":"99999.99"}'

    async def pump() -> None:
        while True:
            await ready.wait()
            ready.clear()
            batch = gathered[:GATHERED_MAX]
            del gathered[:GATHERED_MAX]
            pipe = redis.pipeline(transaction=False)
            for _ in batch:
                pipe.xadd("bare", {"b": body})
            await pipe.execute()
            for future in batch:
                future.set_result(None)
            if gathered:
                ready.set()

    async def work(_: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gathered.append(future)
        ready.set()
        await future

    pumping = asyncio.create_task(pump())
    rate, _ = await closed_loop(work, workers=workers, seconds=seconds)
    pumping.cancel()
    await redis.delete("bare")
    await redis.aclose()
    return rate


async def bare_commit(
    database_url: str, rows: list[Record], *, workers: int, seconds: float
) -> float:
    """Rows per second by group commit of the very same rows: `INSERT … unnest`, fsync on, natural
    batching.
    """
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE bare (LIKE auction_commands INCLUDING ALL)")
    gathered: list[asyncio.Future[None]] = []
    ready = asyncio.Event()
    counter = itertools.count(1)
    auction_id = new_id()

    async def pump() -> None:
        while True:
            await ready.wait()
            ready.clear()
            batch = gathered[:GATHERED_MAX]
            del gathered[:GATHERED_MAX]
            kept = [rows[next(counter) % len(rows)] for _ in batch]
            first = next(counter) + GATHERED_MAX * next(counter)
            await connection.execute(
                "INSERT INTO bare (auction_id, seq, ts, bidder, cid, body, outcome, chain) "
                "SELECT $1, c.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], "
                "$6::bytea[], $7::bytea[], $8::bytea[]) c",
                auction_id,
                list(range(first, first + len(kept))),
                [r.ts for r in kept],
                [r.bidder for r in kept],
                [r.cid for r in kept],
                [r.kept_body for r in kept],
                [r.kept_outcome for r in kept],
                [r.chain for r in kept],
            )
            for future in batch:
                future.set_result(None)
            if gathered:
                ready.set()

    async def work(_: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gathered.append(future)
        ready.set()
        await future

    pumping = asyncio.create_task(pump())
    rate, _ = await closed_loop(work, workers=workers, seconds=seconds)
    pumping.cancel()
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return rate


async def sample_rows(node: Node, auction_id: UUID) -> list[Record]:
    """Rows as the path really writes them, for the bare commit."""
    journal = Journal(await node.database.pool())
    rows = [row async for row in journal.commands(auction_id, 1_000, 6_000)]
    return [
        Record(r["seq"], r["ts"], r["bidder"], r["cid"], r["body"], r["outcome"], r["chain"], "")
        for r in rows
    ]


async def hot_auction(database_url: str, redis_url: str, seconds: float) -> list[Figure]:
    """One hot auction on one node."""
    figures: list[Figure] = []
    async with Node(database_url, redis_url) as node:
        auction_id = await node.new_auction()
        await closed_loop(lambda _: node.bid(auction_id), workers=200, seconds=2)
        rows = await sample_rows(node, auction_id)
        for workers in (50, 200, 1_000):
            xadds, commits, rates = [], [], []
            latencies: list[float] = []
            before, counted = memory_mib(), node.books.followed[0].published_seq
            # In turn: what else this machine does meanwhile should meet all alike.
            for _ in range(TURNS):
                turn_s = seconds / TURNS
                xadds.append(await bare_xadd(redis_url, workers=workers, seconds=turn_s))
                commits.append(
                    await bare_commit(database_url, rows, workers=workers, seconds=turn_s)
                )
                rate, took = await closed_loop(
                    lambda _: node.bid(auction_id), workers=workers, seconds=turn_s
                )
                rates.append(rate)
                latencies += took
            bids = node.books.followed[0].published_seq - counted
            grown = (memory_mib() - before) / max(1, bids) * 1e5
            name = f"one hot auction, {workers} at once"
            figures += [
                *_rates(name, xadds, commits, rates),
                *_latency(name, latencies),
                Figure(name=f"{name}: memory per 100,000 bids", value=grown, unit="MiB"),
            ]
        for per_second in (500, 2_000, 5_000):
            latencies = await open_loop(
                lambda _: node.bid(auction_id), per_second=per_second, seconds=seconds
            )
            figures += _latency(f"one hot auction at {per_second} bids/s", latencies)
    return figures


def _rates(name: str, xadds: list[float], commits: list[float], rates: list[float]) -> list[Figure]:
    """Medians over the turns, ratios within each turn."""
    to_commit = median(rate / limit for rate, limit in zip(rates, commits, strict=True))
    to_xadd = median(rate / limit for rate, limit in zip(rates, xadds, strict=True))
    bids = Figure(name=f"{name}: bids", value=median(rates), unit="/s")
    return [
        Figure(name=f"{name}: bare XADD", value=median(xadds), unit="/s"),
        Figure(name=f"{name}: bare group commit", value=median(commits), unit="/s"),
        replace(bids, ratio=to_commit, limit="group commit"),
        replace(bids, ratio=to_xadd, limit="XADD"),
    ]


async def many_auctions(database_url: str, redis_url: str, seconds: float) -> list[Figure]:
    """100 auctions at once on one node."""
    async with Node(database_url, redis_url) as node:
        auctions = [await node.new_auction() for _ in range(100)]
        rate, latencies = await closed_loop(
            lambda worker: node.bid(auctions[worker % 100]), workers=200, seconds=seconds
        )
        figures = [Figure(name="100 auctions, 200 at once: bids", value=rate, unit="/s")]
        return figures + _latency("100 auctions, 200 at once", latencies)


async def one_of_nodes(
    database_url: str,
    redis_url: str,
    auction_id: UUID,
    offset: int,
    nodes: int,
    per_second: float,
    seconds: float,
) -> list[float]:
    """The share of one node when several bid in the same auction."""
    async with Node(database_url, redis_url) as node:
        # The parent's heart stopped with it: without a beat the auction would be interrupted.
        await node.books.submit(auction_id, Tick())
        return await open_loop(
            lambda _: node.bid(auction_id, offset, nodes),
            per_second=per_second / nodes,
            seconds=seconds,
        )


def _latency(name: str, latencies: list[float]) -> list[Figure]:
    return [
        Figure(name=f"{name}: p50", value=quantile_ms(latencies, 0.5), unit="ms"),
        Figure(name=f"{name}: p99", value=quantile_ms(latencies, 0.99), unit="ms"),
    ]


async def several_nodes(
    database_url: str,
    redis_url: str,
    nodes: int,
    seconds: float,
    rates: Sequence[int] = (500, 2_000),
) -> list[Figure]:
    """`nodes` processes that all bid in one hot auction."""
    figures = []
    for per_second in rates:
        async with Node(database_url, redis_url) as node:
            auction_id = await node.new_auction()
        arguments = [
            database_url,
            redis_url,
            str(auction_id),
            str(nodes),
            str(per_second),
            str(seconds),
        ]
        children = [
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "benchmarks.bids",
                "--node",
                str(offset),
                *arguments,
                stdout=asyncio.subprocess.PIPE,
            )
            for offset in range(nodes)
        ]
        outputs = [await child.communicate() for child in children]
        latencies = [float(line) for out, _ in outputs for line in out.decode().split()]
        figures += _latency(f"{nodes} nodes, one hot auction at {per_second} bids/s", latencies)
    return figures


def run(seconds: float = 5.0) -> list[Figure]:
    """All figures of this file; standard error hears how far it is."""
    figures: list[Figure] = []
    with servers() as both:
        urls = (both.database_url, both.redis_url)
        for work in (hot_auction, many_auctions):
            figures += uvloop.run(work(*urls, seconds))
            print(f"{work.__name__}: done", file=sys.stderr)
        for nodes in (2, 4):
            figures += uvloop.run(several_nodes(*urls, nodes, seconds))
            print(f"{nodes} nodes: done", file=sys.stderr)
    return figures


def one_against_two(seconds: float) -> list[Figure]:
    """On the configured servers, such as those of `python -m tests.topology cluster …`: what it
    costs that a bid is decided on another node than the one before.
    """
    urls = external_urls()
    assert urls is not None, "MARKETPLACE_DATABASE_URL and MARKETPLACE_REDIS_URL are not set"
    # So few that waiting for messages counts, and not the processors of the machine.
    rates = (50, 500)
    one = uvloop.run(several_nodes(*urls, 1, seconds, rates))
    two = uvloop.run(several_nodes(*urls, 2, seconds, rates))
    compared = [
        replace(both, ratio=both.value / alone.value, limit="one node")
        for alone, both in zip(one, two, strict=True)
    ]
    return [*one, *compared]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument(
        "--nodes", action="store_true", help="only one node against two, on configured servers"
    )
    parser.add_argument("--node", nargs=7, metavar="ARG")
    options = parser.parse_args()
    if options.nodes:
        show(one_against_two(options.seconds))
        return
    if options.node is None:
        begun = time.perf_counter()
        show(run(options.seconds))
        print(f"took {time.perf_counter() - begun:.0f} s")
        return
    offset, database_url, redis_url, auction_id, nodes, per_second, seconds = options.node
    latencies = uvloop.run(
        one_of_nodes(
            database_url,
            redis_url,
            UUID(auction_id),
            int(offset),
            int(nodes),
            float(per_second),
            float(seconds),
        )
    )
    print("\n".join(f"{latency:.6f}" for latency in latencies))


if __name__ == "__main__":
    main()
