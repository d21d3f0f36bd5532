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
    """`events` empty: all of them."""

    url: Url
    events: Events = []
    description: Annotated[str, Meta(max_length=200)] = ""


class EndpointChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; `enabled: true` gives a disabled endpoint another chance."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime


class IssuedEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The only answer that shows the secret."""

    endpoint: EndpointView
    secret: str


class EndpointPage(msgspec.Struct, frozen=True):
    items: list[EndpointView]
    next_cursor: str | None = None


class EventView(msgspec.Struct, frozen=True):
    name: str
    title: str


class EventPage(msgspec.Struct, frozen=True):
    items: list[EventView]
    next_cursor: str | None = None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """`message_id` is the `webhook-id` that every attempt carries."""

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
    items: list[DeliveryView]
    next_cursor: str | None = None


class Replayed(msgspec.Struct, frozen=True):
    """How many go out again."""

    deliveries: int


class MailView(msgspec.Struct, frozen=True, kw_only=True):
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
    items: list[MailView]
    next_cursor: str | None = None
