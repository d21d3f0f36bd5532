"""Timed work of the programme, idempotent: tell who has become eligible for a higher tier."""

from __future__ import annotations

from sqlalchemy import update

from marketplace.exchange.announcing import announce
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from suppliers.programme import queries
from suppliers.programme.measures import Measures
from suppliers.programme.models import Agreement
from suppliers.programme.service import standing

BATCH = 1_000
"""Partners whose new proposals are written in one transaction: locks of a second at most."""


async def judge_tiers(database: Database, clock: Clock, measures: Measures) -> int:
    """Judge every active agreement; how many proposals changed. A proposal is announced once."""
    now = clock.now()
    async with database.transaction(SYSTEM) as session:
        running = await queries.running(session)
        judged = await standing.judge_all(session, measures, running, now)
    changed = [one for one in judged if one.standing.eligible != one.agreement.eligible]
    for start in range(0, len(changed), BATCH):
        async with database.transaction(SYSTEM) as session:
            for one in changed[start : start + BATCH]:
                eligible, agreement = one.standing.eligible, one.agreement
                await session.execute(
                    update(Agreement)
                    .where(Agreement.id == agreement.id, Agreement.state == "active")
                    .values(eligible=eligible)
                )
                if eligible is None or eligible == agreement.tier:
                    continue
                data = {"agreement_id": str(agreement.id), "tier": eligible}
                once = f"eligible {agreement.id} {eligible} {now.isoformat()}"
                for organisation_id in (agreement.operator_id, agreement.partner_id):
                    await announce(session, organisation_id, "tier.eligible", data, once, now)
    return len(changed)
