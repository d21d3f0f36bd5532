"""Marketing funds as accounts of the ledger: credit, reserve, settle, release, reverse.

    operator ── credit ──▶ available ── reserve ──▶ reserved ── settle ──▶ spent
        ▲──── expiry ──────────┘  ▲────── release ──────┘

Everything here works in any scope: the caller has settled who may.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house
from marketplace.ledger import queries
from marketplace.ledger.credits import purses
from marketplace.ledger.credits.purses import Purse
from marketplace.ledger.models import Accrual, Fund
from marketplace.ledger.posting import Account, Entry, Rule, Source, Transfer, post

KIND = "fund_credit"


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """Money for marketing; `expires_at` None: it stays."""

    once: str
    amount: int
    source: Source
    rule: Rule
    at: datetime
    expires_at: datetime | None = None


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What a fund request holds. `use` names the request in lots and entries."""

    use: str
    source: Source
    rule: Rule


def purse_of(fund: Fund) -> Purse:
    return Purse(
        account=_account(fund, "fund_available"),
        operator=Account(None, "expense", fund.currency),
    )


def reserved_of(fund: Fund) -> Account:
    return _account(fund, "fund_reserved")


def spent_of(fund: Fund) -> Account:
    return _account(fund, "fund_spent")


def _account(fund: Fund, kind: str) -> Account:
    return Account(fund.partner_id, kind, fund.currency, str(fund.id))


async def fund_of(session: AsyncSession, partner_id: UUID, currency: str, now: datetime) -> Fund:
    """The partner's fund in this currency, made when there is none."""
    async with as_house(session):
        return await queries.fund_of(session, new_id(), partner_id, currency, now)


async def credit(session: AsyncSession, fund: Fund, new: Credit) -> UUID | None:
    """The accrual's id; None when it was credited before."""
    purse = purse_of(fund)
    async with as_house(session):
        await purses.expire(session, purse, new.at)
        before = await purses.balance(session, purse)
        entry = Entry(
            at=new.at,
            source=new.source,
            rule=new.rule,
            once=new.once,
            parties=[fund.partner_id],
            transfers=[Transfer(purse.operator, purse.account, new.amount)],
        )
        if not await post(session, entry):
            return None
        accrual = Accrual(
            id=new_id(),
            entry_id=entry.id,
            beneficiary_id=fund.partner_id,
            kind=KIND,
            asset=fund.currency,
            amount=new.amount,
            payable=False,
            source_kind=new.source.kind,
            source_id=new.source.id,
            at=new.at,
            due_at=new.at,
            expires_at=new.expires_at,
        )
        session.add(accrual)
        await session.flush()
        await purses.fill(
            session,
            purse,
            source=str(accrual.id),
            amount=new.amount,
            debt=max(0, -before),
            expires_at=new.expires_at,
            at=new.at,
        )
    return accrual.id


async def reverse(
    session: AsyncSession, accrual: Accrual, change: int, once: str, reason: str, at: datetime
) -> None:
    """What is left of a credit changes by `change`. Money of the same lot goes first, then of the
    others; the rest is a debt. What is reserved or spent is never touched.
    """
    async with as_house(session):
        fund = await queries.fund_of(session, new_id(), accrual.beneficiary_id, accrual.asset, at)
        purse = purse_of(fund)
        await purses.expire(session, purse, at)
        before = await purses.balance(session, purse)
        origin = await queries.entry(session, accrual.entry_id)
        assert origin is not None, "an accrual is an entry"
        rule = Rule(origin.rule_kind, origin.rule_version, f"{reason}: {origin.rule_text}")
        entry = Entry(
            at=at,
            source=Source(accrual.source_kind, accrual.source_id),
            rule=rule,
            once=once,
            parties=[fund.partner_id],
            transfers=[Transfer.signed(purse.operator, purse.account, change)],
            reverses=origin.id,
            forced=True,
        )
        if not await post(session, entry):
            return
        if change < 0:
            await purses.draw_back(session, purse, str(accrual.id), -change)
        else:
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


async def reserve(
    session: AsyncSession, fund: Fund, held: Reservation, amount: int, at: datetime
) -> None:
    """Money is set aside. Raises Conflict (`insufficient_funds`)."""
    purse = purse_of(fund)
    async with as_house(session):
        await purses.expire(session, purse, at)
        entry = Entry(
            at=at,
            source=held.source,
            rule=held.rule,
            once=f"{held.use} reserved",
            parties=[fund.partner_id],
            transfers=[Transfer(purse.account, reserved_of(fund), amount)],
        )
        if await post(session, entry):
            await purses.draw(session, purse, amount, held.use)


async def settle(
    session: AsyncSession,
    fund: Fund,
    held: Reservation,
    once: str,
    *,
    spent: int,
    released: int,
    at: datetime,
) -> None:
    """So much of the reservation is spent, and so much, the whole rest, goes back; what has expired
    meanwhile goes on to the operator at once. Either may be 0.
    """
    purse = purse_of(fund)
    async with as_house(session):
        await purses.expire(session, purse, at)
        before = await purses.balance(session, purse)
        transfers = []
        if spent:
            await purses.spend(session, held.use, spent)
            transfers.append(Transfer(reserved_of(fund), spent_of(fund), spent))
        if released:
            returned = await purses.plan_return(session, held.use, max(0, -before), at)
            transfers.append(Transfer(reserved_of(fund), purse.account, released))
            if returned.expired:
                transfers.append(Transfer(purse.account, purse.operator, returned.expired))
            await purses.put_back(session, held.use, returned)
        if transfers:
            entry = Entry(
                at=at,
                source=held.source,
                rule=held.rule,
                once=once,
                parties=[fund.partner_id],
                transfers=transfers,
            )
            posted = await post(session, entry)
            assert posted, "the caller holds the request FOR UPDATE"
