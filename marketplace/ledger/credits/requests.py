"""Fund requests: reserved at once, approved, claimed in parts, settled or released."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.service.separation import with_sponsors
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import Mover, house, move, mover
from marketplace.ledger.credits import funds
from marketplace.ledger.credits.funds import Reservation
from marketplace.ledger.credits.life import FUND_REQUEST, RELEASING
from marketplace.ledger.credits.models import FundClaim, FundRequest
from marketplace.ledger.models import Fund
from marketplace.ledger.posting import Rule, Source

CLAIMS_MAX = 50
"""Of one request; more is a request of its own."""
RULE = Rule("fund_request", 1, "Money of the fund for an activity")


async def request(
    session: AsyncSession, actor: Actor, fund_id: UUID, amount: int, activity: str, now: datetime
) -> FundRequest:
    """The money is reserved at once. Raises NotFound, Forbidden, Invalid, Conflict
    (`insufficient_funds`).
    """
    if amount <= 0:
        raise Invalid.field("amount", "not_positive", "Ask for more than nothing.")
    fund = await session.get(Fund, fund_id)
    if fund is None or fund.partner_id != actor.organisation_id:
        raise NotFound("fund")
    async with as_house(session):
        row = FundRequest(
            id=new_id(),
            fund_id=fund.id,
            partner_id=fund.partner_id,
            author_id=actor.user_id,
            activity=activity,
            amount_minor=amount,
            left_minor=amount,
            state=FUND_REQUEST.initial,
            created_at=now,
        )
        session.add(row)
        await session.flush()
        by = _mover(actor, row, now)
        await move(session, FUND_REQUEST, row, "request", by, parties=[row.partner_id])
        await funds.reserve(session, fund, _reservation(row), amount, now)
    return row


async def act(
    session: AsyncSession,
    actor: Actor,
    request_id: UUID,
    event: str,
    reason: str | None,
    now: datetime,
) -> None:
    """`approve`, `reject` or `withdraw`. Raises NotFound, Forbidden, Conflict."""
    await _seen(session, request_id)
    async with as_house(session):
        row = await _locked(session, request_id)
        by = _mover(actor, row, now, reason)
        if event in FUND_REQUEST.not_by_author:
            by = await with_sponsors(session, by, "channel_manager", "admin")
        await _step(session, row, event, by)


async def fire(session: AsyncSession, request_id: UUID, event: str, now: datetime) -> None:
    """What is due, by the worker (system scope)."""
    row = await _locked(session, request_id)
    await _step(session, row, event, house(now, "Nothing happened in time"))


async def claim(
    session: AsyncSession,
    actor: Actor,
    request_id: UUID,
    amount: int,
    now: datetime,
    *,
    final: bool = True,
) -> int:
    """What was spent; its number. Raises NotFound, Forbidden, Invalid, Conflict (`not_open`,
    `exceeds_reservation`).
    """
    if amount <= 0:
        raise Invalid.field("amount", "not_positive", "Claim more than nothing.")
    seen = await _seen(session, request_id)
    if seen.partner_id != actor.organisation_id:
        raise NotFound("fund request")
    actor.require_role("partner_manager", "admin")
    async with as_house(session):
        row = await _locked(session, request_id)
        if row.state != "approved":
            raise Conflict("not_open", f"A request that is {row.state} takes no claims.")
        filed, count = await _filed(session, request_id)
        if count >= CLAIMS_MAX:
            raise Conflict("too_many_claims", f"At most {CLAIMS_MAX} claims for a request.")
        if amount > row.left_minor - filed:
            raise Conflict("exceeds_reservation", "More than is reserved for this request.")
        session.add(
            FundClaim(
                request_id=request_id,
                number=count + 1,
                amount_minor=amount,
                final=final,
                state="filed",
                author_id=actor.user_id,
                created_at=now,
            )
        )
    return count + 1


async def settle(
    session: AsyncSession, actor: Actor, request_id: UUID, number: int, now: datetime
) -> None:
    """The claim is paid; after the final one the rest is released. Raises NotFound, Forbidden,
    Conflict.
    """
    await _seen(session, request_id)
    async with as_house(session):
        row = await _locked(session, request_id)
        by = _mover(actor, row, now)
        FUND_REQUEST.choose(row, "settle", by)
        filed = await session.get(FundClaim, (request_id, number))
        if filed is None:
            raise NotFound("claim")
        if filed.state != "filed":
            raise Conflict("not_open", f"This claim is {filed.state}.")
        filed.state = "settled"
        row.left_minor -= filed.amount_minor
        released = row.left_minor if filed.final else 0
        fund = await session.get(Fund, row.fund_id)
        assert fund is not None, "the foreign key says so"
        await funds.settle(
            session,
            fund,
            _reservation(row),
            f"fund request {row.id} claim {number}",
            spent=filed.amount_minor,
            released=released,
            at=now,
        )
        if filed.final:
            row.left_minor = 0
            await move(session, FUND_REQUEST, row, "settle", by, parties=[row.partner_id])


async def _step(session: AsyncSession, row: FundRequest, event: str, by: Mover) -> None:
    await move(session, FUND_REQUEST, row, event, by, parties=[row.partner_id])
    if by.reason:
        row.reason = by.reason
    if event not in RELEASING:
        return
    released, row.left_minor = row.left_minor, 0
    fund = await session.get(Fund, row.fund_id)
    assert fund is not None, "the foreign key says so"
    once = f"fund request {row.id} {event}"
    await funds.settle(
        session, fund, _reservation(row), once, spent=0, released=released, at=by.now
    )


def _reservation(row: FundRequest) -> Reservation:
    return Reservation(
        use=f"fund request {row.id}", source=Source("fund_request", str(row.id)), rule=RULE
    )


def _mover(actor: Actor, row: FundRequest, now: datetime, reason: str | None = None) -> Mover:
    operator = actor.organisation_id if actor.operator else None
    return mover(actor, now, reason, partner=row.partner_id, operator=operator)


async def _seen(session: AsyncSession, request_id: UUID) -> FundRequest:
    """Raises NotFound for what the caller may not see."""
    row = await session.get(FundRequest, request_id)
    if row is None:
        raise NotFound("fund request")
    return row


async def _locked(session: AsyncSession, request_id: UUID) -> FundRequest:
    statement = select(FundRequest).where(FundRequest.id == request_id).with_for_update()
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return found.one()


async def _filed(session: AsyncSession, request_id: UUID) -> tuple[int, int]:
    """(sum of the claims that wait, number of all)."""
    waiting = func.sum(FundClaim.amount_minor).filter(FundClaim.state == "filed")
    statement = select(waiting, func.count()).where(FundClaim.request_id == request_id)
    row = (await session.execute(statement)).one()
    return int(row[0] or 0), row[1]
