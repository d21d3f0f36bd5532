"""Timed work of the programme, idempotent: tell who has become eligible for a higher tier."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange.announcing import announce
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from suppliers.programme import queries
from suppliers.programme.measures import Measures
from suppliers.programme.models import Agreement
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
            for one in await standing.judge_all(session, measures, running, now):
                if one.standing.eligible != one.agreement.eligible:
                    await _propose(session, one, now)
                    changed += 1
        if len(running) < BATCH:
            return changed
        after = running[-1].id


async def _propose(session: AsyncSession, judged: Judged, now: datetime) -> None:
    eligible, agreement = judged.standing.eligible, judged.agreement
    noted = await session.execute(
        update(Agreement)
        .where(Agreement.id == agreement.id, Agreement.state == "active")
        .where(Agreement.eligible.is_not_distinct_from(agreement.eligible))
        .values(eligible=eligible)
        .returning(Agreement.id)
        .execution_options(synchronize_session=False)
    )
    # Another worker, or the end of the agreement, was first.
    if noted.first() is None or eligible is None or eligible == agreement.tier:
        return
    data = {"agreement_id": str(agreement.id), "tier": eligible}
    once = f"eligible {agreement.id} {eligible} {now.isoformat()}"
    for organisation_id in (agreement.operator_id, agreement.partner_id):
        await announce(session, organisation_id, "tier.eligible", data, once, now)
