"""A run: bidding at a steady rate while faults happen one after the other, then the verdict."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import asyncpg
import msgspec
from redis.exceptions import RedisError

from benchmarks.harness import quantile_ms
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from tests.faults.arena import Arena
from tests.faults.crowd import ANSWER_TIMEOUT_S, Crowd, Watcher
from tests.faults.faults import FAULTS
from tests.faults.short import FAULT_S, ShortAuctions, publish
from tests.faults.verdict import judge
from web.demo.cast import assemble

NODE = ("-m", "web.cli", "serve")
MUTANT = ("-m", "tests.faults.mutants")
FAULTS_A_SHORT_MAX = 5
"""No more faults than this for each short auction."""

LONG_S = 86_400
AHEAD_US = 1_000_000
RECOVERY_S = 6.0
"""So soon after the end of a fault each node acknowledges bids again."""

RECOVERY_PATIENCE_S = 60.0
"""A node that has not recovered by then is left; the next fault comes all the same."""


class Report(msgspec.Struct):
    """What a run found; `problems` is empty when every promise was kept.

    recoveries  by fault, how many seconds after its end the last node acknowledged a bid again
    spent_s     by fault, how many seconds all of them took with recovery and mending
    closed      short auctions that closed, of `short` that began
    interrupted  how many of these met an outage
    """

    faults: dict[str, int]
    problems: list[str]
    recoveries: dict[str, list[float]]
    spent_s: dict[str, float] = {}
    sent: int = 0
    answered: int = 0
    accepted: int = 0
    given_up: int = 0
    short: int = 0
    closed: int = 0
    interrupted: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    def count(self, kind: str) -> int:
        """How many problems are of this kind: lost, doubled, contradicted."""
        return sum(problem.startswith(f"{kind}: ") for problem in self.problems)


class Run(msgspec.Struct, kw_only=True):
    """How a run is made.

    kinds       the faults to choose from; all of the topology's when None
    short       how many short auctions begin meanwhile; the run ends when these have closed
    recovery_s  None: whatever it takes
    """

    faults: int
    per_second: float
    seed: int
    topology: str = "single"
    nodes: int = 2
    kinds: Sequence[str] | None = None
    short: int = 0
    mutant: str | None = None
    say: Callable[[str], None] = lambda _: None
    pause_s: tuple[float, float] = (0.1, 0.5)
    patience_s: float = ANSWER_TIMEOUT_S
    recovery_s: float | None = RECOVERY_S


async def run(how: Run) -> Report:
    """One long auction that carries the load, and short ones that close in the middle of it all."""
    command = NODE if how.mutant is None else (*MUTANT, how.mutant)
    async with Arena(how.nodes, node_command=command, topology=how.topology) as arena:
        database = Database(arena.topology.database_url, pool_size=2)
        cast = await assemble(arena.nodes[0].url, database)
        await database.close()
        urls = [node.url for node in arena.nodes]
        starts_at_us = [Clock().now_us() + AHEAD_US]
        long_id = (await publish(cast, cast.bots, LONG_S, starts_at_us))[0]
        load = Crowd(long_id, urls, cast.bots)
        arena.auction_id = UUID(long_id)
        short = ShortAuctions(urls)
        await short.make(cast, how.short, how.faults * FAULT_S)
        loading = asyncio.create_task(load.bid(how.per_second))
        watchers = [Watcher(load.auction_id, url, cast.buyer.key) for url in urls]
        watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
        beginning = asyncio.create_task(short.bid())
        report = Report({}, [], {})
        await load.accepts_again(0.0)
        await _break_things(arena, load, short, how, report)
        for task in (beginning, *watching):
            task.cancel()
        for crowd in (load, *short.crowds):
            crowd.patience_s = how.patience_s
        load.stop()
        await asyncio.wait([loading, beginning, *watching])
        await _close(arena, short, how, report)
        heads = [head for watcher in watchers for head in watcher.heads.items()]
        await _judge(arena, load, heads, report)
        for crowd in short.crowds:
            await _judge(arena, crowd, (), report)
        loading.result()
    latencies = [one for crowd in (load, *short.crowds) for one in crowd.latencies]
    report.p50_ms, report.p99_ms = quantile_ms(latencies, 0.5), quantile_ms(latencies, 0.99)
    return report


async def _close(arena: Arena, short: ShortAuctions, how: Run, report: Report) -> None:
    report.short = len(short.crowds)
    how.say(f"waiting until {report.short} short auctions have closed")
    try:
        await short.closed(arena.topology.database_url)
    except TimeoutError:
        report.problems.append("short auctions did not close")
    await short.stop()


async def _break_things(
    arena: Arena, load: Crowd, short: ShortAuctions, how: Run, report: Report
) -> None:
    dice = random.Random(how.seed)
    faults = FAULTS[how.topology]
    for number in range(how.faults):
        await asyncio.sleep(dice.uniform(*how.pause_s))  # bidding goes on undisturbed for a moment
        await short.begun(1 + number // FAULTS_A_SHORT_MAX)
        kind = dice.choice(how.kinds or tuple(faults))
        how.say(f"fault {number + 1} of {how.faults}: {kind}")
        began = time.monotonic()
        try:
            await faults[kind](arena, dice)
        except (OSError, asyncpg.PostgresError, RedisError) as error:
            how.say(f"  could not be done: {error!r}")
        else:
            report.faults[kind] = report.faults.get(kind, 0) + 1
            await _recovered(load, kind, how, report)
        await arena.mend()
        spent_s = time.monotonic() - began
        report.spent_s[kind] = report.spent_s.get(kind, 0.0) + spent_s


async def _recovered(load: Crowd, kind: str, how: Run, report: Report) -> None:
    """Bidding goes on by way of each node, soon after the end of the fault."""
    ended = time.monotonic()
    try:
        async with asyncio.timeout(RECOVERY_PATIENCE_S):
            await load.accepts_again(ended)
    except TimeoutError:
        waiting = [url for url, at in load.accepted_at.items() if at <= ended]
        report.problems.append(f"no bids {RECOVERY_PATIENCE_S} s after: {kind}, at {waiting}")
        return
    took_s = max(load.accepted_at.values()) - ended
    report.recoveries.setdefault(kind, []).append(took_s)
    how.say(f"  bids again after {took_s:.1f} s")
    if how.recovery_s is not None and took_s > how.recovery_s:
        report.problems.append(f"slow: bids again only {took_s:.1f} s after: {kind}")


async def _judge(
    arena: Arena, crowd: Crowd, heads: Iterable[tuple[int, str]], report: Report
) -> None:
    pool = await asyncpg.create_pool(arena.topology.database_url, min_size=1, max_size=1)
    try:
        verdict = await judge(pool, UUID(crowd.auction_id), crowd.promises, heads)
    finally:
        await pool.close()
    report.problems += verdict.problems
    report.closed += verdict.closed
    report.interrupted += verdict.closed and verdict.outages > 0
    if crowd.given_up:
        report.problems.append(f"{crowd.given_up} bids were never answered: {crowd.left}")
    summary = crowd.summary()
    report.sent += summary["sent"]
    report.answered += summary["answered"]
    report.accepted += summary["accepted"]


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
