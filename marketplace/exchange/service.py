"""Endpoints and what was sent to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange import queries, rules
from marketplace.exchange.addresses import NotAllowed, read_url
from marketplace.exchange.announcing import send_to
from marketplace.exchange.catalogue import EVENTS
from marketplace.exchange.delivery import PURPOSE
from marketplace.exchange.models import Delivery, Endpoint, Mail, Message
from marketplace.exchange.schemas import (
    DeliveryPage,
    DeliveryView,
    EndpointChange,
    EndpointPage,
    EndpointView,
    EventPage,
    EventView,
    IssuedEndpoint,
    MailPage,
    MailView,
    NewEndpoint,
    Replayed,
)
from marketplace.exchange.signing import new_secret
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page
from marketplace.kernel.sealing import Sealer
from marketplace.kernel.settings import Settings

REPLAY_MAX = 1_000


def events() -> EventPage:
    """The catalogue."""
    return EventPage([EventView(name, event.title) for name, event in EVENTS.items()])


async def add(
    session: AsyncSession, actor: Actor, settings: Settings, new: NewEndpoint, now: datetime
) -> IssuedEndpoint:
    """A new endpoint with a secret of its own. Raises Invalid, Conflict."""
    _check(settings, new.url, new.events)
    if len(await queries.endpoints(session, actor.organisation_id)) >= rules.ENDPOINTS_MAX:
        raise Conflict("too_many_endpoints", f"At most {rules.ENDPOINTS_MAX} endpoints.")
    secret, endpoint_id = new_secret(), new_id()
    endpoint = Endpoint(
        id=endpoint_id,
        organisation_id=actor.organisation_id,
        url=new.url,
        description=new.description,
        events=sorted(set(new.events)),
        secret_sealed=_sealer(settings).seal(secret.encode(), endpoint_id.bytes),
        author_id=actor.user_id,
        created_at=now,
    )
    session.add(endpoint)
    await session.flush()
    return IssuedEndpoint(endpoint=_view(endpoint), secret=secret)


def _sealer(settings: Settings) -> Sealer:
    return Sealer(settings.secret, PURPOSE)


def _check(settings: Settings, url: str | None, wanted: list[str] | None) -> None:
    errors = []
    if url is not None:
        try:
            read_url(url, private=settings.webhook_private)
        except NotAllowed as error:
            errors.append(FieldError("url", "not_allowed", str(error)))
    errors += [
        FieldError(f"events[{index}]", "unknown_event", "See GET /api/v1/events.")
        for index, name in enumerate(wanted or [])
        if name not in EVENTS
    ]
    if errors:
        raise Invalid("invalid_endpoint", errors[0].message, errors=errors)


async def listing(session: AsyncSession, actor: Actor) -> EndpointPage:
    rows = await queries.endpoints(session, actor.organisation_id)
    return EndpointPage([_view(row) for row in rows])


async def show(session: AsyncSession, actor: Actor, endpoint_id: UUID) -> EndpointView:
    """Raises NotFound."""
    return _view(await _own(session, actor, endpoint_id, lock=False))


async def change(
    session: AsyncSession,
    actor: Actor,
    settings: Settings,
    endpoint_id: UUID,
    new: EndpointChange,
    now: datetime,
) -> EndpointView:
    """What is left out stays. Raises NotFound, Invalid."""
    endpoint = await _own(session, actor, endpoint_id)
    url = None if new.url is UNSET else new.url
    wanted = None if new.events is UNSET else new.events
    _check(settings, url, wanted)
    endpoint.url = url or endpoint.url
    endpoint.events = endpoint.events if wanted is None else sorted(set(wanted))
    if new.description is not UNSET:
        endpoint.description = new.description
    if new.enabled is True:
        endpoint.disabled_at = endpoint.disabled_reason = endpoint.failing_since = None
    elif new.enabled is False and endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_reason = now, "Switched off."
    await session.flush()
    return _view(endpoint)


async def remove(session: AsyncSession, actor: Actor, endpoint_id: UUID) -> None:
    """With everything that was on its way to it. Raises NotFound."""
    await session.delete(await _own(session, actor, endpoint_id))
    await session.flush()


async def rotate(
    session: AsyncSession, actor: Actor, settings: Settings, endpoint_id: UUID, now: datetime
) -> IssuedEndpoint:
    """A new secret; the former one signs beside it for a day. Raises NotFound."""
    endpoint = await _own(session, actor, endpoint_id)
    secret = new_secret()
    endpoint.former_sealed = endpoint.secret_sealed
    endpoint.former_until = now + rules.SECRET_OVERLAP
    endpoint.secret_sealed = _sealer(settings).seal(secret.encode(), endpoint.id.bytes)
    await session.flush()
    return IssuedEndpoint(endpoint=_view(endpoint), secret=secret)


async def test(
    session: AsyncSession, actor: Actor, endpoint_id: UUID, now: datetime
) -> DeliveryView:
    """Send a test event to this endpoint alone. Raises NotFound, Conflict."""
    endpoint = await _own(session, actor, endpoint_id)
    if endpoint.disabled_at is not None:
        raise Conflict("endpoint_disabled", "Enable the endpoint first.")
    data = {"endpoint_id": str(endpoint.id)}
    once = f"test {new_id()}"
    await send_to(
        session, endpoint.organisation_id, [endpoint.id], "endpoint.test", data, once, now
    )
    [(delivery, message), *_] = await queries.deliveries(
        session,
        actor.organisation_id,
        endpoint_id=endpoint.id,
        state=None,
        page=queries.DELIVERIES.page(1),
    )
    return _delivery(delivery, message)


async def replay(session: AsyncSession, actor: Actor, endpoint_id: UUID, now: datetime) -> Replayed:
    """Send what is dead once more, with the same ids. Raises NotFound."""
    endpoint = await _own(session, actor, endpoint_id)
    return Replayed(await queries.replay_dead(session, endpoint.id, now, REPLAY_MAX))


async def replay_one(
    session: AsyncSession, actor: Actor, delivery_id: UUID, now: datetime
) -> Replayed:
    """Send one delivery once more, also one that arrived. Raises NotFound, Conflict."""
    delivery = await queries.delivery(session, delivery_id)
    if delivery is None or delivery.organisation_id != actor.organisation_id:
        raise NotFound("delivery")
    if delivery.state == "pending":
        raise Conflict("still_pending", "This delivery is on its way already.")
    delivery.state, delivery.attempts, delivery.next_at = "pending", 0, now
    await session.flush()
    return Replayed(1)


async def deliveries(
    session: AsyncSession, actor: Actor, *, endpoint_id: UUID | None, state: str | None, page: Page
) -> DeliveryPage:
    """Newest first unless `sort` says otherwise."""
    found = await queries.deliveries(
        session, actor.organisation_id, endpoint_id=endpoint_id, state=state, page=page
    )
    shown, next_cursor = page.cut(found, lambda row: row[0])
    return DeliveryPage([_delivery(*row) for row in shown], next_cursor)


async def mails(session: AsyncSession, *, state: str | None, page: Page) -> MailPage:
    """The operator's outbox, newest first unless `sort` says otherwise."""
    shown, next_cursor = page.cut(await queries.mails(session, state=state, page=page))
    return MailPage([_mail(row) for row in shown], next_cursor)


async def _own(
    session: AsyncSession, actor: Actor, endpoint_id: UUID, *, lock: bool = True
) -> Endpoint:
    endpoint = await queries.endpoint(session, endpoint_id, lock=lock)
    if endpoint is None or endpoint.organisation_id != actor.organisation_id:
        raise NotFound("endpoint")
    return endpoint


def _view(row: Endpoint) -> EndpointView:
    return EndpointView(
        id=row.id,
        url=row.url,
        events=row.events,
        description=row.description,
        enabled=row.disabled_at is None,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        created_at=row.created_at,
    )


def _delivery(row: Delivery, message: Message) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        message_id=row.message_id,
        endpoint_id=row.endpoint_id,
        kind=message.kind,
        state=row.state,
        attempts=row.attempts,
        next_at=row.next_at if row.state == "pending" else None,
        last_status=row.last_status,
        last_error=row.last_error,
        delivered_at=row.delivered_at,
        payload=msgspec.json.decode(message.body),
    )


def _mail(row: Mail) -> MailView:
    return MailView(
        id=row.id,
        address=row.address,
        kind=row.kind,
        subject=row.subject,
        text=row.text,
        state=row.state,
        attempts=row.attempts,
        last_error=row.last_error,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
