"""Every SELECT of orders. What a session may see is said by row-level security."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.pages import Page, Sorting
from marketplace.kernel.workflow import WorkflowDeadline, WorkflowStep
from marketplace.orders.models import (
    Claim,
    Delivery,
    Line,
    Order,
    Reference,
    Survey,
    Watcher,
)

_NEXT_NUMBER = text(
    "INSERT INTO order_counters (buyer_id, last) VALUES (:buyer_id, 1)"
    " ON CONFLICT (buyer_id) DO UPDATE SET last = order_counters.last + 1 RETURNING last"
)
# What the buyer paid others for the same thing in the last year.
_PAID = text(
    """SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY l.price / l.price_unit)
    FROM order_lines l JOIN orders o ON o.id = l.order_id
    WHERE o.buyer_id = :buyer_id AND o.supplier_id <> :supplier_id AND o.currency = :currency
        AND l.item_id = :item_id AND l.unit = :unit AND l.price > 0
        AND o.ordered_at > :since
        AND o.state NOT IN ('declined', 'rejected', 'cancelled')"""
)
_REGULAR = text(
    """SELECT supplier_id, item_id, sku, unit, currency,
        (array_agg(name ORDER BY ordered_at DESC))[1] AS name,
        (array_agg(price ORDER BY ordered_at DESC))[1] AS price,
        (array_agg(price_unit ORDER BY ordered_at DESC))[1] AS price_unit,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY quantity) AS quantity,
        max(ordered_at) AS last_ordered_at,
        (max(ordered_at) - min(ordered_at)) / (count(*) - 1) AS every
    FROM (SELECT o.supplier_id, l.item_id, l.sku, l.unit, o.currency, l.name, l.price,
            l.price_unit, l.quantity, o.ordered_at
        FROM order_lines l JOIN orders o ON o.id = l.order_id
        WHERE o.buyer_id = :buyer_id AND o.ordered_at > :since AND l.price IS NOT NULL
            AND (l.item_id IS NOT NULL OR l.sku IS NOT NULL)
            AND o.state NOT IN ('declined', 'rejected', 'cancelled')) x
    GROUP BY supplier_id, item_id, sku, unit, currency
    HAVING count(*) >= :times AND max(ordered_at) > min(ordered_at)
    ORDER BY max(ordered_at) + (max(ordered_at) - min(ordered_at)) / (count(*) - 1),
        supplier_id, item_id, sku, unit, currency
    LIMIT :limit"""
)


async def next_number(session: AsyncSession, buyer_id: UUID) -> int:
    """The buyer's next order number, without gaps. In the system scope."""
    return int((await session.execute(_NEXT_NUMBER, {"buyer_id": buyer_id})).scalar_one())


async def order(session: AsyncSession, order_id: UUID, *, lock: bool = False) -> Order | None:
    statement = select(Order).where(Order.id == order_id)
    if lock:
        # The caller's view of it may be older than the lock.
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def order_of_origin(session: AsyncSession, origin: str, origin_id: UUID) -> Order | None:
    statement = select(Order).where(Order.origin == origin, Order.origin_id == origin_id)
    return (await session.scalars(statement)).first()


async def orders_of_origins(
    session: AsyncSession, origin: str, origin_ids: Collection[UUID]
) -> dict[UUID, UUID]:
    """Order by what it follows from, as far as the session may see."""
    statement = select(Order.origin_id, Order.id).where(
        Order.origin == origin, Order.origin_id.in_(origin_ids)
    )
    found = await session.execute(statement)
    return {origin_id: order_id for origin_id, order_id in found if origin_id is not None}


async def order_by_token(session: AsyncSession, token_hash: bytes) -> Order | None:
    statement = select(Order).where(Order.status_token_hash == token_hash)
    return (await session.scalars(statement)).first()


ORDERS = Sorting(
    Order.id, created_at=Order.id, number=Order.number, title=Order.title, state=Order.state
)
CLAIMS = Sorting(Claim.id, created_at=Claim.id, state=Claim.state, severity_bp=Claim.severity_bp)


async def order_page(
    session: AsyncSession,
    organisation_id: UUID,
    *,
    states: Sequence[str],
    role: str | None,
    page: Page,
) -> Sequence[Order]:
    """One more than the page holds when there are more."""
    statement = page.of(select(Order))
    sides = {"buyer": Order.buyer_id, "supplier": Order.supplier_id}
    wanted = [sides[role]] if role else list(sides.values())
    statement = statement.where(or_(*(side == organisation_id for side in wanted)))
    if states:
        statement = statement.where(Order.state.in_(states))
    return (await session.scalars(statement)).all()


async def lines(session: AsyncSession, order_id: UUID) -> Sequence[Line]:
    statement = select(Line).where(Line.order_id == order_id).order_by(Line.position)
    return (await session.scalars(statement)).all()


async def totals(session: AsyncSession, order_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Values of the lines together; orders under a lump price are missing."""
    statement = (
        select(Line.order_id, func.sum(Line.value_minor))
        .where(Line.order_id.in_(list(order_ids)), Line.price.is_not(None))
        .group_by(Line.order_id)
    )
    return {row[0]: int(row[1]) for row in await session.execute(statement)}


async def references(session: AsyncSession, order_id: UUID) -> dict[int, Decimal]:
    """Reference prices by position, as far as the session may see them."""
    statement = select(Reference).where(Reference.order_id == order_id)
    rows = (await session.scalars(statement)).all()
    return {row.position: row.reference for row in rows}


async def usually_paid(
    session: AsyncSession,
    buyer_id: UUID,
    supplier_id: UUID,
    item_id: UUID,
    unit: str,
    currency: str,
    since: datetime,
) -> float | None:
    """The median price of one unit, of all other suppliers; None when nothing is known.
    In the system scope.
    """
    values = {
        "buyer_id": buyer_id,
        "supplier_id": supplier_id,
        "item_id": item_id,
        "unit": unit,
        "currency": currency,
        "since": since,
    }
    found = await session.scalar(_PAID, values)
    return None if found is None else float(found)


async def regular(
    session: AsyncSession, buyer_id: UUID, since: datetime, times: int, limit: int
) -> Sequence[Any]:
    """What was ordered at least so many times, the most urgent first."""
    values = {"buyer_id": buyer_id, "since": since, "times": times, "limit": limit}
    return (await session.execute(_REGULAR, values)).all()


async def deliveries(session: AsyncSession, order_id: UUID) -> Sequence[Delivery]:
    statement = select(Delivery).where(Delivery.order_id == order_id).order_by(Delivery.number)
    return (await session.scalars(statement)).all()


async def claim(session: AsyncSession, claim_id: UUID, *, lock: bool = False) -> Claim | None:
    statement = select(Claim).where(Claim.id == claim_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def claims(session: AsyncSession, order_id: UUID) -> Sequence[Claim]:
    statement = select(Claim).where(Claim.order_id == order_id).order_by(Claim.number)
    return (await session.scalars(statement)).all()


_ESCALATED = (
    select(WorkflowStep.id)
    .where(
        WorkflowStep.workflow == "claim",
        WorkflowStep.subject_id == Claim.id,
        WorkflowStep.event == "escalate",
    )
    .exists()
)


async def escalated(session: AsyncSession, order_id: UUID) -> bool:
    """Whether a claim of this order ever came before the operator (system scope)."""
    statement = select(Claim.id).where(Claim.order_id == order_id, _ESCALATED).limit(1)
    return (await session.scalars(statement)).first() is not None


async def claim_page(
    session: AsyncSession,
    *,
    states: Sequence[str],
    page: Page,
    escalated_only: bool = False,
) -> Sequence[Claim]:
    """All that the session may see; `escalated_only` needs the system scope."""
    statement = page.of(select(Claim))
    if escalated_only:
        statement = statement.where(_ESCALATED)
    if states:
        statement = statement.where(Claim.state.in_(states))
    return (await session.scalars(statement)).all()


async def survey(session: AsyncSession, order_id: UUID) -> Survey | None:
    return (await session.scalars(select(Survey).where(Survey.order_id == order_id))).first()


async def watchers(session: AsyncSession, order_id: UUID) -> Sequence[UUID]:
    statement = select(Watcher.user_id).where(Watcher.order_id == order_id)
    return (await session.scalars(statement.order_by(Watcher.user_id))).all()


async def deadline(
    session: AsyncSession, workflow: str, subject_id: UUID
) -> WorkflowDeadline | None:
    statement = select(WorkflowDeadline).where(
        WorkflowDeadline.workflow == workflow, WorkflowDeadline.subject_id == subject_id
    )
    return (await session.scalars(statement)).first()


async def listed_units(session: AsyncSession, codes: Collection[str]) -> set[str]:
    """Those of the codes that stand in the operator's lists of units."""
    rows = await session.execute(
        text("SELECT code FROM units WHERE code = ANY(:codes)"), {"codes": list(codes)}
    )
    return set(rows.scalars())
