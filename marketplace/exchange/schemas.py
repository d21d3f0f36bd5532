"""Endpoints, deliveries and mails on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

Url = Annotated[str, Meta(min_length=8, max_length=2_000)]
Events = Annotated[list[str], Meta(max_length=50)]


class NewEndpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where events go.

    url          https and no private address, e.g. `https://erp.pumps.example/hooks`
    events       names from `GET /api/v1/events`; empty: all of them, e.g. `["order.placed"]`
    description  for people, at most 200 characters, e.g. `ERP in Lyon`
    """

    url: Url
    events: Events = []
    description: Annotated[str, Meta(max_length=200)] = ""


class EndpointChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays.

    url          https and no private address; the secret stays, e.g.
                 `https://erp.pumps.example/hooks`
    events       replaces the former names; empty: all of them, e.g. `["order.placed"]`
    description  for people, at most 200 characters, e.g. `ERP in Lyon`
    enabled      true gives a disabled endpoint another chance; false sends nothing any more
    """

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An address that events are sent to.

    url              where they are posted, e.g. `https://erp.pumps.example/hooks`
    events           what is sent; empty: everything, e.g. `["order.placed"]`
    description      for people, e.g. `ERP in Lyon`
    enabled          false: nothing is sent
    disabled_reason  null while it is enabled, e.g. `Every attempt failed for 5 days.`
    failing_since    since when no attempt has succeeded; null: the last one did
    """

    id: UUID
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime


class IssuedEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The only answer that shows the secret.

    endpoint  the new endpoint, or the one with a new secret
    secret    the key of the signatures, base64 behind `whsec_` as in Standard Webhooks, e.g.
              `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`
    """

    endpoint: EndpointView
    secret: str


class EndpointPage(msgspec.Struct, frozen=True):
    """The own organisation's endpoints."""

    items: list[EndpointView]
    next_cursor: str | None = None


class EventView(msgspec.Struct, frozen=True):
    """A kind of event that is sent.

    name   stable; the `type` of the message, e.g. `order.placed`
    title  in words, e.g. `An order was placed`
    """

    name: str
    title: str


class EventPage(msgspec.Struct, frozen=True):
    """Every kind there is."""

    items: list[EventView]
    next_cursor: str | None = None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way to one endpoint.

    message_id    the `webhook-id` that every attempt carries: the same id is the same event
    kind          the `type` of the message, e.g. `order.placed`
    state         `pending` until an attempt succeeds, then `delivered`; `dead`: given up, can be
                  replayed, e.g. `delivered`
    attempts      how often it was tried, e.g. `1`
    next_at       when it is tried next; null: no more
    last_status   HTTP status of the last answer; null: none came, e.g. `503`
    last_error    what the last failure said, at most 500 characters, e.g. `Connection refused`
    delivered_at  when the endpoint answered with 2xx; null: not yet
    payload       the body that is sent, as described under `webhooks`, e.g. `{"type":
                  "endpoint.test", "timestamp": "2026-12-01T10:00:00.000000Z", "data": {}}`
    """

    id: UUID
    message_id: UUID
    endpoint_id: UUID
    kind: str
    state: str
    attempts: int
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None
    payload: Any


class DeliveryPage(msgspec.Struct, frozen=True):
    """What was sent to the own endpoints."""

    items: list[DeliveryView]
    next_cursor: str | None = None


class Replayed(msgspec.Struct, frozen=True):
    """How many go out again.

    deliveries  all that were given up for this endpoint, e.g. `3`
    """

    deliveries: int


class MailView(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of the operator's outbox.

    address     of the person it goes to, e.g. `ada@pumps.example`
    kind        what it is about, the name of an event where it is one, e.g. `invitation.received`
    subject     one line, e.g. `Invitation: 400 pumps`
    text        what it says; links that let in anybody are left out, e.g. `You are invited to the
                tender 400 pumps.`
    state       `pending`, `sent`, or `dead`: given up, e.g. `sent`
    attempts    how often it was tried, e.g. `1`
    last_error  what the mail server said last; null: nothing went wrong, e.g. `Mailbox unavailable`
    sent_at     when the mail server took it; null: not yet
    """

    id: UUID
    address: str
    kind: str
    subject: str
    text: str
    state: str
    attempts: int
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None


class MailPage(msgspec.Struct, frozen=True):
    """The operator's outbox."""

    items: list[MailView]
    next_cursor: str | None = None
