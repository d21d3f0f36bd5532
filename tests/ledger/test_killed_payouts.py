"""A payout run goes on when its process is killed: nothing twice, numbers without gaps."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.ledger import jobs
from marketplace.ledger.payouts import service
from marketplace.ledger.payouts.schemas import NewPayoutRun, PayoutRunView
from tests.ledger.partners import new_colleague, new_organisation
from tests.ledger.test_acts import earn
from tests.servers import Place
from tests.vectors.world import World

PARTNERS = 3 * jobs.PAYOUTS_AT_ONCE
"""Several batches of announcements, so that a worker can be killed between two."""


@pytest.fixture
async def own_place(servers: Place) -> AsyncIterator[tuple[str, Database]]:
    """A database that no other test has accruals in."""
    async with World(lambda: servers).url() as url:
        database = Database(url)
        yield url, database
        await database.close()


async def begun(url: str, step: str, actor: Actor) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.ledger.payout_worker", url, step),
        *(str(actor.user_id), str(actor.organisation_id)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def killed_before_its_commit(url: str, step: str, actor: Actor) -> None:
    process = await begun(url, step, actor)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"before the commit\n"
    process.kill()
    await process.wait()


async def killed_between_two_batches(url: str, actor: Actor) -> bool:
    """Whether it died before every partner had its mail."""
    process = await begun(url, "announce", actor)
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(60):
            while not await connection.fetchval("SELECT count(*) FROM exchange_mails"):  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        if process.returncode is None:
            process.kill()
        await process.wait()
        mails: int = await connection.fetchval("SELECT count(*) FROM exchange_mails")
    finally:
        await connection.close()
    return mails < PARTNERS


async def proposed(database: Database, actor: Actor) -> PayoutRunView:
    now = Clock().now()
    async with database.transaction(actor) as session:
        return await service.propose(session, actor, NewPayoutRun(until=now), now)


async def test_a_killed_run_goes_on_and_repeats_nothing(own_place: tuple[str, Database]) -> None:
    url, database = own_place
    maker = await new_organisation(database, "admin", operator=True)
    checker = await new_colleague(database, maker, "admin")
    partners = [await new_organisation(database) for _ in range(PARTNERS)]
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                "INSERT INTO memberships (organisation_id, user_id, role, created_at)"
                " SELECT organisation_id, id, 'partner_manager', now() FROM users"
                " WHERE organisation_id = ANY (:partners)"
            ),
            {"partners": [partner.organisation_id for partner in partners]},
        )
    for partner in partners:
        await earn(database, partner.organisation_id, 100, 200)

    await killed_before_its_commit(url, "propose", maker)
    run = await proposed(database, maker)
    assert run.number == 1, "the run that died has taken no number"
    assert run.totals[0].count == PARTNERS

    await killed_before_its_commit(url, "approve", checker)
    assert run.id is not None
    async with database.transaction(checker) as session:
        assert (await service.show(session, run.id)).state == "proposed"
        await service.approve(session, checker, run.id, Clock().now())

    assert await killed_between_two_batches(url, maker)
    await jobs.announce_payouts(database, Clock())
    async with database.transaction(SYSTEM) as session:
        counts = await session.execute(
            text(
                "SELECT count(*), count(DISTINCT user_id) FROM exchange_mails"
                " WHERE kind = 'payout.approved'"
            )
        )
        assert tuple(counts.one()) == (PARTNERS, PARTNERS)
        moved = await session.execute(
            text(
                "SELECT a.kind, sum(p.amount), count(*) FROM ledger_postings p"
                " JOIN ledger_entries e ON e.id = p.entry_id AND e.source_kind = 'payout'"
                " JOIN ledger_accounts a ON a.id = p.account_id GROUP BY a.kind"
            )
        )
        assert {row[0]: (int(row[1]), row[2]) for row in moved} == {
            "payable": (-300 * PARTNERS, PARTNERS),
            "clearing": (300 * PARTNERS, PARTNERS),
        }
        items = await session.execute(
            text("SELECT count(*), count(DISTINCT accrual_id) FROM payout_items")
        )
        assert tuple(items.one()) == (2 * PARTNERS, 2 * PARTNERS)
    assert (await proposed(database, maker)).number == 2
