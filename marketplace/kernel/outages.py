"""Which errors mean that a server behind us is away or too busy, not that we asked for nonsense,
and what they say in words that may be shown to anybody: no addresses, users or values.
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import TypeGuard

import asyncpg
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    ClusterError,
    RedisError,
    SlotNotCoveredError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
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


def is_of_a_server(error: BaseException) -> bool:
    """An outage, or anything else that a server or its driver complains of."""
    ours = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, RedisError)
    return isinstance(error, ours) or is_outage(error)


def first_line(error: BaseException) -> str:
    """For the operator in front of a command: the server's own words, if it has any."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = str(origin.__cause__ or origin).strip().splitlines()
    return said[0] if said else f"A server cannot be used: {reason_of(error)}"


_NO_ANSWER = "it does not answer in time"
_CANNOT_CONNECT = "it cannot be reached"
_OF_STATE = {
    "25006": "it is read-only",
    "3D000": "there is no database of that name",
    "3F000": "its schema is missing",
    "42P01": "its tables are missing; run marketplace migrate",
    "42703": "its tables are of another version; run marketplace migrate",
    "22023": "the role marketplace_app is missing; run marketplace migrate",
    "42501": "a permission is missing",
    "53100": "its disk is full",
    "53200": "it is out of memory",
    "53300": "it has too many connections",
    "55P03": "a lock is held for too long",
    "57P03": "it is starting or stopping",
}
_MISSING_RIGHT = re.compile(r"no permissions to run the '([a-z|-]+)' command")
_REFUSED_TABLE = re.compile(r"permission denied for \w+ (\w+)")


def reason_of(error: BaseException) -> str:
    """Why a server cannot be used, as the end of a sentence. Nothing of the error's own text but
    names of commands and of our own tables.
    """
    if isinstance(error, DBAPIError) and error.orig is not None:
        # SQLAlchemy wraps its own kind of error around the driver's.
        return reason_of(error.orig.__cause__ or error.orig)
    if isinstance(error, TimeoutError | RedisTimeoutError | PoolTimeout):
        return _NO_ANSWER
    if isinstance(error, RedisError):
        return _of_redis(error)
    if isinstance(error, asyncpg.PostgresError):
        return _of_postgres(error)
    if isinstance(error, socket.gaierror):
        return "the name of its host is not known"
    if isinstance(error, ssl.SSLError):
        return "TLS cannot be agreed upon"
    if isinstance(error, OSError):
        return getattr(error, "reason", _CANNOT_CONNECT)
    return type(error).__name__


def _of_postgres(error: asyncpg.PostgresError) -> str:
    state = str(error.sqlstate)
    table = _REFUSED_TABLE.search(str(error))
    if table is not None:
        return f"a permission is missing for {table[1]}"
    if state.startswith("28"):
        return "it refuses the user or the password"
    return _OF_STATE.get(state, f"{type(error).__name__} ({state})")


def _is_of_socket(error: BaseException | None) -> TypeGuard[OSError]:
    return isinstance(error, socket.gaierror | ssl.SSLError)


def _of_redis(error: RedisError) -> str:
    # Only errors of our own have one.
    reason = getattr(error, "reason", None)
    if reason is not None:
        return str(reason)
    text = str(error)
    missing = _MISSING_RIGHT.search(text)
    if missing is not None:
        return f"its user may not run {missing[1]}"
    if "no permissions to access" in text:
        return "its user may not use a key or channel"
    if isinstance(error, AuthenticationError) or "username-password" in text or "NOAUTH" in text:
        return "it refuses the user or the password"
    if isinstance(error, ClusterDownError | SlotNotCoveredError | ClusterError):
        return "some slots of the cluster have no master"
    if type(error) is RedisConnectionError:
        # redis-py puts its own error around the socket's.
        return reason_of(error.__context__) if _is_of_socket(error.__context__) else _CANNOT_CONNECT
    if text.startswith("NOREPLICAS"):
        return "too few of its replicas are connected"
    words = {
        "OutOfMemoryError": "its memory is full",
        "ReadOnlyError": "it is read-only, a replica",
        "BusyLoadingError": "it is still loading",
        "MasterNotFoundError": "Sentinel knows no master",
        "MasterDownError": "its master is away",
    }
    return words.get(type(error).__name__, type(error).__name__)
