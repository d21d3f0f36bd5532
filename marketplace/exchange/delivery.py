"""Sends what is due. A worker claims a few deliveries, sends them side by side with no transaction
open, and notes each result in one of its own.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange import queries, rules
from marketplace.exchange.announcing import announce
from marketplace.exchange.models import Endpoint
from marketplace.exchange.queries import Due
from marketplace.exchange.sender import Answer, NotSent, Sender
from marketplace.exchange.signing import sign
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.sealing import Sealer

PURPOSE = "webhooks"
EACH_MAX, BATCH_MAX, ROUNDS_MAX = 4, 32, 50
LEASE = timedelta(seconds=60)
KEPT = timedelta(days=30)
GONE = 410
_EXCERPT_MAX = 500

_chance = random.SystemRandom()
_log = structlog.get_logger(__name__)


class Post:
    """What a worker needs to send."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer, sender: Sender) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._sender = sender

    async def deliver_due(self) -> int:
        """Send what is due now; how many were tried. Safe on several workers at once."""
        tried = 0
        for _ in range(ROUNDS_MAX):
            async with self._database.transaction(SYSTEM) as session:
                due = await queries.claim(session, self._clock.now(), LEASE, EACH_MAX, BATCH_MAX)
            if not due:
                break
            tried += len(due)
            async with asyncio.TaskGroup() as group:
                for each in due:
                    group.create_task(self._deliver(each))
        return tried

    async def _deliver(self, due: Due) -> None:
        answer, failure = None, None
        try:
            answer = await self._sender.post(due.url, self._headers(due), due.body.encode())
        except NotSent as error:
            failure = str(error)
        async with self._database.transaction(SYSTEM) as session:
            await _note(session, due, answer, failure, self._clock.now())

    def _headers(self, due: Due) -> dict[str, str]:
        """The same id in every attempt, a new time, and a signature by each secret that counts."""
        now = self._clock.now()
        stamp, body = int(now.timestamp()), due.body.encode()
        sealed = [due.secret_sealed]
        if due.former_sealed is not None and due.former_until and now < due.former_until:
            sealed.append(due.former_sealed)
        context = due.endpoint_id.bytes
        secrets = [self._sealer.open(each, context).decode() for each in sealed]
        message_id = f"msg_{due.message_id.hex}"
        return {
            "Content-Type": "application/json",
            "User-Agent": "marketplace-webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": " ".join(sign(key, message_id, stamp, body) for key in secrets),
        }

    async def sweep(self) -> None:
        """Forget messages of long ago."""
        async with self._database.transaction(SYSTEM) as session:
            await queries.sweep(session, self._clock.now() - KEPT)


async def _note(
    session: AsyncSession, due: Due, answer: Answer | None, failure: str | None, now: datetime
) -> None:
    endpoint = await queries.endpoint(session, due.endpoint_id, lock=True)
    if endpoint is None:
        return
    if answer is not None and answer.ok:
        endpoint.failing_since = None
        await queries.note_delivery(
            session,
            due.id,
            state="delivered",
            delivered_at=now,
            last_status=answer.status,
            last_error=None,
        )
        return
    status = answer.status if answer else None
    await _note_failure(session, due, answer, failure, now)
    endpoint.failing_since = endpoint.failing_since or now
    _log.info("webhook_failed", endpoint=str(endpoint.id), status=status, attempts=due.attempts)
    if status == GONE:
        await _disable(session, endpoint, "The receiver answered 410 Gone.", now)
    elif rules.fails_too_long(endpoint.failing_since, now):
        days = rules.LONG_FAILURE.days
        await _disable(session, endpoint, f"Every attempt failed for {days} days.", now)


async def _note_failure(
    session: AsyncSession, due: Due, answer: Answer | None, failure: str | None, now: datetime
) -> None:
    patience = answer.retry_after_s if answer else None
    again = rules.next_attempt(due.attempts, now, _chance.random(), patience)
    said = answer.excerpt if answer else failure
    if answer is not None and 300 <= answer.status < 400:
        said = "A redirect is not followed."
    await queries.note_delivery(
        session,
        due.id,
        state="dead" if again is None else "pending",
        next_at=again or now,
        last_status=answer.status if answer else None,
        last_error=(said or "")[:_EXCERPT_MAX],
    )


async def _disable(session: AsyncSession, endpoint: Endpoint, reason: str, now: datetime) -> None:
    if endpoint.disabled_at is not None:
        return
    endpoint.disabled_at, endpoint.disabled_reason = now, reason
    await session.flush()
    await announce(
        session,
        endpoint.organisation_id,
        "endpoint.disabled",
        {"url": endpoint.url, "endpoint_id": str(endpoint.id)},
        f"endpoint {endpoint.id} {now.isoformat()}",
        now,
    )
