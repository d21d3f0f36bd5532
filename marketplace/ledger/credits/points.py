"""Points as accounts of the ledger: pending until their period is closed, then in lots.

    operator ── earn ──▶ pending ── close ──▶ points ── redeem ──▶ spent
        ▲──── expiry ──────────────────────────┘ ▲──── cancel ──────┘

Everything here works in any scope: the caller has settled who may.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import Conflict
from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from marketplace.ledger import queries
from marketplace.ledger.credits import purses
from marketplace.ledger.credits.purses import Purse
from marketplace.ledger.models import Accrual
from marketplace.ledger.posting import POINTS, Account, Entry, Rule, Source, Transfer, post

KIND = "points"
CLOSING = Rule("point_period", 1, "The period was closed: the points may be spent")
REDEEMING = Rule("redemption", 1, "Points for a prize")
CANCELLING = Rule("redemption", 1, "The prize was cancelled: the same points come back")


class Earning(msgspec.Struct, frozen=True, kw_only=True):
    """Whole points; `expires_at` None: they stay."""

    once: str
    points: int
    source: Source
    rule: Rule
    at: datetime
    expires_at: datetime | None = None


def purse_of(partner_id: UUID) -> Purse:
    return Purse(
        account=Account(partner_id, "points", POINTS), operator=Account(None, "expense", POINTS)
    )


def pending_of(partner_id: UUID) -> Account:
    return Account(partner_id, "points_pending", POINTS)


def spent_of(partner_id: UUID) -> Account:
    return Account(partner_id, "points_spent", POINTS)


async def earn(session: AsyncSession, partner_id: UUID, new: Earning) -> UUID | None:
    """The accrual's id; None when they were earned before."""
    entry = Entry(
        at=new.at,
        source=new.source,
        rule=new.rule,
        once=new.once,
        parties=[partner_id],
        transfers=[Transfer(purse_of(partner_id).operator, pending_of(partner_id), new.points)],
    )
    async with as_house(session):
        if not await post(session, entry):
            return None
        accrual = Accrual(
            id=new_id(),
            entry_id=entry.id,
            beneficiary_id=partner_id,
            kind=KIND,
            asset=POINTS,
            amount=new.points,
            payable=False,
            source_kind=new.source.kind,
            source_id=new.source.id,
            at=new.at,
            due_at=new.at,
            expires_at=new.expires_at,
        )
        session.add(accrual)
    return accrual.id


async def release(session: AsyncSession, until: datetime, now: datetime, limit: int) -> int:
    """Points earned before `until` become available; how many accruals. At most `limit` at once,
    the oldest first; idempotent.
    """
    async with as_house(session):
        pending = await queries.pending_points(session, until, limit)
        for accrual, left in pending:
            await _release(session, accrual, left, now)
    return len(pending)


async def _release(session: AsyncSession, accrual: Accrual, left: int, now: datetime) -> None:
    purse = purse_of(accrual.beneficiary_id)
    await purses.expire(session, purse, now)
    before = await purses.balance(session, purse)
    entry = Entry(
        at=now,
        source=Source(accrual.source_kind, accrual.source_id),
        rule=CLOSING,
        once=f"points available {accrual.id}",
        parties=[accrual.beneficiary_id],
        transfers=[Transfer(pending_of(accrual.beneficiary_id), purse.account, left)],
    )
    if await post(session, entry):
        await purses.fill(
            session,
            purse,
            source=str(accrual.id),
            amount=left,
            debt=max(0, -before),
            expires_at=accrual.expires_at,
            at=now,
        )


async def reverse(
    session: AsyncSession, accrual: Accrual, change: int, once: str, reason: str, at: datetime
) -> None:
    """What is left of an earning changes by `change`. Pending points vanish; of available ones the
    same lot goes first, then the others, and the rest is a debt.
    """
    async with as_house(session):
        purse = purse_of(accrual.beneficiary_id)
        await purses.expire(session, purse, at)
        before = await purses.balance(session, purse)
        released = await queries.lot_exists(session, purse.account.id, str(accrual.id))
        account = purse.account if released else pending_of(accrual.beneficiary_id)
        origin = await queries.entry(session, accrual.entry_id)
        assert origin is not None, "an accrual is an entry"
        entry = Entry(
            at=at,
            source=Source(accrual.source_kind, accrual.source_id),
            rule=Rule(origin.rule_kind, origin.rule_version, f"{reason}: {origin.rule_text}"),
            once=once,
            parties=[accrual.beneficiary_id],
            transfers=[Transfer.signed(purse.operator, account, change)],
            reverses=origin.id,
            forced=True,
        )
        if not await post(session, entry):
            return
        if released and change < 0:
            await purses.draw_back(session, purse, str(accrual.id), -change)
        elif released:
            await purses.fill(
                session,
                purse,
                source=str(entry.id),
                amount=change,
                debt=max(0, -before),
                expires_at=accrual.expires_at,
                at=at,
            )
        session.add(queries.reversal_of(accrual, entry, change))


async def redeem(
    session: AsyncSession, partner_id: UUID, use: str, source: Source, points: int, at: datetime
) -> None:
    """Points are taken for a prize. Raises Conflict (`insufficient_points`)."""
    purse = purse_of(partner_id)
    async with as_house(session):
        await purses.expire(session, purse, at)
        entry = Entry(
            at=at,
            source=source,
            rule=REDEEMING,
            once=use,
            parties=[partner_id],
            transfers=[Transfer(purse.account, spent_of(partner_id), points)],
        )
        try:
            posted = await post(session, entry)
        except Conflict as refusal:
            raise Conflict("insufficient_points", "You do not have enough points.") from refusal
        if posted:
            await purses.draw(session, purse, points, use)


async def cancel(
    session: AsyncSession, partner_id: UUID, use: str, source: Source, points: int, at: datetime
) -> None:
    """The same lots get the same points back; what has expired meanwhile expires at once."""
    purse = purse_of(partner_id)
    async with as_house(session):
        await purses.expire(session, purse, at)
        before = await purses.balance(session, purse)
        returned = await purses.plan_return(session, use, max(0, -before), at)
        transfers = [Transfer(spent_of(partner_id), purse.account, points)]
        if returned.expired:
            transfers.append(Transfer(purse.account, purse.operator, returned.expired))
        entry = Entry(
            at=at,
            source=source,
            rule=CANCELLING,
            once=f"{use} cancelled",
            parties=[partner_id],
            transfers=transfers,
        )
        if await post(session, entry):
            await purses.put_back(session, use, returned)
