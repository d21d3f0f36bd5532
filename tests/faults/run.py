"""A run: bidding at a steady rate while faults happen one after the other, then the verdict."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec
from redis.exceptions import RedisError

from benchmarks.harness import quantile_ms
from marketplace.kernel.clock import Clock, rfc3339
from marketplace.kernel.db import Database
from tests.faults.arena import Arena
from tests.faults.crowd import ANSWER_TIMEOUT_S, Crowd, Watcher
from tests.faults.faults import FAULTS
from tests.faults.verdict import problems
from web.demo.cast import Cast, assemble

NODE = ("-m", "web.cli", "serve")
MUTANT = ("-m", "tests.faults.mutants")
SPRINT_S = 12
AHEAD_S_MAX = 60.0
SPRINT_BIDS_PER_SECOND = 10.0
RECOVERY_S = 6.0
"""So soon after the end of a fault each node acknowledges bids again."""

RECOVERY_PATIENCE_S = 60.0
"""A node that has not recovered by then is left; the next fault comes all the same."""


class Report(msgspec.Struct):
    """What a run found; `problems` is empty when every promise was kept.

    recoveries  by fault, how many seconds after its end the last node acknowledged a bid again
    """

    faults: dict[str, int]
    problems: list[str]
    recoveries: dict[str, list[float]]
    sent: int = 0
    answered: int = 0
    accepted: int = 0
    given_up: int = 0
    auctions: int = 0
    closed: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    def count(self, kind: str) -> int:
        """How many problems are of this kind: lost, doubled, contradicted."""
        return sum(problem.startswith(f"{kind}: ") for problem in self.problems)


class Run(msgspec.Struct, kw_only=True):
    """How a run is made.

    kinds       the faults to choose from; all of the topology's when None
    recovery_s  None: whatever it takes
    """

    faults: int
    per_second: float
    seed: int
    topology: str = "single"
    nodes: int = 2
    kinds: Sequence[str] | None = None
    mutant: str | None = None
    say: Callable[[str], None] = lambda _: None
    pause_s: tuple[float, float] = (0.2, 1.2)
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
        load = Crowd(await _publish(cast, 86_400), urls, cast.bots)
        arena.auction_id = UUID(load.auction_id)
        loading = asyncio.create_task(load.bid(how.per_second))
        watchers = [Watcher(load.auction_id, url, cast.buyer.key) for url in urls]
        watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
        sprints: list[Crowd] = []
        sprinting = asyncio.create_task(_sprint(cast, urls, sprints, how.say))
        report = Report({}, [], {})
        await load.accepts_again(0.0)
        await _break_things(arena, load, how, report)
        for crowd in (load, *sprints):
            crowd.patience_s = how.patience_s
            crowd.stop()
        for task in (sprinting, *watching):
            task.cancel()
        await asyncio.wait([loading, sprinting, *watching])
        heads = [head for watcher in watchers for head in watcher.heads.items()]
        await _judge(arena, [load, *sprints], {load.auction_id: heads}, report)
        loading.result()
    return report


async def _publish(cast: Cast, duration_s: int, ahead_s: float = 1.0) -> str:
    lot = {
        "title": "Faults", "items": [{"name": "Fault", "quantity": "1", "unit": "C62"}],
        "rules": {
            "format": "english", "starts_at": rfc3339(Clock().now_us() + int(ahead_s * 1_000_000)),
            "duration_s": duration_s, "visibility": "rank_and_lead", "typo_guard_percent": None,
            "step": {"against": "own", "kind": "amount", "value": "0.01"},
        },
    }  # fmt: skip
    draft = {"title": "Faults", "currency": "EUR", "access": "invited", "lots": [lot]}
    tender = await cast.buyer.rest.post("/api/v1/tenders", draft)
    path = f"/api/v1/tenders/{tender['id']}"
    invited = {"organisations": [bot.organisation_id for bot in cast.bots]}
    await cast.buyer.rest.post(f"{path}/invitations", invited)
    published = await cast.buyer.rest.post(f"{path}/publish")
    for bot in cast.bots:
        await bot.rest.post(f"{path}/participation", {"accept_terms": True})
    return str(published["lots"][0]["auction_id"])


async def _sprint(
    cast: Cast, urls: list[str], sprints: list[Crowd], say: Callable[[str], None]
) -> None:
    """Short auctions one after the other; a fault while one is set up only delays the next."""
    ahead_s = 1.0
    while True:
        began = time.monotonic()
        try:
            auction_id = await _publish(cast, SPRINT_S, ahead_s)
        except Exception as error:  # noqa: BLE001  # the servers are being broken on purpose
            say(f"  no short auction this time: {error!r}"[:200])
            # Or the start was over before all had joined: on a busy machine that takes long.
            ahead_s = min(AHEAD_S_MAX, ahead_s + time.monotonic() - began)
            await asyncio.sleep(0.5)
            continue
        crowd = Crowd(auction_id, urls, cast.bots[:4])
        sprints.append(crowd)
        bidding = asyncio.create_task(crowd.bid(SPRINT_BIDS_PER_SECOND))
        try:
            await asyncio.shield(bidding)
        except asyncio.CancelledError:
            crowd.stop()
            await asyncio.wait([bidding])
            raise


async def _break_things(arena: Arena, load: Crowd, how: Run, report: Report) -> None:
    dice = random.Random(how.seed)
    faults = FAULTS[how.topology]
    for number in range(how.faults):
        await asyncio.sleep(dice.uniform(*how.pause_s))  # bidding goes on undisturbed for a moment
        kind = dice.choice(how.kinds or tuple(faults))
        how.say(f"fault {number + 1} of {how.faults}: {kind}")
        try:
            await faults[kind](arena, dice)
        except (OSError, asyncpg.PostgresError, RedisError) as error:
            how.say(f"  could not be done: {error!r}")
        else:
            report.faults[kind] = report.faults.get(kind, 0) + 1
            await _recovered(load, kind, how, report)
        await arena.mend()


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
    arena: Arena,
    crowds: Sequence[Crowd],
    heads: Mapping[str, Sequence[tuple[int, str]]],
    report: Report,
) -> None:
    report.auctions = len(crowds)
    pool = await asyncpg.create_pool(arena.topology.database_url, min_size=1, max_size=2)
    try:
        for crowd in crowds:
            auction_id, shown = UUID(crowd.auction_id), heads.get(crowd.auction_id, ())
            report.problems += await problems(pool, auction_id, crowd.promises, shown)
            if crowd.given_up:
                report.problems.append(f"{crowd.given_up} bids were never answered: {crowd.left}")
            summary = crowd.summary()
            report.sent += summary["sent"]
            report.answered += summary["answered"]
            report.accepted += summary["accepted"]
            status = "SELECT status FROM auction_head WHERE auction_id = $1"
            report.closed += await pool.fetchval(status, auction_id) == "closed"
    finally:
        await pool.close()
    latencies = [one for crowd in crowds for one in crowd.latencies]
    report.p50_ms, report.p99_ms = quantile_ms(latencies, 0.5), quantile_ms(latencies, 0.99)


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
