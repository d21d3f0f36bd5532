"""Tiers: how long judging every partner takes, beside the raw sum of the same sales."""

from __future__ import annotations

import argparse
import asyncio
import time

import msgspec
import uvloop
from sqlalchemy import text

from benchmarks.harness import Figure, servers, show
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.embedded import Servers
from marketplace.kernel.ids import new_id
from suppliers.programme import queries
from suppliers.programme.jobs import BATCH
from suppliers.programme.measures import Measures
from suppliers.programme.schemas.programmes import ParameterBody, RewardBody, TierBody
from suppliers.programme.service import standing

JUDGED_BAR_S = 30.0

_PARTNERS = """INSERT INTO organisations (id, name, country, tax_id, tax_id_normal, capabilities,
        state, operator, created_at)
    SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 'Bench ' || n, 'DE', n::text, n::text,
        ARRAY['supplies'], 'active', false, now()
    FROM generate_series(1, CAST(:partners AS bigint)) n"""
_OPERATOR = """INSERT INTO organisations (id, name, country, tax_id, tax_id_normal, capabilities,
        state, operator, created_at)
    VALUES (:operator, 'Operator', 'ZZ', 'OPERATOR', 'OPERATOR', ARRAY['buys'], 'active', true,
        now())"""
_USER = """INSERT INTO users (id, organisation_id, name, email, email_normal, password_hash,
        created_at)
    VALUES (:user, :operator, 'Bench', 'bench@example.com', 'bench@example.com', '', now())"""
_PROGRAMME = """INSERT INTO programmes (id, operator_id, name, currency, author_id, created_at)
    VALUES (:programme, :operator, 'Bench', 'EUR', :user, now())"""
_VERSION = """INSERT INTO programme_versions (programme_id, version, tiers, author_id, created_at,
        published_at)
    VALUES (:programme, 1, CAST(:tiers AS jsonb), :user, now(), now())"""
_AGREEMENTS = """INSERT INTO agreements (id, operator_id, partner_id, programme_id, version,
        partner_type, begins, payout, state, author_id, created_at, updated_at)
    SELECT gen_random_uuid(), :operator, id, :programme, 1, 'reseller', now() - interval '2 years',
        '{"asset": "EUR", "minimum": "0", "hold_days": 0}', 'active', :user, now(), now()
    FROM organisations WHERE NOT operator"""
_SALES = """INSERT INTO sales (id, partner_id, customer_id, source_kind, source_id, once, title,
        currency, amount_minor, at, completed_at)
    SELECT gen_random_uuid(), CAST(lpad(to_hex(1 + n % :partners), 32, '0') AS uuid),
        CAST(lpad(to_hex(1 + n % 997), 32, '0') AS uuid), 'order', gen_random_uuid()::text,
        'bench ' || n, 'Bench', 'EUR', 1000 + n % 90000,
        now() - n * (interval '700 days' / :sales), now() - n * (interval '700 days' / :sales)
    FROM generate_series(1, CAST(:sales AS bigint)) n"""
_RAW = "SELECT partner_id, sum(amount_minor) FROM sales GROUP BY partner_id"


def tiers() -> list[TierBody]:
    """Three tiers over four measures."""
    reward = RewardBody(sale_percent="2", fund_percent="1")
    return [
        TierBody(
            code=f"tier-{level}",
            partner_type="reseller",
            threshold=40,
            parameters=[
                ParameterBody(measure="sales", target=f"{level}000.00", score=20, period_days=365),
                ParameterBody(measure="orders", target=f"{level}0", score=20, period_days=365),
                ParameterBody(measure="customers", target=f"{level}", score=20),
                ParameterBody(measure="claims_percent", target="2", score=20, direction="at_most"),
            ],
            reward=reward,
        )
        for level in (1, 2, 3)
    ]


async def fill(database: Database, partners: int, sales: int) -> None:
    ids = {name: new_id() for name in ("operator", "user", "programme")}
    values = ids | {
        "partners": partners,
        "sales": sales,
        "tiers": msgspec.json.encode(tiers()).decode(),
    }
    async with database.transaction(SYSTEM) as session:
        await session.execute(text("SET LOCAL statement_timeout = 600000"))
        for sql in (_PARTNERS, _OPERATOR, _USER, _PROGRAMME, _VERSION, _AGREEMENTS, _SALES):
            statement = text(sql)
            await session.execute(
                statement, {name: values[name] for name in statement.compile().params}
            )


async def measure(running: Servers, partners: int, sales: int) -> list[Figure]:
    database = Database(running.database_url)
    try:
        await fill(database, partners, sales)
        begun = time.perf_counter()
        async with database.transaction(SYSTEM) as session:
            await session.execute(text(_RAW))
        raw = time.perf_counter() - begun
        begun = time.perf_counter()
        judged = await judge(database)
        spent = time.perf_counter() - begun
    finally:
        await database.close()
    return [
        Figure(
            name=f"{judged} partners judged",
            value=spent,
            unit="s",
            ratio=raw / spent,
            limit="one sum over the same sales",
            note="" if spent <= JUDGED_BAR_S else f"MISSED (bar {JUDGED_BAR_S:.0f} s)",
        )
    ]


async def judge(database: Database) -> int:
    """As the job does it, without telling anybody of the proposals."""
    now, judged, after = Clock().now(), 0, None
    while True:
        async with database.transaction(SYSTEM) as session:
            running = await queries.running(session, after, BATCH)
            judged += len(await standing.judge_all(session, Measures(), running, now))
        if len(running) < BATCH:
            return judged
        after = running[-1].id


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partners", type=int, default=10_000)
    parser.add_argument("--sales", type=int, default=1_000_000)
    asked = parser.parse_args()
    with servers() as running, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        show(runner.run(measure(running, asked.partners, asked.sales)))


if __name__ == "__main__":
    main()
