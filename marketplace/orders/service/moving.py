"""An order moves: released, confirmed, delivered, accepted; every step is told as a fact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.service.separation import with_sponsors
from marketplace.kernel.actor import Actor
from marketplace.kernel.decimals import parse_quantity
from marketplace.kernel.errors import Invalid
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import exponent_of, round_half_even
from marketplace.kernel.workflow import Mover, house, move
from marketplace.orders import queries, rules
from marketplace.orders.facts import (
    Goods,
    OrderCompleted,
    OrderIntended,
    OrderMoved,
    OrderReopened,
    PaidLine,
)
from marketplace.orders.life import ORDER, moved_by
from marketplace.orders.models import Delivery, Line, Order
from marketplace.orders.schemas import NewDelivery
from marketplace.orders.service.views import visible

BINDING = frozenset(["request", "place", "approve"])
"""Steps by which people order or offer to; what follows from an award was agreed before."""


async def step(session: AsyncSession, facts: Facts, order: Order, event: str, by: Mover) -> None:
    """One move and the facts of it. The caller holds the order FOR UPDATE, or has just made it.
    Raises Forbidden, Conflict.
    """
    if event in BINDING and by.user_id is not None:
        ORDER.choose(order, event, by)
        await facts.publish(session, _intended(order, by))
    readers = _readers(order, event)
    await move(session, ORDER, order, event, by, parties=readers)
    order.updated_at = by.now
    if by.reason and event in {"reject", "decline", "cancel", "reopen"}:
        order.reason = by.reason
    if order.state == "placed" and order.ordered_at is None:
        order.ordered_at = by.now
    if event == "accept":
        order.accepted_at = by.now
    await session.flush()
    await facts.publish(
        session,
        OrderMoved(
            order_id=order.id,
            buyer_id=order.buyer_id,
            supplier_id=order.supplier_id,
            at=by.now,
            number=order.number,
            event=event,
            state=order.state,
            by=by.organisation_id,
            inside=order.supplier_id not in readers,
        ),
    )
    if event == "accept":
        await facts.publish(session, await _completed(session, order, by.now))
    elif event == "reopen":
        await facts.publish(
            session,
            OrderReopened(
                order_id=order.id,
                buyer_id=order.buyer_id,
                supplier_id=order.supplier_id,
                at=by.now,
            ),
        )


def _intended(order: Order, by: Mover) -> OrderIntended:
    assert by.organisation_id is not None, "a person belongs to an organisation"
    return OrderIntended(
        order_id=order.id,
        buyer_id=order.buyer_id,
        supplier_id=order.supplier_id,
        at=by.now,
        by=by.organisation_id,
    )


def _readers(order: Order, event: str) -> list[UUID]:
    """What happens before somebody has released an order is the buyer's own affair."""
    inside = order.approver_id is not None and order.ordered_at is None
    if inside and event != "approve":
        return [order.buyer_id]
    return [order.buyer_id, order.supplier_id]


async def _completed(session: AsyncSession, order: Order, now: datetime) -> OrderCompleted:
    """What was delivered counts, at the prices and references of the order."""
    lines = await queries.lines(session, order.id)
    assert order.ordered_at is not None, "only a placed order is ever accepted"
    return OrderCompleted(
        order_id=order.id,
        buyer_id=order.buyer_id,
        supplier_id=order.supplier_id,
        at=now,
        title=order.title,
        ordered_at=order.ordered_at,
        currency=order.currency,
        lines=await _paid(session, order, lines),
        goods=tuple(_goods(line, exponent_of(order.currency)) for line in lines),
    )


def _goods(line: Line, exponent: int) -> Goods:
    price = line.price or Decimal(0)
    return Goods(
        item_id=line.item_id,
        name=line.name,
        unit=line.unit,
        quantity=line.delivered,
        value_minor=rules.line_value(price, line.price_unit, line.delivered, exponent),
    )


async def _paid(session: AsyncSession, order: Order, lines: Sequence[Line]) -> tuple[PaidLine, ...]:
    if order.lump_minor is not None:
        share = rules.delivered_share(lines)
        return (
            PaidLine(
                value_minor=round_half_even(share * order.lump_minor),
                paid_minor=order.lump_minor,
                reference_minor=order.lump_reference_minor,
            ),
        )
    references = await queries.references(session, order.id)
    exponent = exponent_of(order.currency)
    return tuple(_paid_line(line, references.get(line.position), exponent) for line in lines)


def _paid_line(line: Line, reference: Decimal | None, exponent: int) -> PaidLine:
    price = line.price or Decimal(0)
    return PaidLine(
        value_minor=rules.line_value(price, line.price_unit, line.delivered, exponent),
        paid_minor=price.scaleb(exponent),
        reference_minor=None if reference is None else reference.scaleb(exponent),
    )


async def act(
    session: AsyncSession,
    facts: Facts,
    actor: Actor,
    order_id: UUID,
    event: str,
    reason: str | None,
    now: datetime,
) -> None:
    """Move an order as the caller. Raises NotFound, Forbidden, Conflict."""
    order = await visible(session, actor, order_id, lock=True)
    by = moved_by(actor, now, order, reason)
    if event in ORDER.not_by_author:
        by = await with_sponsors(session, by, "approver")
    await step(session, facts, order, event, by)


async def confirm(
    session: AsyncSession,
    facts: Facts,
    actor: Actor,
    order_id: UUID,
    due_at: datetime | None,
    now: datetime,
) -> None:
    """The supplier takes the order, and may name the day. Raises NotFound, Forbidden, Conflict,
    Invalid.
    """
    order = await visible(session, actor, order_id, lock=True)
    by = moved_by(actor, now, order)
    ORDER.choose(order, "confirm", by)
    if due_at is not None:
        if due_at.tzinfo is None or due_at <= now:
            raise Invalid.field("due_at", "in_the_past", "The delivery lies in the future.")
        order.due_at = due_at
    await step(session, facts, order, "confirm", by)


async def deliver(
    session: AsyncSession,
    facts: Facts,
    actor: Actor,
    order_id: UUID,
    new: NewDelivery,
    now: datetime,
) -> None:
    """Goods are on their way, all or a part. Raises NotFound, Forbidden, Conflict, Invalid."""
    order = await visible(session, actor, order_id, lock=True)
    by = moved_by(actor, now, order)
    ORDER.choose(order, "deliver_part", by)
    lines = await queries.lines(session, order_id)
    wanted = [(line.position, line.quantity) for line in new.lines]
    if errors := rules.delivery_errors(lines, wanted):
        raise Invalid("invalid_delivery", errors[0].message, errors=errors)
    by_position = {line.position: line for line in lines}
    for position, quantity in wanted:
        by_position[position].delivered += parse_quantity(quantity)
    former = await queries.deliveries(session, order_id)
    session.add(
        Delivery(
            id=new_id(),
            order_id=order_id,
            number=len(former) + 1,
            carrier=new.carrier,
            tracking=new.tracking,
            note=new.note,
            author_id=actor.user_id,
            shipped_at=now,
            lines=msgspec.to_builtins(new.lines),
        )
    )
    await session.flush()
    event = "deliver_all" if rules.all_delivered(lines) else "deliver_part"
    await step(session, facts, order, event, by)


async def fire(
    facts: Facts, session: AsyncSession, order_id: UUID, event: str, now: datetime
) -> None:
    """What is due, by the house (system scope). Raises Conflict."""
    order = await queries.order(session, order_id, lock=True)
    assert order is not None, "orders are never deleted"
    await step(session, facts, order, event, house(now, "Nothing happened in time"))
