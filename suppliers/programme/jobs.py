"""Timed work of the programme, idempotent: tell who has become eligible for a higher tier."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange.announcing import News, announce_all
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from suppliers.programme import queries
from suppliers.programme.measures import Measures
from suppliers.programme.service import standing
from suppliers.programme.service.standing import Judged

BATCH = 500
"""Partners judged in one transaction: a tenth of a second of work between two statements, far from
the seconds after which PostgreSQL ends an idle transaction.
"""


async def judge_tiers(database: Database, clock: Clock, measures: Measures) -> int:
    """Judge every active agreement; how many proposals changed. A proposal is announced once."""
    now, changed, after = clock.now(), 0, None
    while True:
        async with database.transaction(SYSTEM) as session:
            running = await queries.running(session, after, BATCH)
            judged = await standing.judge_all(session, measures, running, now)
            found = [one for one in judged if one.standing.eligible != one.agreement.eligible]
            await _propose(session, found, now)
            changed += len(found)
        if len(running) < BATCH:
            return changed
        after = running[-1].id


async def _propose(session: AsyncSession, judged: Sequence[Judged], now: datetime) -> None:
    """In statements for all of them: one by one, 10,000 took five minutes."""
    before = {one.agreement.id: one.agreement.eligible for one in judged}
    after = {one.agreement.id: one.standing.eligible for one in judged}
    # Without those where another worker, or the end of the agreement, was first.
    noted = await queries.note_eligible(session, before, after)
    news = []
    for agreement in (one.agreement for one in judged):
        eligible = after[agreement.id]
        if agreement.id not in noted or eligible is None or eligible == agreement.tier:
            continue
        data = {"agreement_id": str(agreement.id), "tier": eligible}
        once = f"eligible {agreement.id} {eligible} {now.isoformat()}"
        news += [
            News(organisation_id, "tier.eligible", data, once)
            for organisation_id in (agreement.operator_id, agreement.partner_id)
        ]
    await announce_all(session, news, now)
