"""Which errors mean that a server behind us is away or too busy, not that we asked for nonsense."""

from __future__ import annotations

import asyncpg
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# 40P01 deadlock, 40001 serialisation, 55P03 lock not available, 57014 statement timeout,
# 57P0x the server stops or starts, 53300 too many connections.
_TRY_AGAIN = frozenset(["40P01", "40001", "55P03", "57014", "57P01", "57P02", "57P03", "53300"])


def is_outage(error: BaseException) -> bool:
    """Of Redis, of PostgreSQL through SQLAlchemy or the driver alone, and of the socket itself."""
    if isinstance(error, RedisError | PoolTimeout | OSError | TimeoutError):
        return True
    if isinstance(error, DBAPIError):
        return (
            error.connection_invalidated
            or isinstance(error, OperationalError | InterfaceError)
            or _passes(error.orig)
        )
    if isinstance(error, asyncpg.InterfaceError):
        # A connection that is gone; the other kind complains of a value.
        return not isinstance(error, ValueError)
    return _passes(error)


def _passes(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None)
    return isinstance(state, str) and (state in _TRY_AGAIN or state.startswith("08"))
