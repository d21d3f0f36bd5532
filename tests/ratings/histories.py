"""Invented pasts, told as the facts that orders publish."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.facts import Fact, Facts
from marketplace.kernel.ids import new_id
from marketplace.orders.facts import (
    ClaimUpheld,
    ClaimWithdrawn,
    OrderCompleted,
    OrderReopened,
    PaidLine,
    SurveyAnswered,
)
from ratings.service import events

SUMS = ("orders", "volume", "matured", "blemish", "priced", "excess", "months")


def now() -> datetime:
    return datetime.now(UTC)


def days_ago(days: float) -> datetime:
    return now() - timedelta(days=days)


def completed(buyer: UUID, supplier: UUID, age_days: float = 100, **changes: Any) -> OrderCompleted:
    """An order of 10,000.00 EUR at the reference price."""
    at = days_ago(age_days)
    fact = OrderCompleted(
        title="Order",
        order_id=new_id(),
        buyer_id=buyer,
        supplier_id=supplier,
        at=at,
        ordered_at=at - timedelta(days=10),
        currency="EUR",
        lines=(PaidLine(value_minor=1_000_000, paid_minor=100, reference_minor=100),),
    )
    return msgspec.structs.replace(fact, **changes)


def upheld(order: OrderCompleted, severity_bp: int = 10_000, **changes: Any) -> ClaimUpheld:
    fact = ClaimUpheld(
        order_id=order.order_id,
        buyer_id=order.buyer_id,
        supplier_id=order.supplier_id,
        at=now(),
        claim_id=new_id(),
        severity_bp=severity_bp,
    )
    return msgspec.structs.replace(fact, **changes)


def withdrawn(claim: ClaimUpheld) -> ClaimWithdrawn:
    return ClaimWithdrawn(
        order_id=claim.order_id,
        buyer_id=claim.buyer_id,
        supplier_id=claim.supplier_id,
        at=now(),
        claim_id=claim.claim_id,
    )


def reopened(order: OrderCompleted) -> OrderReopened:
    return OrderReopened(
        order_id=order.order_id,
        buyer_id=order.buyer_id,
        supplier_id=order.supplier_id,
        at=now(),
    )


async def tell(database: Database, *facts: Fact) -> None:
    """Each in a transaction of its own. Only ratings hear of it: the orders do not exist."""
    told = Facts()
    told.subscribe(OrderCompleted, events.order_completed)
    told.subscribe(OrderReopened, events.order_reopened)
    told.subscribe(ClaimUpheld, events.claim_upheld)
    told.subscribe(ClaimWithdrawn, events.claim_withdrawn)
    told.subscribe(SurveyAnswered, events.survey_answered)
    for fact in facts:
        async with database.transaction(SYSTEM) as session:
            await told.publish(session, fact)


def eventful(buyer: UUID, suppliers: list[UUID], seed: int, count: int) -> list[Fact]:
    """Orders, claims, withdrawals and reopenings in an order that makes sense."""
    chance = random.Random(seed)  # a repeatable history, no secret
    facts: list[Fact] = []
    orders: list[OrderCompleted] = []
    claims: list[ClaimUpheld] = []
    for _ in range(count):
        kind = chance.random()
        if kind < 0.6 or not orders:
            lines = tuple(
                PaidLine(
                    value_minor=chance.randrange(1, 10**7),
                    paid_minor=chance.randrange(50, 200),
                    reference_minor=chance.choice([None, 100]),
                )
                for _ in range(chance.randrange(1, 4))
            )
            order = completed(buyer, chance.choice(suppliers), chance.uniform(0, 900), lines=lines)
            orders.append(order)
            facts.append(order)
        elif kind < 0.8:
            claims.append(upheld(chance.choice(orders), chance.randrange(0, 10_001)))
            facts.append(claims[-1])
        elif kind < 0.9 and claims:
            facts.append(withdrawn(claims.pop(chance.randrange(len(claims)))))
        else:
            gone = orders.pop(chance.randrange(len(orders)))
            claims = [claim for claim in claims if claim.order_id != gone.order_id]
            facts.append(reopened(gone))
    return facts


async def kept(database: Database, buyer: UUID) -> dict[UUID, tuple[Any, ...]]:
    """Every kept sum of a buyer, by supplier."""
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            text(
                "SELECT supplier_id, orders, volume, matured, blemish, priced, excess,"
                " bit_count(months) FROM rating_sums WHERE buyer_id = :buyer"
            ),
            {"buyer": buyer},
        )
        return {row[0]: tuple(row[1:]) for row in rows}
