"""A run: bidding at a steady rate while faults happen one after the other, then the verdict."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.harness import quantile_ms
from marketplace.kernel.clock import Clock, rfc3339
from marketplace.kernel.db import Database
from tests.faults.arena import Arena
from tests.faults.crowd import ANSWER_TIMEOUT_S, Crowd
from tests.faults.faults import FAULTS
from tests.faults.verdict import problems
from web.demo.cast import Cast, assemble

NODE = ("-m", "web.cli", "serve")
BROKEN_NODE = ("-m", "tests.faults.broken_node")
SPRINT_S = 12
SPRINT_BIDS_PER_SECOND = 10.0


class Report(msgspec.Struct):
    """What a run found; `problems` is empty when every promise was kept."""

    faults: dict[str, int]
    problems: list[str]
    sent: int = 0
    answered: int = 0
    accepted: int = 0
    given_up: int = 0
    auctions: int = 0
    closed: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0


async def run(
    *,
    faults: int,
    per_second: float,
    seed: int,
    nodes: int = 2,
    kinds: Sequence[str] = tuple(FAULTS),
    node_command: Sequence[str] = NODE,
    say: Callable[[str], None] = lambda _: None,
    pause_s: tuple[float, float] = (0.2, 1.2),
    patience_s: float = ANSWER_TIMEOUT_S,
) -> Report:
    """One long auction that carries the load, and short ones that close in the middle of it all."""
    dice = random.Random(seed)
    async with Arena(nodes, node_command=node_command) as arena:
        database = Database(arena.servers.database_url, pool_size=2)
        cast = await assemble(arena.nodes[0].url, database)
        await database.close()
        urls = [node.url for node in arena.nodes]
        load = Crowd(await _publish(cast, 86_400), urls, cast.bots)
        loading = asyncio.create_task(load.bid(per_second))
        sprints: list[Crowd] = []
        sprinting = asyncio.create_task(_sprint(cast, urls, sprints))
        happened = await _break_things(arena, dice, faults, kinds, pause_s, say)
        for crowd in (load, *sprints):
            crowd.patience_s = patience_s
            crowd.stop()
        sprinting.cancel()
        await asyncio.wait([loading, sprinting])
        report = await _judge(arena, [load, *sprints], happened)
        loading.result()
    return report


async def _publish(cast: Cast, duration_s: int) -> str:
    lot = {
        "title": "Faults", "items": [{"name": "Fault", "quantity": "1", "unit": "C62"}],
        "rules": {
            "format": "english", "starts_at": rfc3339(Clock().now_us() + 1_000_000),
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


async def _sprint(cast: Cast, urls: list[str], sprints: list[Crowd]) -> None:
    """Short auctions one after the other; a fault while one is set up only delays the next."""
    while True:
        try:
            auction_id = await _publish(cast, SPRINT_S)
        except Exception:  # noqa: BLE001  # the servers are being broken on purpose
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


async def _break_things(
    arena: Arena, dice: random.Random, count: int, kinds: Sequence[str],
    pause_s: tuple[float, float], say: Callable[[str], None],
) -> Counter[str]:  # fmt: skip
    happened: Counter[str] = Counter()
    for number in range(count):
        await asyncio.sleep(dice.uniform(*pause_s))  # bidding goes on undisturbed for a moment
        kind = dice.choice(kinds)
        say(f"fault {number + 1} of {count}: {kind}")
        try:
            await FAULTS[kind](arena, dice)
        except (OSError, asyncpg.PostgresError) as error:
            say(f"  could not be done: {error!r}")
            continue
        happened[kind] += 1
    return happened


async def _judge(arena: Arena, crowds: Sequence[Crowd], happened: Counter[str]) -> Report:
    report = Report(dict(happened), [], auctions=len(crowds))
    pool = await asyncpg.create_pool(arena.servers.database_url, min_size=1, max_size=2)
    try:
        for crowd in crowds:
            auction_id = UUID(crowd.auction_id)
            report.problems += await problems(pool, auction_id, crowd.promises)
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
    return report


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
