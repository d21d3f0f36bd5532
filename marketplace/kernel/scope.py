"""The house acts inside somebody's transaction: facts and outboxes write rows of other
organisations, after the caller's own right was settled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Problem

_READ = text(
    "SELECT coalesce(current_setting('app.scope', true), ''),"
    " coalesce(current_setting('app.organisation', true), ''),"
    " coalesce(current_setting('app.user', true), '')"
)
_RESTORE = text(
    "SELECT set_config('app.scope', :scope, true),"
    " set_config('app.organisation', :organisation, true), set_config('app.user', :user, true)"
)


@asynccontextmanager
async def as_house(session: AsyncSession) -> AsyncIterator[None]:
    """The system scope for a few statements, then the caller's again. What is pending is written
    on both borders, each under its own scope.
    """
    await session.flush()
    before = list((await session.execute(_READ)).one())
    if before[0] == "system":
        yield
        await session.flush()
        return
    await set_scope(session, SYSTEM)
    try:
        yield
        await session.flush()
    except Problem:
        # An expected refusal leaves the transaction usable, so it must not leave it privileged.
        await _restore(session, before)
        raise
    await _restore(session, before)


async def _restore(session: AsyncSession, before: Sequence[str]) -> None:
    await session.execute(
        _RESTORE, {"scope": before[0], "organisation": before[1], "user": before[2]}
    )
