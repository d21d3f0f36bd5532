"""Tables of orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Big


class Order(Base):
    """lump_minor   one price for all the lines together, where they have none of their own
    ordered_at   when it was placed: the date it counts from
    approver_id  who must release it, where the buyer asks for that
    """

    __tablename__ = "orders"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    buyer_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    author_id: Mapped[UUID]
    origin: Mapped[str]
    origin_id: Mapped[UUID | None]
    title: Mapped[str]
    currency: Mapped[str]
    state: Mapped[str]
    lump_minor: Mapped[Big | None]
    lump_reference_minor: Mapped[Big | None]
    approver_id: Mapped[UUID | None]
    responsible_id: Mapped[UUID | None]
    due_at: Mapped[datetime | None]
    delivery: Mapped[dict[str, Any]] = mapped_column(JSONB)
    note: Mapped[str]
    reason: Mapped[str | None]
    status_token_hash: Mapped[bytes | None]
    created_at: Mapped[datetime]
    ordered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class Line(Base):
    """`price` is what `price_unit` units cost, with all its decimals; None under a lump price.
    `list_price` is what the supplier's list, in that version, asked for as many units.
    """

    __tablename__ = "order_lines"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID | None]
    sku: Mapped[str | None]
    name: Mapped[str]
    quantity: Mapped[Decimal]
    unit: Mapped[str]
    price: Mapped[Decimal | None]
    price_unit: Mapped[Decimal]
    value_minor: Mapped[Big]
    delivered: Mapped[Decimal]
    list_price: Mapped[Decimal | None]
    list_id: Mapped[UUID | None]
    list_version: Mapped[int | None]


class Reference(Base):
    """What others ask for `price_unit` units of a line, frozen when the order was made."""

    __tablename__ = "order_references"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    reference: Mapped[Decimal]


class Delivery(Base):
    """`lines`: `[{"position": 0, "quantity": "12"}, …]`."""

    __tablename__ = "order_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    number: Mapped[int]
    carrier: Mapped[str]
    tracking: Mapped[str]
    note: Mapped[str]
    author_id: Mapped[UUID]
    shipped_at: Mapped[datetime]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class Claim(Base):
    """A complaint about an order, or about one line of it."""

    __tablename__ = "order_claims"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    number: Mapped[int]
    buyer_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    author_id: Mapped[UUID]
    position: Mapped[int | None]
    kind: Mapped[str]
    severity_bp: Mapped[int]
    description: Mapped[str]
    state: Mapped[str]
    answer: Mapped[str | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Survey(Base):
    __tablename__ = "order_surveys"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    stars: Mapped[int]
    answered_by: Mapped[UUID]
    answered_at: Mapped[datetime]


class Watcher(Base):
    """Somebody who follows an order without acting on it."""

    __tablename__ = "order_watchers"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
