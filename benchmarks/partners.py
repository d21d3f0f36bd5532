"""Money at the size of a network: posting beside bare INSERTs of the same rows, a month's acts, the
partner's pages with a million accruals, and the proposals of tiers for every partner.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast
from uuid import UUID

import asyncpg
import httpx
import psutil
import uvloop
from sqlalchemy import text

from benchmarks import tiers
from benchmarks.harness import Figure, closed_loop, quantile_ms, servers, show
from marketplace.accounts.passwords import Passwords
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.embedded import Servers
from marketplace.kernel.ids import new_id
from marketplace.kernel.settings import Settings
from marketplace.ledger.acts import jobs as act_jobs
from marketplace.ledger.acts.render import ActData, LineData, render
from marketplace.ledger.posting import Account, Entry, Rule, Source, Transfer, post
from suppliers.programme.jobs import judge_tiers
from suppliers.programme.measures import Measures
from web.app import create_app

POSTING_BAR, ACTS_BAR_S, ACTS_BAR_MIB, PAGE_BAR_MS, TIERS_BAR_S = 0.5, 60.0, 150.0, 50.0, 30.0
SALES = 200_000
WRITERS = 4
POSTING_S = 10.0
ACTS = 2_000
LINES_AN_ACT = 12
LOOKED_AT = 40
"""Partners whose pages are asked for, so that none of them is in the cache for long."""
PAGE_CALLS = 400
PASSWORD = "benchmark password"
PERIOD = "2020-01"
EXPENSE = Account(None, "expense", "EUR")
RULE = Rule("agreement", 1, "Bench, version 1, tier tier-1: 2 % commission, 1 % to the fund")

_PARTNER = "CAST(lpad(to_hex({n}), 32, '0') AS uuid)"
_ENTRY = "CAST(lpad(to_hex(1099511627776 + {n}), 32, '0') AS uuid)"
_ACCOUNT = "CAST(lpad(to_hex(2199023255552 + {n}), 32, '0') AS uuid)"
_OF = _PARTNER.format(n="1 + n % $2::bigint")

# Triggers and foreign keys are off for the filling only: a million entries are right by themselves.
_LEDGER = (
    f"""INSERT INTO ledger_accounts (id, owner_id, kind, asset)
        SELECT {_ACCOUNT.format(n="n")}, {_PARTNER.format(n="n")}, 'payable', 'EUR'
        FROM generate_series(1, $2::bigint) n WHERE $1::bigint > 0""",
    f"""INSERT INTO ledger_entries (id, at, source_kind, source_id, rule_kind, rule_version,
            rule_text, once, parties)
        SELECT {_ENTRY.format(n="n")}, {{at}}, 'case', n::text, 'agreement', 1, '{RULE.text}',
            'bench ' || n, ARRAY[{_OF}]
        FROM generate_series(1, $1::bigint) n WHERE $2::bigint > 0""",
    f"""INSERT INTO ledger_postings (entry_id, position, account_id, asset, amount)
        SELECT {_ENTRY.format(n="n")}, side, CASE side WHEN 0 THEN '{EXPENSE.id}'::uuid
            ELSE {_ACCOUNT.format(n="1 + n % $2::bigint")} END, 'EUR',
            CASE side WHEN 0 THEN -1 ELSE 1 END * (100 + n % 9000)
        FROM generate_series(1, $1::bigint) n, generate_series(0, 1) side""",
    f"""INSERT INTO accruals (id, entry_id, beneficiary_id, kind, asset, amount, payable,
            source_kind, source_id, at, due_at)
        SELECT {_ENTRY.format(n="n")}, {_ENTRY.format(n="n")}, {_OF}, 'commission', 'EUR',
            100 + n % 9000, true, 'case', n::text, {{at}}, {{at}} + interval '30 days'
        FROM generate_series(1, $1::bigint) n""",
)
# The first accruals are of the month whose acts are made, a dozen for each of 2,000 partners.
_AT = f"""CASE WHEN n <= {LINES_AN_ACT} * $2::bigint AND n % $2::bigint < {ACTS}
    THEN timestamptz '2020-01-10' ELSE timestamptz '2024-01-01' + n * interval '1 minute' END"""
_PEOPLE = (
    f"""INSERT INTO users (id, organisation_id, name, email, email_normal, password_hash,
            created_at)
        SELECT {_ACCOUNT.format(n="n")}, {_PARTNER.format(n="n")}, 'Person ' || n,
            'person' || n || '@example.com', 'person' || n || '@example.com', $1::text, now()
        FROM generate_series(1, $2::bigint) n""",
    f"""INSERT INTO memberships (organisation_id, user_id, role, created_at)
        SELECT {_PARTNER.format(n="n")}, {_ACCOUNT.format(n="n")}, 'partner_manager', now()
        FROM generate_series(1, $2::bigint) n WHERE $1::text <> ''""",
    """INSERT INTO memberships (organisation_id, user_id, role, created_at)
        SELECT organisation_id, id, 'channel_manager', now() FROM users
        WHERE email = 'bench@example.com' AND $1::text <> '' AND $2::bigint > 0""",
)


async def fill(url: str, partners: int, accruals: int) -> None:
    """Partners with agreements, sales, a person each, and what they earned."""
    database = Database(url)
    await tiers.fill(database, partners, SALES)
    await database.close()
    hashed = await Passwords().hash(PASSWORD)
    connection = await asyncpg.connect(url, timeout=60)
    try:
        await connection.execute("SELECT set_config('app.scope', 'system', false)")
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET statement_timeout = 0")
        for statement in _PEOPLE:
            await connection.execute(statement, hashed, partners)
        await connection.execute(
            "INSERT INTO ledger_accounts (id, kind, asset) VALUES ($1, 'expense', 'EUR')",
            EXPENSE.id,
        )
        for statement in _LEDGER:
            await connection.execute(statement.replace("{at}", _AT), accruals, partners)
        for table in ("ledger_entries", "ledger_postings", "accruals", "sales", "users"):
            await connection.execute(f"ANALYZE {table}")
    finally:
        await connection.close()


def _figure(name: str, value: float, unit: str, *, missed: str, **more: object) -> Figure:
    return Figure(name=name, value=value, unit=unit, note=missed and f"MISSED ({missed})", **more)  # type: ignore[arg-type]


async def posting(database: Database) -> Figure:
    """Entries that move a guarded account, each in its own transaction, by as many writers."""
    numbers, owners = count(), [UUID(int=1 + writer) for writer in range(WRITERS)]
    purses = [Account(owner, "fund_available", "EUR") for owner in owners]

    def entry(writer: int) -> Entry:
        return Entry(
            at=datetime.now(UTC),
            source=Source("case", "1"),
            rule=RULE,
            once=f"posting {next(numbers)}",
            parties=[owners[writer]],
            transfers=[Transfer(EXPENSE, purses[writer], 100)],
        )

    async def ours(writer: int) -> None:
        async with database.transaction(SYSTEM) as session:
            assert await post(session, entry(writer)), "written once"

    for writer in range(WRITERS):
        await ours(writer)
    pool = await database.pool(steady=True)

    async def bare(writer: int) -> None:
        new = entry(writer)
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO ledger_entries (id, at, source_kind, source_id, rule_kind,"
                " rule_version, rule_text, once, parties)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                *(new.id, new.at, new.source.kind, new.source.id, new.rule.kind),
                *(new.rule.version, new.rule.text, new.once, new.parties),
            )
            await connection.execute(
                "INSERT INTO ledger_postings (entry_id, position, account_id, asset, amount)"
                " VALUES ($1, 0, $2, 'EUR', -100), ($1, 1, $3, 'EUR', 100)",
                *(new.id, EXPENSE.id, purses[writer].id),
            )
            await connection.fetch(
                "UPDATE ledger_accounts SET balance = balance + 100 WHERE id = $1"
                " AND balance + 100 >= floor RETURNING id",
                purses[writer].id,
            )

    # In turns, so that what else the machine does meets both alike.
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(2):
        for name, work in (("bare", bare), ("ours", ours)):
            rate, _latencies = await closed_loop(work, workers=WRITERS, seconds=POSTING_S / 4)
            rates[name].append(rate)
    raw, rate = sum(rates["bare"]) / 2, sum(rates["ours"]) / 2
    return _figure(
        f"entries posted by {WRITERS} writers",
        rate,
        "/s",
        ratio=rate / raw,
        limit="bare INSERTs of the same rows",
        missed="" if rate >= POSTING_BAR * raw else f"bar {POSTING_BAR}",
    )


async def acts(database: Database) -> Iterator[Figure]:
    """A month of acts, and the memory of the process that makes the files."""
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                "INSERT INTO act_runs (id, period, state, author_id, created_at)"
                " SELECT :id, :period, 'queued', id, now() FROM users"
                " WHERE email = 'bench@example.com'"
            ),
            {"id": new_id(), "period": PERIOD},
        )
        await session.execute(
            text(
                "INSERT INTO billing_terms (partner_id, self_billing, accept_days, language)"
                " SELECT id, true, 10, (ARRAY['pl', 'ro', 'ru'])[1 + row_number() OVER () % 3]"
                " FROM organisations WHERE NOT operator"
            )
        )
    watching = asyncio.create_task(_peak_of_child())
    begun = time.perf_counter()
    await act_jobs.work_act_runs(database, Clock())
    spent = time.perf_counter() - begun
    watching.cancel()
    peak = await asyncio.gather(watching, return_exceptions=True)
    mib = peak[0] if isinstance(peak[0], float) else 0.0
    async with database.transaction(SYSTEM) as session:
        made = (await session.execute(text("SELECT count(*) FROM act_files"))).scalar_one()
    raw = await asyncio.to_thread(_typeset, 100) * made / 100
    return iter(
        [
            _figure(
                f"{made} acts of {LINES_AN_ACT} lines",
                spent,
                "s",
                ratio=raw / spent,
                limit="typesetting them alone",
                missed="" if spent <= ACTS_BAR_S else f"bar {ACTS_BAR_S:.0f} s",
            ),
            _figure(
                "largest memory of the process that makes them",
                mib,
                "MiB",
                missed="" if mib <= ACTS_BAR_MIB else f"bar {ACTS_BAR_MIB:.0f} MiB",
            ),
        ]
    )


async def _peak_of_child() -> float:
    """Until cancelled."""
    peak, me = 0.0, psutil.Process()
    try:
        while True:
            for child in me.children():
                if "marketplace.ledger.acts.render" in " ".join(child.cmdline()):
                    peak = max(peak, child.memory_info().rss / 2**20)
            await asyncio.sleep(0.2)
    except (asyncio.CancelledError, psutil.NoSuchProcess):
        return peak


def _typeset(number: int) -> float:
    """Seconds for so many acts in this process, without a database."""
    party = {"name": "Pumps Ltd", "country": "DE", "tax_id": "DE1"}
    lines = [
        LineData(position=position, source="case 1", rule=RULE.text, minor=100)
        for position in range(1, LINES_AN_ACT + 1)
    ]
    render(_act(0, party, lines))
    begun = time.perf_counter()
    for place in range(number):
        render(_act(place, party, lines))
    return time.perf_counter() - begun


def _act(place: int, party: dict[str, str], lines: list[LineData]) -> ActData:
    return ActData(
        number=f"SB-2020-{place:05}",
        kind=389,
        self_billing=True,
        language="pl",
        accept_days=10,
        currency="EUR",
        total_minor=100 * len(lines),
        period=PERIOD,
        issued_at=datetime(2020, 2, 1, tzinfo=UTC),
        seller=party,
        buyer=party,
        lines=lines,
    )


@asynccontextmanager
async def _partners_logged_in(running: Servers) -> AsyncIterator[list[httpx.AsyncClient]]:
    settings = Settings(
        database_url=running.database_url, redis_url=running.redis_url, secret="benchmark"
    )
    app = create_app(settings)
    async with app.lifespan():
        clients = []
        for number in range(1, LOOKED_AT + 1):
            # httpx takes any mapping for a scope; an application knows the two kinds there are.
            asgi = cast(Any, app)
            transport = httpx.ASGITransport(app=asgi, client=(f"127.0.1.{number}", 1))
            client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
            body = {"email": f"person{number}@example.com", "password": PASSWORD}
            answer = await client.post("/api/v1/sessions", json=body)
            assert answer.status_code == 201, answer.text
            clients.append(client)
        yield clients
        for client in clients:
            await client.aclose()


async def pages(running: Servers) -> list[Figure]:
    """Each page as a browser gets it, one reader at a time."""
    figures = []
    async with _partners_logged_in(running) as clients:
        for path, name in (("/programme", "programme"), ("/ledger", "earnings")):
            latencies = []
            for place in range(PAGE_CALLS + LOOKED_AT):
                begun = time.perf_counter()
                answer = await clients[place % LOOKED_AT].get(path)
                assert answer.status_code == 200, answer.text
                latencies.append(time.perf_counter() - begun)
            p99 = quantile_ms(latencies[LOOKED_AT:], 0.99)
            figures.append(
                _figure(
                    f"page of a partner's {name}, p99",
                    p99,
                    "ms",
                    missed="" if p99 <= PAGE_BAR_MS else f"bar {PAGE_BAR_MS:.0f} ms",
                )
            )
            half = quantile_ms(latencies[LOOKED_AT:], 0.5)
            figures.append(
                Figure(name=f"page of a partner's {name}, median", value=half, unit="ms")
            )
    return figures


async def proposals(database: Database, partners: int) -> Figure:
    """Every partner judged, and each new proposal announced to both sides."""
    begun = time.perf_counter()
    async with database.transaction(SYSTEM) as session:
        await session.execute(text("SELECT partner_id, sum(amount_minor) FROM sales GROUP BY 1"))
    raw = time.perf_counter() - begun
    begun = time.perf_counter()
    proposed = await judge_tiers(database, Clock(), Measures())
    spent = time.perf_counter() - begun
    return _figure(
        f"{partners} partners judged, {proposed} proposals announced",
        spent,
        "s",
        ratio=raw / spent,
        limit="one sum over the same sales",
        missed="" if spent <= TIERS_BAR_S else f"bar {TIERS_BAR_S:.0f} s",
    )


async def measure(running: Servers, partners: int, accruals: int) -> list[Figure]:
    await fill(running.database_url, partners, accruals)
    database = Database(running.database_url)
    try:
        figures = [await posting(database)]
        figures.append(await proposals(database, partners))
        figures += await pages(running)
        figures += await acts(database)
    finally:
        await database.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partners", type=int, default=10_000)
    parser.add_argument("--accruals", type=int, default=1_000_000)
    asked = parser.parse_args()
    with servers() as running, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        show(runner.run(measure(running, asked.partners, asked.accruals)))


if __name__ == "__main__":
    main()
