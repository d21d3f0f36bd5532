"""A process in the middle of a payout run, to be killed: URL, STEP, USER, ORGANISATION.

`propose` and `approve` stop before their commit and say so; `announce` is the worker's own job.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

from sqlalchemy import text

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.ledger import jobs
from marketplace.ledger.payouts import service
from marketplace.ledger.payouts.schemas import NewPayoutRun
from tests.ledger.partners import actor_of


async def main(url: str, step: str, user: str, organisation: str) -> None:
    database, now = Database(url), Clock().now()
    actor = actor_of(UUID(organisation), UUID(user), "admin", operator=True)
    try:
        if step == "announce":
            await jobs.announce_payouts(database, Clock())
            return
        async with database.transaction(actor) as session:
            if step == "propose":
                await service.propose(session, actor, NewPayoutRun(until=now), now)
            else:
                run_id = (await session.execute(text("SELECT id FROM payout_runs"))).scalar_one()
                await service.approve(session, actor, run_id, now)
            sys.stdout.write("before the commit\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
            raise AssertionError("was to be killed")
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
