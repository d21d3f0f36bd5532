"""Prizes: points for things in stock, and back again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from marketplace.ledger.credits import points
from marketplace.ledger.credits.models import Prize, Redemption
from marketplace.ledger.posting import Source


async def add_prize(
    session: AsyncSession, title: str, cost: int, stock: int, now: datetime
) -> UUID:
    """By the operator."""
    prize = Prize(id=new_id(), title=title, cost=cost, stock=stock, created_at=now)
    async with as_house(session):
        session.add(prize)
    return prize.id


async def redeem(
    session: AsyncSession, actor: Actor, prize_id: UUID, quantity: int, now: datetime
) -> UUID:
    """The prize leaves the stock and the points their lots, or neither. Raises NotFound, Invalid,
    Conflict (`out_of_stock`, `insufficient_points`).
    """
    if quantity <= 0:
        raise Invalid.field("quantity", "not_positive", "Take one at least.")
    async with as_house(session):
        prize = await session.get(Prize, prize_id)
        if prize is None:
            raise NotFound("prize")
        # Conditional: of two buyers of the last one, one finds no row.
        taken = await session.execute(
            update(Prize)
            .where(Prize.id == prize_id, Prize.stock >= quantity)
            .values(stock=Prize.stock - quantity)
            .returning(Prize.cost)
            .execution_options(synchronize_session=False)
        )
        cost = taken.scalar_one_or_none()
        if cost is None:
            raise Conflict("out_of_stock", "There are not so many left.")
        row = Redemption(
            id=new_id(),
            partner_id=actor.organisation_id,
            prize_id=prize_id,
            author_id=actor.user_id,
            quantity=quantity,
            points=cost * quantity,
            state="ordered",
            created_at=now,
        )
        session.add(row)
        await session.flush()
        await points.redeem(session, row.partner_id, _use(row), _source(row), row.points, now)
    return row.id


async def cancel(session: AsyncSession, actor: Actor, redemption_id: UUID, now: datetime) -> None:
    """The same lots get the same points back. Raises NotFound, Conflict (`not_open`)."""
    if await session.get(Redemption, redemption_id) is None:
        raise NotFound("redemption")
    async with as_house(session):
        statement = select(Redemption).where(Redemption.id == redemption_id).with_for_update()
        found = await session.scalars(statement.execution_options(populate_existing=True))
        row = found.one()
        if row.state != "ordered":
            raise Conflict("not_open", f"A redemption that is {row.state} cannot be cancelled.")
        row.state = "cancelled"
        await session.execute(
            update(Prize)
            .where(Prize.id == row.prize_id)
            .values(stock=Prize.stock + row.quantity)
            .execution_options(synchronize_session=False)
        )
        await points.cancel(session, row.partner_id, _use(row), _source(row), row.points, now)


def _use(row: Redemption) -> str:
    return f"redemption {row.id}"


def _source(row: Redemption) -> Source:
    return Source("redemption", str(row.id))
