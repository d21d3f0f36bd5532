"""What becomes of an upload whose worker met an error: tried again later, or failed at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta

import asyncpg

RETRY_FIRST = timedelta(seconds=2)
"""Doubled by each further attempt: five attempts outlast a restart of PostgreSQL of a minute."""

# Nothing is wrong with the file or with this code: the server, the network, the disk or another
# transaction stood in the way, and may be gone the next time.
_PASSING = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


def may_pass(group: BaseExceptionGroup[BaseException]) -> bool:
    """Whether another attempt may go better. A lost connection brings other errors with it, so one
    such reason is enough.
    """
    return any(_passing(error) for error in _single(group))


def retry_after(attempts: int) -> timedelta:
    delay: timedelta = RETRY_FIRST * 2 ** (attempts - 1)
    return delay


def new_reference() -> str:
    """What the owner of the upload and the log of the operator both name an internal error by."""
    return secrets.token_hex(5)


def _passing(error: BaseException) -> bool:
    # asyncpg files an argument of the wrong type under InterfaceError.
    return isinstance(error, _PASSING) and not isinstance(error, asyncpg.DataError | ValueError)


def _single(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for each in error.exceptions:
        yield from _single(each)
