"""The kept sums against counting again, on the real database."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from ratings import jobs, queries, rules
from ratings.accumulators import REBASE_AFTER
from ratings.policy import DEFAULT
from ratings.service import reading
from tests.people import NewPerson
from tests.ratings.histories import (
    completed,
    days_ago,
    eventful,
    kept,
    now,
    reopened,
    tell,
    upheld,
    withdrawn,
)

SUPPLIERS = [UUID(int=number) for number in range(1, 5)]


def same(one: dict[UUID, tuple[Any, ...]], other: dict[UUID, tuple[Any, ...]]) -> None:
    """Within 1e-9; a supplier all of whose orders were reopened counts nothing in either."""
    for supplier in one.keys() | other.keys():
        first, second = one.get(supplier, (0,) * 7), other.get(supplier, (0,) * 7)
        scale = [1, 1e7, 1, 1, 1e7, 1e7, 1]
        for left, right, size in zip(first, second, scale, strict=True):
            assert math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9 * size), (first, second)


@pytest.mark.parametrize("seed", range(6))
async def test_incremental_equals_rebuilt(
    new_buyer: NewPerson, database: Database, seed: int
) -> None:
    buyer = (await new_buyer()).organisation_id
    await tell(database, *eventful(buyer, SUPPLIERS, seed, 60))
    incremental = await kept(database, buyer)
    assert incremental
    async with database.transaction(SYSTEM) as session:
        await jobs.keep_buyer(session, buyer, now())
    incremental = await kept(database, buyer)
    async with database.transaction(SYSTEM) as session:
        await jobs.rebuild(session, buyer, now())
    same(incremental, await kept(database, buyer))


async def test_the_order_in_which_events_are_told_is_irrelevant(
    new_buyer: NewPerson, database: Database
) -> None:
    one, other = (await new_buyer()).organisation_id, (await new_buyer()).organisation_id
    for buyer, backwards in ((one, False), (other, True)):
        orders = [completed(buyer, SUPPLIERS[0], age) for age in (10, 100, 400)]
        facts = [*orders, upheld(orders[1], 4_000), upheld(orders[1], 5_000)]
        await tell(database, *(reversed(facts) if backwards else facts))
        async with database.transaction(SYSTEM) as session:
            await jobs.keep_buyer(session, buyer, now())
    first, second = await kept(database, one), await kept(database, other)
    for left, right in zip(first[SUPPLIERS[0]], second[SUPPLIERS[0]], strict=True):
        # The two histories were told milliseconds apart.
        assert math.isclose(left, right, rel_tol=1e-6)


async def test_events_of_many_at_once_are_all_counted(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = (await new_buyer()).organisation_id
    orders = [completed(buyer, SUPPLIERS[number % 2]) for number in range(12)]
    await asyncio.gather(*(tell(database, order) for order in orders))
    async with database.transaction(SYSTEM) as session:
        await jobs.keep_buyer(session, buyer, now())
    found = await kept(database, buyer)
    assert math.isclose(found[SUPPLIERS[0]][0], found[SUPPLIERS[1]][0], rel_tol=1e-6)
    async with database.transaction(SYSTEM) as session:
        await jobs.rebuild(session, buyer, now())
    same(found, await kept(database, buyer))


async def test_an_order_told_twice_counts_once_and_reopened_not_at_all(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = (await new_buyer()).organisation_id
    order = completed(buyer, SUPPLIERS[0])
    await tell(database, order)
    once = await kept(database, buyer)
    await tell(database, order)
    assert await kept(database, buyer) == once
    await tell(database, reopened(order))
    same(await kept(database, buyer), {})
    await tell(database, completed(buyer, SUPPLIERS[0], order_id=order.order_id))
    assert (await kept(database, buyer))[SUPPLIERS[0]][6] == 1


async def test_a_claim_taken_back_leaves_what_was_before(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = (await new_buyer()).organisation_id
    order = completed(buyer, SUPPLIERS[0], 5)
    await tell(database, order)
    before = await kept(database, buyer)
    claim = upheld(order, 7_000)
    await tell(database, claim)
    assert (await kept(database, buyer))[SUPPLIERS[0]][3] > 0
    await tell(database, withdrawn(claim))
    same(before, await kept(database, buyer))


async def test_another_suppliers_event_changes_nothing(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = (await new_buyer()).organisation_id
    await tell(database, completed(buyer, SUPPLIERS[0]))
    before = (await kept(database, buyer))[SUPPLIERS[0]]
    other = completed(buyer, SUPPLIERS[1])
    await tell(database, other, upheld(other))
    assert (await kept(database, buyer))[SUPPLIERS[0]] == before


async def test_orders_mature_by_the_clock_whether_or_not_the_job_has_run(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer, supplier = (await new_buyer()).organisation_id, SUPPLIERS[0]
    await tell(database, completed(buyer, supplier, 59.9), completed(buyer, supplier, 30))
    later = now() + timedelta(days=1)
    async with database.transaction(SYSTEM) as session:
        early = await reading.evidence(session, buyer, [supplier], DEFAULT, now())
        read = await reading.evidence(session, buyer, [supplier], DEFAULT, later)
        counted = await queries.recount(session, buyer, DEFAULT, later, supplier)
        await jobs.keep_buyer(session, buyer, later)
        after = await reading.evidence(session, buyer, [supplier], DEFAULT, later)
        await jobs.keep_buyer(session, buyer, later)
        twice = await reading.evidence(session, buyer, [supplier], DEFAULT, later)
    assert early[supplier].sums.matured == 0
    for found in (read, counted, after, twice):
        assert 0.8 < found[supplier].sums.matured < 1
        assert math.isclose(found[supplier].sums.matured, read[supplier].sums.matured, rel_tol=1e-9)


async def test_rebasing_changes_no_rating(new_buyer: NewPerson, database: Database) -> None:
    buyer, supplier = (await new_buyer()).organisation_id, SUPPLIERS[0]
    await tell(database, *[completed(buyer, supplier, age) for age in (1, 50, 200, 300)])
    moment = now()
    async with database.transaction(SYSTEM) as session:
        before = await reading.evidence(session, buyer, [supplier], DEFAULT, moment)
        [base] = await queries.bases(session, buyer)
        await queries.rebase(session, buyer, base, -REBASE_AFTER - 1)
    async with database.transaction(SYSTEM) as session:
        await jobs.keep_buyer(session, buyer, moment)
        [moved] = await queries.bases(session, buyer)
        assert moment - moved.landmark < DEFAULT.parameters.half_life()
        after = await reading.evidence(session, buyer, [supplier], DEFAULT, moment)
    assert math.isclose(
        rules.explain(before[supplier], None, moment, DEFAULT).raw,
        rules.explain(after[supplier], None, moment, DEFAULT).raw,
        rel_tol=1e-9,
    )
    await tell(database, completed(buyer, supplier, 3))
    async with database.transaction(SYSTEM) as session:
        more = await reading.evidence(session, buyer, [supplier], DEFAULT, moment)
    assert more[supplier].sums.orders > after[supplier].sums.orders + 0.9


async def test_the_job_finds_buyers_without_sums(new_buyer: NewPerson, database: Database) -> None:
    buyer = (await new_buyer()).organisation_id
    await tell(database, completed(buyer, SUPPLIERS[0]))
    async with database.transaction(SYSTEM) as session:
        await jobs.keep_buyer(session, buyer, now())
    before = await kept(database, buyer)
    async with database.transaction(SYSTEM) as session:
        await queries.drop(session, buyer, DEFAULT.id)
    async with database.transaction(SYSTEM) as session:
        read = await reading.evidence(session, buyer, SUPPLIERS[:1], DEFAULT, now())
    assert 0.7 < read[SUPPLIERS[0]].sums.orders < 1
    assert await jobs.keep(database, Clock()) >= 1
    same(before, await kept(database, buyer))


async def test_money_without_a_rate_is_an_unknown_fact(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = (await new_buyer()).organisation_id
    await tell(database, completed(buyer, SUPPLIERS[0], currency="USD"))
    orders, volume, _, _, priced, _, months = (await kept(database, buyer))[SUPPLIERS[0]]
    assert orders > 0
    assert months == 1
    assert volume == priced == 0
    async with database.transaction(SYSTEM) as session:
        await jobs.rebuild(session, buyer, now())
    assert (await kept(database, buyer))[SUPPLIERS[0]][1] == 0


async def test_a_past_date_is_told_as_it_was(new_buyer: NewPerson, database: Database) -> None:
    buyer, supplier = (await new_buyer()).organisation_id, SUPPLIERS[0]
    old, young = completed(buyer, supplier, 200), completed(buyer, supplier, 20)
    await tell(database, old, young, upheld(old, at=days_ago(90)), reopened(young))
    async with database.transaction(SYSTEM) as session:
        counts = {}
        for age in (300, 150, 80, 10, 0):
            found = await queries.recount(session, buyer, DEFAULT, days_ago(age), supplier)
            sums = found.get(supplier, reading.NOTHING).sums
            counts[age] = (sums.orders > 0.5, sums.orders > 1, sums.blemish > 0)
        rows = await session.execute(text("SELECT count(*) FROM rating_lines WHERE true"))
        assert rows.scalar_one() >= 2
    assert counts == {
        300: (False, False, False),
        150: (True, False, False),
        80: (True, False, True),
        10: (True, True, True),
        0: (True, False, True),
    }
