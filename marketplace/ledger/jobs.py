"""What the ledger does by the clock: every job is idempotent and safe on several workers."""

from __future__ import annotations

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.ledger.payouts import service as payouts

PAYOUTS_AT_ONCE = 50
"""Announced in one transaction: some 0.3 s of mails and webhooks."""


async def announce_payouts(database: Database, clock: Clock) -> None:
    """Notify the partners of a released run, until none is left."""
    while True:
        async with database.transaction(SYSTEM) as session:
            if not await payouts.announce_approved(session, clock.now(), PAYOUTS_AT_ONCE):
                return
