"""The house acts inside somebody's transaction: facts and outboxes write rows of other
organisations, after the caller's own right was settled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Problem
from marketplace.kernel.statements import Row, Source, Statement

_READ = Statement(
    "SELECT coalesce(current_setting('app.scope', true), '') AS scope,"
    " coalesce(current_setting('app.organisation', true), '') AS organisation,"
    " coalesce(current_setting('app.user', true), '') AS user"
)
_RESTORE = Statement(
    "SELECT set_config('app.scope', :scope, true),"
    " set_config('app.organisation', :organisation, true), set_config('app.user', :user, true)"
)


@asynccontextmanager
async def as_house(source: Source) -> AsyncIterator[None]:
    """The system scope for a few statements, then the caller's again. What is pending is written
    on both borders, each under its own scope.
    """
    await _write(source)
    before = await _READ.row(source)
    assert before is not None, "one row of settings"
    if before["scope"] == "system":
        yield
        await _write(source)
        return
    await set_scope(source, SYSTEM)
    try:
        yield
        await _write(source)
    except Problem:
        # An expected refusal leaves the transaction usable, so it must not leave it privileged.
        await _restore(source, before)
        raise
    await _restore(source, before)


async def _write(source: Source) -> None:
    if isinstance(source, AsyncSession):
        await source.flush()


async def _restore(source: Source, before: Row) -> None:
    await _RESTORE.rows(source, **before)
