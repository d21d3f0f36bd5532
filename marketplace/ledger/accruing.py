"""What somebody earns, and what is taken back of it. Each accrual is one entry of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.exchange.announcing import announce
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import exponent_of, format_minor
from marketplace.kernel.scope import as_house
from marketplace.ledger import queries, rules
from marketplace.ledger.models import Accrual
from marketplace.ledger.posting import Account, Entry, Rule, Source, Transfer, post


class NewAccrual(msgspec.Struct, frozen=True, kw_only=True):
    """once       names what happened: the same is accrued once
    kind       `commission`, `cpa`, `plan`, `work` and so on
    amount     minor units of `currency`, not zero; negative is a charge
    hold_days  from `at` on, until it is paid out
    """

    once: str
    kind: str
    beneficiary_id: UUID
    currency: str
    amount: int
    source: Source
    rule: Rule
    at: datetime
    hold_days: int = 0


async def accrue(session: AsyncSession, new: NewAccrual) -> UUID | None:
    """Money that the operator owes the beneficiary from now on; the accrual's id, or None when it
    was accrued before. Works in any scope.
    """
    due_at = rules.due_after(new.at, new.hold_days)
    accrual = Accrual(
        id=new_id(),
        beneficiary_id=new.beneficiary_id,
        kind=new.kind,
        asset=new.currency,
        amount=new.amount,
        payable=True,
        source_kind=new.source.kind,
        source_id=new.source.id,
        at=new.at,
        due_at=due_at,
    )
    return await _write(session, accrual, new.rule, new.once)


async def reverse(
    session: AsyncSession, accrual: Accrual, change: int, once: str, reason: str, at: datetime
) -> UUID | None:
    """Another accrual that changes what is left of `accrual` by `change`. The caller holds the
    accrual FOR UPDATE. Works in any scope.
    """
    reversal = Accrual(
        id=new_id(),
        beneficiary_id=accrual.beneficiary_id,
        kind=accrual.kind,
        asset=accrual.asset,
        amount=change,
        payable=True,
        source_kind=accrual.source_kind,
        source_id=accrual.source_id,
        at=at,
        due_at=rules.due_of_reversal(accrual.due_at, paid_out=accrual.payout_id is not None, at=at),
        reverses=accrual.id,
    )
    async with as_house(session):
        entry = await queries.entry(session, accrual.entry_id)
    assert entry is not None, "an accrual is an entry"
    rule = Rule(entry.rule_kind, entry.rule_version, f"{reason}: {entry.rule_text}")
    return await _write(session, reversal, rule, once, reverses=entry.id)


async def _write(
    session: AsyncSession, accrual: Accrual, rule: Rule, once: str, reverses: UUID | None = None
) -> UUID | None:
    entry = Entry(
        at=accrual.at,
        source=Source(accrual.source_kind, accrual.source_id),
        rule=rule,
        once=once,
        parties=[accrual.beneficiary_id],
        transfers=money(accrual.beneficiary_id, accrual.asset, accrual.amount),
        reverses=reverses,
    )
    async with as_house(session):
        if not await post(session, entry):
            return None
        accrual.entry_id = entry.id
        session.add(accrual)
        await _announce(session, accrual)
    return accrual.id


async def _announce(session: AsyncSession, accrual: Accrual) -> None:
    exponent = exponent_of(accrual.asset)
    data = {
        "accrual_id": str(accrual.id),
        "kind": accrual.kind,
        "amount": format_minor(accrual.amount, exponent),
        "currency": accrual.asset,
        "source_kind": accrual.source_kind,
        "source_id": accrual.source_id,
        "due_at": accrual.due_at.isoformat(),
    }
    kind = "accrual.created" if accrual.reverses is None else "accrual.reversed"
    once = f"accrual {accrual.id}"
    await announce(session, accrual.beneficiary_id, kind, data, once, accrual.at)


def money(beneficiary_id: UUID, currency: str, amount: int) -> Sequence[Transfer]:
    """From the operator's expense to what it owes; the other way when negative."""
    expense = Account(None, "expense", currency)
    payable = Account(beneficiary_id, "payable", currency)
    return [Transfer.signed(expense, payable, amount)]
