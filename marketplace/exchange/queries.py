"""Every SELECT of exchange, and the statements that claim due work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange.models import Delivery, Endpoint, Mail, Message
from marketplace.kernel.pages import Page, Sorting

# A few of each endpoint at a time: one that hangs must not hold up the others. The lease is the
# next attempt's time, so a worker that dies is simply followed by another.
_CLAIM = text(
    """UPDATE exchange_deliveries d SET attempts = d.attempts + 1, next_at = :lease_until
    FROM exchange_endpoints e, exchange_messages m
    WHERE d.id IN (SELECT x.id FROM exchange_endpoints e2 CROSS JOIN LATERAL (
            SELECT d2.id, d2.next_at FROM exchange_deliveries d2
            WHERE d2.endpoint_id = e2.id AND d2.state = 'pending' AND d2.next_at <= :now
            ORDER BY d2.next_at LIMIT :each FOR UPDATE SKIP LOCKED) x
        WHERE e2.disabled_at IS NULL ORDER BY x.next_at LIMIT :limit)
        AND e.id = d.endpoint_id AND m.id = d.message_id
    RETURNING d.id, d.attempts, m.id AS message_id, m.body, e.id AS endpoint_id, e.url,
        e.secret_sealed, e.former_sealed, e.former_until"""
)
_CLAIM_MAILS = text(
    """UPDATE exchange_mails SET attempts = attempts + 1, next_at = :lease_until
    WHERE id IN (SELECT id FROM exchange_mails WHERE state = 'pending' AND next_at <= :now
        ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING id, attempts, address, subject, text, path, link_sealed"""
)
_REPLAY = text(
    """UPDATE exchange_deliveries SET state = 'pending', attempts = 0, next_at = :now
    WHERE id IN (SELECT id FROM exchange_deliveries WHERE endpoint_id = :endpoint_id
        AND state = 'dead' ORDER BY id LIMIT :limit) RETURNING id"""
)
_SWEEP = text(
    """DELETE FROM exchange_messages m WHERE m.created_at < :before AND NOT EXISTS
    (SELECT FROM exchange_deliveries d WHERE d.message_id = m.id AND d.state = 'pending')"""
)


class Due(msgspec.Struct, frozen=True):
    """A delivery that this worker has claimed."""

    id: UUID
    attempts: int
    message_id: UUID
    body: str
    endpoint_id: UUID
    url: str
    secret_sealed: bytes
    former_sealed: bytes | None
    former_until: datetime | None


class DueMail(msgspec.Struct, frozen=True):
    id: UUID
    attempts: int
    address: str
    subject: str
    text: str
    path: str
    link_sealed: bytes | None


async def claim(
    session: AsyncSession, now: datetime, lease: timedelta, each: int, limit: int
) -> list[Due]:
    """Take what is due for as long as `lease`."""
    values = {"now": now, "lease_until": now + lease, "each": each, "limit": limit}
    return [Due(**row) for row in (await session.execute(_CLAIM, values)).mappings()]


async def claim_mails(
    session: AsyncSession, now: datetime, lease: timedelta, limit: int
) -> list[DueMail]:
    values = {"now": now, "lease_until": now + lease, "limit": limit}
    return [DueMail(**row) for row in (await session.execute(_CLAIM_MAILS, values)).mappings()]


async def replay_dead(session: AsyncSession, endpoint_id: UUID, now: datetime, limit: int) -> int:
    """Send the dead deliveries of an endpoint again; how many."""
    values = {"endpoint_id": endpoint_id, "now": now, "limit": limit}
    return len((await session.execute(_REPLAY, values)).all())


async def sweep(session: AsyncSession, before: datetime) -> None:
    """Forget old messages with their deliveries, unless one is still on its way."""
    await session.execute(_SWEEP, {"before": before})


async def endpoints(session: AsyncSession, organisation_id: UUID) -> Sequence[Endpoint]:
    statement = select(Endpoint).where(Endpoint.organisation_id == organisation_id)
    return (await session.scalars(statement.order_by(Endpoint.id))).all()


async def endpoints_of(
    session: AsyncSession, organisation_ids: Collection[UUID]
) -> Sequence[Endpoint]:
    """Of several organisations."""
    statement = select(Endpoint).where(Endpoint.organisation_id.in_(organisation_ids))
    return (await session.scalars(statement.order_by(Endpoint.id))).all()


async def endpoint(
    session: AsyncSession, endpoint_id: UUID, *, lock: bool = False
) -> Endpoint | None:
    statement = select(Endpoint).where(Endpoint.id == endpoint_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.scalars(statement)).first()


DELIVERIES = Sorting(Delivery.id, created_at=Delivery.id, state=Delivery.state)
MAILS = Sorting(Mail.id, created_at=Mail.id, state=Mail.state)


async def deliveries(
    session: AsyncSession,
    organisation_id: UUID,
    *,
    endpoint_id: UUID | None,
    state: str | None,
    page: Page,
) -> Sequence[tuple[Delivery, Message]]:
    """One more than the page holds when there are more."""
    statement = page.of(
        select(Delivery, Message)
        .join(Message, Message.id == Delivery.message_id)
        .where(Delivery.organisation_id == organisation_id)
    )
    if endpoint_id is not None:
        statement = statement.where(Delivery.endpoint_id == endpoint_id)
    if state is not None:
        statement = statement.where(Delivery.state == state)
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def delivery(session: AsyncSession, delivery_id: UUID) -> Delivery | None:
    statement = select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    return (await session.scalars(statement)).first()


async def mails(session: AsyncSession, *, state: str | None, page: Page) -> Sequence[Mail]:
    """All that the session may see."""
    statement = page.of(select(Mail))
    if state is not None:
        statement = statement.where(Mail.state == state)
    return (await session.scalars(statement)).all()


async def note_delivery(session: AsyncSession, delivery_id: UUID, **changes: object) -> None:
    await session.execute(update(Delivery).where(Delivery.id == delivery_id).values(**changes))


async def note_mail(session: AsyncSession, mail_id: UUID, **changes: object) -> None:
    await session.execute(update(Mail).where(Mail.id == mail_id).values(**changes))
