"""A purse: one guarded account whose money or points lie in lots. Every operation locks the account
first, so the lots of a purse are changed by one transaction at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.ids import new_id
from marketplace.ledger.credits import lots
from marketplace.ledger.credits.lots import Lot, Part
from marketplace.ledger.posting import Account, Entry, Rule, Source, Transfer, post

EXPIRY = Rule("expiry", 1, "Not used before its last day")

_LOCK = text("SELECT balance FROM ledger_accounts WHERE id = :id FOR UPDATE")
_LOTS = text(
    "SELECT id, source, left_amount, expires_at FROM ledger_lots WHERE account_id = :id"
    " AND left_amount > 0 ORDER BY id"
)
_USED_LOTS = text(
    "SELECT l.id, l.source, l.left_amount, l.expires_at, u.amount FROM ledger_lot_uses u"
    " JOIN ledger_lots l ON l.id = u.lot_id WHERE u.use = :use AND u.amount > 0 ORDER BY l.id"
)
_ADD = text(
    "INSERT INTO ledger_lots (id, account_id, source, amount, left_amount, expires_at, created_at)"
    " VALUES (:id, :account_id, :source, :amount, :left_amount, :expires_at, :created_at)"
)
_CHANGE = text(
    "UPDATE ledger_lots l SET left_amount = left_amount + c.change"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:changes AS bigint[])) c (id, change)"
    " WHERE l.id = c.id"
)
_USE = text(
    "INSERT INTO ledger_lot_uses (lot_id, use, amount)"
    " SELECT id, :use, amount FROM unnest(CAST(:ids AS uuid[]), CAST(:amounts AS bigint[]))"
    " u (id, amount)"
)
_UNUSE = text(
    "UPDATE ledger_lot_uses u SET amount = u.amount - c.amount"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:amounts AS bigint[])) c (id, amount)"
    " WHERE u.use = :use AND u.lot_id = c.id"
)


class Purse(msgspec.Struct, frozen=True, kw_only=True):
    """account   what may be taken
    operator  where it comes from and where it goes when it expires
    """

    account: Account
    operator: Account

    @property
    def owner_id(self) -> UUID:
        assert self.account.owner_id is not None, "the operator has no purse"
        return self.account.owner_id


class Used(msgspec.Struct, frozen=True):
    lot: Lot
    amount: int


async def balance(session: AsyncSession, purse: Purse) -> int:
    """What is available; negative: a debt. Locks the purse until the transaction ends. In the
    system scope.
    """
    return await session.scalar(_LOCK, {"id": purse.account.id}) or 0


async def open_lots(session: AsyncSession, purse: Purse) -> list[Lot]:
    rows = await session.execute(_LOTS, {"id": purse.account.id})
    return [
        Lot(id=row.id, source=row.source, left=row.left_amount, expires_at=row.expires_at)
        for row in rows
    ]


async def expire(session: AsyncSession, purse: Purse, at: datetime) -> int:
    """What nobody used before its last day goes back to the operator; how much. Looked at before
    every other operation, so nothing waits for a job.
    """
    await balance(session, purse)
    over = [lot for lot in await open_lots(session, purse) if lots.is_expired(lot, at)]
    amount = sum(lot.left for lot in over)
    if not amount:
        return 0
    entry = Entry(
        at=at,
        source=Source("expiry", purse.account.ref or str(purse.owner_id)),
        rule=EXPIRY,
        once=f"expiry {max(lot.id for lot in over)} {at.isoformat()} {new_id()}",
        parties=[purse.owner_id],
        transfers=[Transfer(purse.account, purse.operator, amount)],
    )
    await post(session, entry)
    await change(session, [Part(lot.id, -lot.left) for lot in over])
    return amount


async def fill(
    session: AsyncSession,
    purse: Purse,
    *,
    source: str,
    amount: int,
    debt: int,
    expires_at: datetime | None,
    at: datetime,
) -> None:
    """A new lot for a credit that was posted; it first pays the debt there was."""
    await session.execute(
        _ADD,
        {
            "id": new_id(),
            "account_id": purse.account.id,
            "source": source,
            "amount": amount,
            "left_amount": amount - min(debt, amount),
            "expires_at": expires_at,
            "created_at": at,
        },
    )


async def draw(session: AsyncSession, purse: Purse, amount: int, use: str) -> None:
    """What was posted out of the purse is taken of its lots, remembered for `use`."""
    parts = lots.take(await open_lots(session, purse), amount)
    assert lots.total(parts) == amount, "the lots together are what is available"
    await change(session, [Part(part.lot_id, -part.amount) for part in parts])
    await _write_uses(session, _USE, use, parts)


async def draw_back(session: AsyncSession, purse: Purse, source: str, amount: int) -> None:
    """What a reversal posted out of the purse; what the lots do not hold is a debt."""
    parts = lots.take_back(await open_lots(session, purse), source, amount)
    await change(session, [Part(part.lot_id, -part.amount) for part in parts])


async def used(session: AsyncSession, use: str) -> list[Used]:
    """What is reserved or spent for `use`, in the order in which lots are taken."""
    rows = (await session.execute(_USED_LOTS, {"use": use})).all()
    found = {
        row.id: Used(
            Lot(id=row.id, source=row.source, left=row.left_amount, expires_at=row.expires_at),
            row.amount,
        )
        for row in rows
    }
    return [found[lot.id] for lot in lots.in_order(one.lot for one in found.values())]


async def spend(session: AsyncSession, use: str, amount: int) -> None:
    """So much of what was reserved for `use` is spent for good, what expires first first."""
    spent = lots.take(
        [
            Lot(id=one.lot.id, source="", left=one.amount, expires_at=one.lot.expires_at)
            for one in await used(session, use)
        ],
        amount,
    )
    await _write_uses(session, _UNUSE, use, spent)


async def plan_return(session: AsyncSession, use: str, debt: int, at: datetime) -> lots.Returned:
    """What a release of everything that is left for `use` would do."""
    taken = await used(session, use)
    uses = [Part(one.lot.id, one.amount) for one in taken]
    return lots.give_back([one.lot for one in taken], uses, debt, at)


async def put_back(session: AsyncSession, use: str, returned: lots.Returned) -> None:
    """Fill the lots again; nothing is left for `use`."""
    taken = [Part(one.lot.id, one.amount) for one in await used(session, use)]
    await change(session, returned.filled)
    await _write_uses(session, _UNUSE, use, taken)


async def change(session: AsyncSession, parts: Sequence[Part]) -> None:
    if parts:
        values = {
            "ids": [part.lot_id for part in parts],
            "changes": [part.amount for part in parts],
        }
        await session.execute(_CHANGE, values)


async def _write_uses(
    session: AsyncSession, statement: TextClause, use: str, parts: Sequence[Part]
) -> None:
    if parts:
        values = {
            "use": use,
            "ids": [part.lot_id for part in parts],
            "amounts": [part.amount for part in parts],
        }
        await session.execute(statement, values)
