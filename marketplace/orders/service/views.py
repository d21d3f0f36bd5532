"""Orders as they are shown: to each side what is its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import Amount, Money, exponent_of
from marketplace.kernel.pages import Page
from marketplace.kernel.scope import as_house
from marketplace.orders import queries, rules
from marketplace.orders.life import CLAIM, ORDER, moved_by
from marketplace.orders.models import Claim, Delivery, Line, Order, Survey
from marketplace.orders.schemas import (
    ClaimView,
    DeliveredLine,
    DeliveryView,
    LineView,
    NextAction,
    OrderPage,
    OrderRow,
    OrderView,
    PartyView,
    SurveyView,
)

LATE = timedelta(0)


async def visible(
    session: AsyncSession, actor: Actor, order_id: UUID, *, lock: bool = False
) -> Order:
    """An order of the own organisation, on either side; for the operator one with a claim that was
    escalated. Raises NotFound.
    """
    order = await queries.order(session, order_id, lock=lock)
    if order is None:
        raise NotFound("order")
    if actor.organisation_id in (order.buyer_id, order.supplier_id):
        return order
    if actor.operator and await _came_before_the_operator(session, order_id):
        return order
    raise NotFound("order")


async def _came_before_the_operator(session: AsyncSession, order_id: UUID) -> bool:
    async with as_house(session):
        return await queries.escalated(session, order_id)


def side(actor: Actor, order: Order) -> str:
    """`buyer`, `supplier` or `operator`."""
    if actor.organisation_id == order.buyer_id:
        return "buyer"
    return "supplier" if actor.organisation_id == order.supplier_id else "operator"


async def parties(session: AsyncSession, orders: Iterable[Order]) -> dict[UUID, PartyView]:
    ids = {one for order in orders for one in (order.buyer_id, order.supplier_id)}
    found = await accounts.public_organisations(session, ids)
    return {row.id: PartyView(row.id, row.name) for row in found.values()}


async def listing(
    session: AsyncSession, actor: Actor, *, states: Sequence[str], role: str | None, page: Page
) -> OrderPage:
    """Own orders on either side, newest first unless `sort` says otherwise."""
    found = await queries.order_page(
        session, actor.organisation_id, states=states, role=role, page=page
    )
    shown, next_cursor = page.cut(found)
    names = await parties(session, shown)
    totals = await queries.totals(session, [order.id for order in shown])
    items = [
        OrderRow(
            id=order.id,
            number=order.number,
            title=order.title,
            state=order.state,
            buyer=names[order.buyer_id],
            supplier=names[order.supplier_id],
            total=money(order, totals.get(order.id, order.lump_minor or 0)),
            created_at=order.created_at,
            due_at=order.due_at,
            escalated=order.escalated_at is not None,
        )
        for order in shown
    ]
    return OrderPage(items, next_cursor)


async def show(session: AsyncSession, actor: Actor, order_id: UUID, now: datetime) -> OrderView:
    """Raises NotFound."""
    order = await visible(session, actor, order_id)
    names = await parties(session, [order])
    lines = await queries.lines(session, order_id)
    references = await queries.references(session, order_id)
    total = order.lump_minor
    if total is None:
        total = sum(line.value_minor for line in lines)
    survey = await queries.survey(session, order_id)
    return OrderView(
        id=order.id,
        number=order.number,
        title=order.title,
        state=order.state,
        origin=order.origin,
        origin_id=order.origin_id,
        buyer=names[order.buyer_id],
        supplier=names[order.supplier_id],
        currency=order.currency,
        total=money(order, total),
        lines=[_line(order, line, references.get(line.position)) for line in lines],
        deliveries=[delivery(row) for row in await queries.deliveries(session, order_id)],
        delivery=order.delivery,
        note=order.note,
        reason=order.reason,
        approver_id=order.approver_id,
        responsible_id=order.responsible_id,
        due_at=order.due_at,
        created_at=order.created_at,
        ordered_at=order.ordered_at,
        accepted_at=order.accepted_at,
        escalated_at=order.escalated_at,
        next=await next_action(session, actor, order, now),
        claims=[claim(actor, row, now) for row in await queries.claims(session, order_id)],
        survey=survey_view(order, survey) if side(actor, order) == "buyer" else None,
    )


def money(order: Order, minor: int) -> Amount:
    return Money(minor, order.currency).wire()


def price(order: Order, exact: Decimal | None) -> Amount | None:
    """With all its decimals."""
    if exact is None:
        return None
    return Amount(rules.price_text(exact, exponent_of(order.currency)), order.currency)


def _line(order: Order, line: Line, reference: Decimal | None) -> LineView:
    return LineView(
        position=line.position,
        item_id=line.item_id,
        sku=line.sku,
        name=line.name,
        quantity=rules.plain(line.quantity),
        unit=line.unit,
        price=price(order, line.price),
        price_unit=rules.plain(line.price_unit),
        value=None if line.price is None else money(order, line.value_minor),
        delivered=rules.plain(line.delivered),
        list_price=price(order, line.list_price),
        reference=price(order, reference),
    )


def delivery(row: Delivery) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        number=row.number,
        carrier=row.carrier,
        tracking=row.tracking,
        note=row.note,
        shipped_at=row.shipped_at,
        lines=[
            DeliveredLine(position=line["position"], quantity=line["quantity"])
            for line in row.lines
        ],
    )


def claim(actor: Actor, row: Claim, now: datetime) -> ClaimView:
    return ClaimView(
        id=row.id,
        order_id=row.order_id,
        number=row.number,
        kind=row.kind,
        severity_bp=row.severity_bp,
        description=row.description,
        position=row.position,
        state=row.state,
        answer=row.answer,
        created_at=row.created_at,
        decided_at=row.decided_at,
        events=CLAIM.events(row.state, moved_by(actor, now, row).capacities),
    )


def survey_view(order: Order, row: Survey | None) -> SurveyView | None:
    if order.accepted_at is None:
        return None
    until = order.accepted_at + timedelta(days=rules.SURVEY_DAYS)
    return SurveyView(until=until, stars=row.stars if row else None)


async def next_action(
    session: AsyncSession, actor: Actor, order: Order, now: datetime
) -> NextAction | None:
    """What everybody waits for: an open claim first, then the order itself."""
    for row in await queries.claims(session, order.id):
        if row.state in rules.CLAIM_NEXT:
            whose, text = rules.CLAIM_NEXT[row.state]
            events = CLAIM.events(row.state, moved_by(actor, now, row).capacities)
            return await _next(session, "claim", row.id, whose, text, events, now)
    if order.state not in rules.NEXT:
        return None
    whose, text = rules.NEXT[order.state]
    if order.state == "placed" and order.origin == "request":
        text = rules.ASKED_PRICES
    events = ORDER.events(order.state, moved_by(actor, now, order).capacities)
    return await _next(session, "order", order.id, whose, text, events, now)


async def _next(
    session: AsyncSession,
    workflow: str,
    subject_id: UUID,
    whose: str,
    text: str,
    events: list[str],
    now: datetime,
) -> NextAction:
    due = await queries.deadline(session, workflow, subject_id)
    due_at = due.due_at if due else None
    overdue = due_at is not None and due_at - now < LATE
    return NextAction(whose=whose, text=text, due_at=due_at, overdue=overdue, events=events)
