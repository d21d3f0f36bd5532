"""Ratings: what an update costs after a thousand and after a million events, how long counting
everything again takes, how fast a page with its explanation answers.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import statistics
import time
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import uvloop
from sqlalchemy import text

from benchmarks.channel import node
from benchmarks.harness import Figure, Stolen, quantile_ms, servers, show
from marketplace.accounts.passwords import Passwords
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.collector import settle
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.embedded import Servers
from marketplace.kernel.ids import OrganisationId, UserId, new_id
from marketplace.orders.facts import OrderCompleted, PaidLine
from ratings import jobs, queries
from ratings.policy import DEFAULT
from ratings.service import events, showing

UPDATES = 200
UPDATE_ROUNDS = 5
PAGES = 1_000
PASSWORD = "a password of the benchmark"
GROWTH_BAR, REBUILD_BAR_S, PAGE_BAR_MS = 1.05, 20.0, 20.0

_ORGANISATIONS = """INSERT INTO organisations (id, name, country, tax_id, tax_id_normal,
        capabilities, state, operator, created_at)
    SELECT CAST(id AS uuid), 'Bench ' || id, 'DE', id, id,
        CAST(:capabilities AS text[]), 'active', false, now()
    FROM unnest(CAST(:ids AS text[])) AS id"""
_USER = """INSERT INTO users (id, organisation_id, name, email, email_normal, password_hash,
        created_at)
    VALUES (:id, :organisation, 'Bench', :email, :email, :hash, now())"""
_MEMBERSHIP = """INSERT INTO memberships (user_id, organisation_id, role, created_at)
    VALUES (:id, :organisation, 'procurement_officer', now())"""
# Orders spread evenly over three years, ids rising as UUIDv7 do; two of a hundred have a claim.
_LINES = """INSERT INTO rating_lines (order_id, position, completed_at, buyer_id, supplier_id,
        ordered_at, month, currency, value_minor, log_ratio)
    SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 0, at, :buyer,
        CAST(lpad(to_hex(1 + n % :suppliers), 32, '0') AS uuid), at,
        (date_part('year', at)::int - 2000) * 12 + date_part('month', at)::int - 1,
        'EUR', 100000 + n % 900000, CASE WHEN n % 4 = 0 THEN NULL ELSE (n % 21 - 10) / 100.0 END
    FROM (SELECT n, now() - n * (interval '1095 days' / :count) AS at
        FROM generate_series(1, CAST(:count AS bigint)) n) g"""
_CLAIMS = """INSERT INTO rating_claims (claim_id, upheld_at, order_id, buyer_id, supplier_id,
        severity)
    SELECT gen_random_uuid(), completed_at, order_id, buyer_id, supplier_id, 0.5
    FROM rating_lines WHERE buyer_id = :buyer AND value_minor % 50 = 0"""


def supplier(number: int) -> UUID:
    """As the lines above name them."""
    return UUID(int=number + 1)


async def buyer_with(database: Database, count: int, suppliers: int) -> UUID:
    """A buyer with a past of `count` orders, its sums not yet made."""
    buyer = new_id()
    async with database.transaction(SYSTEM) as session:
        await queries.be_patient(session, 600_000)
        await session.execute(text(_ORGANISATIONS), {"ids": [str(buyer)], "capabilities": ["buys"]})
        values = {"buyer": buyer, "count": count, "suppliers": suppliers}
        await session.execute(text(_LINES), values)
        await session.execute(text(_CLAIMS), {"buyer": buyer})
    return buyer


def order(buyer: UUID, now: datetime) -> OrderCompleted:
    return OrderCompleted(
        title="Order",
        order_id=new_id(),
        buyer_id=buyer,
        supplier_id=supplier(0),
        at=now,
        ordered_at=now - timedelta(days=3),
        currency="EUR",
        lines=(PaidLine(value_minor=250_000, paid_minor=98, reference_minor=100),),
    )


async def update_s(database: Database, buyer: UUID) -> list[float]:
    """Seconds of each event, from its transaction's begin to its durable commit."""
    spent = []
    for _ in range(UPDATES):
        fact = order(buyer, Clock().now())
        begun = time.perf_counter()
        async with database.transaction(SYSTEM) as session:
            await events.order_completed(session, fact)
        spent.append(time.perf_counter() - begun)
    return spent


async def updates(database: Database) -> list[Figure]:
    """The same pair's update after 10^3 and after 10^6 past events of that pair, in turns, so that
    both see the same machine.
    """
    pasts = {count: await buyer_with(database, count, 1) for count in (1_000, 1_000_000)}
    for buyer in pasts.values():
        async with database.transaction(SYSTEM) as session:
            await queries.be_patient(session, 600_000)
            await jobs.keep_buyer(session, buyer, Clock().now())
    await vacuum(database)
    spent: dict[int, list[float]] = {count: [] for count in pasts}
    for _ in range(UPDATE_ROUNDS):
        for count, buyer in pasts.items():
            spent[count] += await update_s(database, buyer)
    medians = {count: statistics.median(each) * 1e6 for count, each in spent.items()}
    growth = medians[1_000_000] / medians[1_000]
    note = "" if growth <= GROWTH_BAR else "MISSED"
    return [
        Figure(name="update after 10^3 events, median", value=medians[1_000], unit="us"),
        Figure(
            name="update after 10^6 events, median",
            value=medians[1_000_000],
            unit="us",
            ratio=growth,
            limit="after 10^3 (bar 1.05)",
            note=note,
        ),
    ]


async def vacuum(database: Database) -> None:
    """As autovacuum would have done by then; statistics and visibility are up to date."""
    async with database.engine.connect() as connection:
        options = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await options.execute(text("SET statement_timeout = 0"))
        await options.execute(text("SET ROLE NONE"))
        await options.execute(text("VACUUM ANALYZE rating_lines"))
        await options.execute(text("VACUUM ANALYZE rating_claims"))
        await connection.invalidate()


async def rebuild(database: Database, orders: int, suppliers: int) -> tuple[Figure, UUID]:
    buyer = await buyer_with(database, orders, suppliers)
    await vacuum(database)
    spent = []
    for _ in range(2):
        begun = time.perf_counter()
        async with database.transaction(SYSTEM) as session:
            await queries.be_patient(session, 600_000)
            await queries.lock_buyer(session, buyer)
            await queries.store(session, buyer, DEFAULT, Clock().now())
        spent.append(time.perf_counter() - begun)
    note = "" if min(spent) <= REBUILD_BAR_S else "MISSED"
    name = f"rebuild of {suppliers:,} suppliers with {orders:,} orders"
    return Figure(name=name, value=min(spent), unit="s", note=f"(bar 20) {note}"), buyer


async def officer(database: Database, buyer: UUID, suppliers: int) -> Actor:
    """Somebody of the buyer who can log in; the suppliers get their names."""
    user = new_id()
    password_hash = await Passwords().hash(PASSWORD)
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(_ORGANISATIONS),
            {
                "ids": [str(supplier(number)) for number in range(suppliers)],
                "capabilities": ["supplies"],
            },
        )
        values = {"id": user, "organisation": buyer}
        known = {"email": f"{user}@example.com", "hash": password_hash}
        await session.execute(text(_USER), values | known)
        await session.execute(text(_MEMBERSHIP), values)
    return Actor(
        user_id=UserId(user),
        organisation_id=OrganisationId(buyer),
        roles=frozenset(["procurement_officer"]),
        capabilities=frozenset(["buys"]),
    )


async def pages(database: Database, actor: Actor, suppliers: int) -> list[Figure]:
    """The rating with its explanation, as the API's service makes it, one after another."""
    stolen = Stolen()
    spent: list[float] = []
    for number in range(PAGES):
        begun = time.perf_counter()
        async with database.reading(actor) as reader:
            view = await showing.show(
                reader, actor, supplier(number * 7 % suppliers), Clock().now()
            )
        spent.append(time.perf_counter() - begun)
        assert view.score is not None
    return _figures("rating with explanation", spent, stolen)


async def answers(both: Servers, actor: Actor, suppliers: int) -> list[Figure]:
    """The same over HTTP from a node of its own: the API's answer, and the page where it is
    built.
    """
    found: list[Figure] = []
    async with node(both) as (url, _):
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            login = {"email": f"{actor.user_id}@example.com", "password": PASSWORD}
            (await client.post("/api/v1/sessions", json=login)).raise_for_status()
            cookies = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)
        for name, path in (("GET /api/v1/ratings/…", "/api/v1/ratings"), ("its page", "/ratings")):
            paths = [f"{path}/{supplier(number * 7 % suppliers)}" for number in range(PAGES)]
            stolen = Stolen()
            spent = await asyncio.to_thread(asked_s, url, cookies, paths)
            found += _figures(name, spent, stolen) if spent else []
    return found


def asked_s(url: str, cookies: str, paths: list[str]) -> list[float]:
    """Seconds of each answer, by the standard library's client, which costs next to nothing;
    nothing where nobody has built the pages.
    """
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    spent: list[float] = []
    for path in paths:
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookies})
        answer = connection.getresponse()
        answer.read()
        spent.append(time.perf_counter() - begun)
        if answer.status == 500:
            return []
        assert answer.status == 200, path
    connection.close()
    return spent


def _figures(name: str, spent: list[float], stolen: Stolen) -> list[Figure]:
    p99 = quantile_ms(spent, 0.99)
    note = "" if p99 <= PAGE_BAR_MS else "MISSED"
    return [
        Figure(name=f"{name}, p50", value=quantile_ms(spent, 0.5), unit="ms"),
        Figure(name=f"{name}, p99", value=p99, unit="ms", note=f"(bar 20; {stolen}) {note}"),
    ]


async def measure(both: Servers, only: str, orders: int, suppliers: int) -> None:
    """Shows each part as soon as it is measured: the big past alone takes minutes to make."""
    database = Database(both.database_url)
    settle()
    try:
        if only in {"all", "updates"}:
            show(await updates(database))
        if only in {"all", "rebuild"}:
            rebuilt, buyer = await rebuild(database, orders, suppliers)
            show([rebuilt])
            actor = await officer(database, buyer, suppliers)
            show(await pages(database, actor, suppliers))
            show(await answers(both, actor, suppliers))
    finally:
        await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["all", "updates", "rebuild"], default="all")
    parser.add_argument("--orders", type=int, default=5_000_000)
    parser.add_argument("--suppliers", type=int, default=10_000)
    given = parser.parse_args()
    with servers() as running:
        uvloop.run(measure(running, given.only, given.orders, given.suppliers))


if __name__ == "__main__":
    main()
