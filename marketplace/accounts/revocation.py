"""Telling every node that a login has ended, so that open sockets close at once.

A message is only a hint; who holds a socket also asks `Gate.still_valid` from time to time.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.gate import Gate
from marketplace.kernel.db import after_commit
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.redis import AnyRedis

CHANNEL = "auth:revoked"

_log = structlog.get_logger(__name__)


class Revoked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose logins have ended: exactly one of the four is set."""

    session_id: UUID | None = None
    api_key_id: UUID | None = None
    user_id: UUID | None = None
    organisation_id: UUID | None = None


class Revocations:
    def __init__(self, redis: AnyRedis, gate: Gate) -> None:
        self._redis = redis
        self._gate = gate

    def announce(self, session: AsyncSession, revoked: Revoked) -> None:
        """Publish on CHANNEL as JSON once the session's transaction is durable."""

        async def publish() -> None:
            self._gate.forget()
            try:
                await self._redis.publish(CHANNEL, msgspec.json.encode(revoked))
            except RedisError as error:
                OUTAGES.failed(error, where="announcing a revocation")

        after_commit(session, publish)
