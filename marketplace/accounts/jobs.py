"""What accounts do by the clock."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Session
from marketplace.accounts.service import password_resets
from marketplace.kernel import idempotency
from marketplace.kernel.clock import Clock

ENDED_KEPT = timedelta(days=30)


async def sweep(session: AsyncSession, clock: Clock) -> None:
    """Delete expired stored answers, old links, and sessions that ended ENDED_KEPT ago.
    Idempotent.
    """
    before = clock.now() - ENDED_KEPT
    await idempotency.sweep(session, clock)
    await password_resets.sweep(session, clock.now())
    await session.execute(
        delete(Session).where(or_(Session.ended_at < before, Session.expires_at < before))
    )
