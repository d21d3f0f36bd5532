"""The one writer of the ledger.

An entry is a list of transfers, so it sums to zero by construction; a deferred trigger says so
again at the commit. An entry is written once by its `once`, however often it is posted. Accounts
that must not fall below their floor carry a running balance which is moved by a conditional update:
two requests that both saw enough money cannot both take it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import Conflict
from marketplace.kernel.ids import new_id
from marketplace.kernel.scope import as_house

POINTS = "points"
"""The asset that is no currency."""
GUARDED = frozenset(["fund_available", "fund_reserved", "points"])
"""Kinds of account that must not fall below zero by what people ask for."""
TRANSFERS_MAX = 100
"""In one entry; the largest that is known, a final claim of a fund, has three."""

_SPACE = UUID("5a6ff2a5-6f2e-4b1e-9d5e-0d7c2c1b7a10")

# One statement a batch: a round trip costs more than all the rows of an entry.
_INSERT = text(
    """WITH account AS (
        INSERT INTO ledger_accounts (id, owner_id, kind, asset, ref, balance, floor)
        SELECT id, owner_id, kind, asset, ref,
            CASE WHEN guarded THEN 0 END, CASE WHEN guarded THEN 0 END
        FROM unnest(CAST(:account_ids AS uuid[]), CAST(:owners AS uuid[]),
            CAST(:account_kinds AS text[]), CAST(:account_assets AS text[]),
            CAST(:refs AS text[]), CAST(:guarded AS boolean[]))
            a (id, owner_id, kind, asset, ref, guarded)
        ON CONFLICT DO NOTHING
    ), entry AS (
        INSERT INTO ledger_entries (id, at, source_kind, source_id, rule_kind, rule_version,
            rule_text, once, reverses, parties)
        SELECT id, at, source_kind, source_id, rule_kind, rule_version, rule_text, once, reverses,
            CAST(parties AS uuid[])
        FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]),
            CAST(:source_kinds AS text[]), CAST(:source_ids AS text[]),
            CAST(:rule_kinds AS text[]), CAST(:rule_versions AS integer[]),
            CAST(:rule_texts AS text[]), CAST(:onces AS text[]), CAST(:reverses AS uuid[]),
            CAST(:parties AS text[]))
            WITH ORDINALITY e (id, at, source_kind, source_id, rule_kind, rule_version, rule_text,
                once, reverses, parties, place)
        ORDER BY place
        ON CONFLICT (once) DO NOTHING RETURNING id
    ), posting AS (
        INSERT INTO ledger_postings (entry_id, position, account_id, asset, amount)
        SELECT entry.id, p.position, p.account_id, p.asset, p.amount
        FROM entry JOIN unnest(CAST(:entry_ids AS uuid[]), CAST(:positions AS smallint[]),
            CAST(:posted_ids AS uuid[]), CAST(:posted_assets AS text[]),
            CAST(:amounts AS bigint[])) p (entry_id, position, account_id, asset, amount)
            ON p.entry_id = entry.id
    )
    SELECT id FROM entry"""
)
_MOVE = text(
    "UPDATE ledger_accounts SET balance = balance + :change WHERE id = :id"
    " AND (:forced OR CAST(:change AS bigint) >= 0 OR balance + :change >= floor) RETURNING id"
)


class Account(msgspec.Struct, frozen=True):
    """Which account; it is made by its first posting. Without an owner it is the operator's."""

    owner_id: UUID | None
    kind: str
    asset: str
    ref: str = ""

    @property
    def id(self) -> UUID:
        """Follows from what the account is, so nobody has to look it up before posting."""
        return uuid5(_SPACE, f"{self.owner_id}\n{self.kind}\n{self.asset}\n{self.ref}")


class Transfer(msgspec.Struct, frozen=True):
    """`amount` minor units, above zero, out of one account into another of the same asset."""

    out_of: Account
    into: Account
    amount: int

    @classmethod
    def signed(cls, out_of: Account, into: Account, amount: int) -> Transfer:
        """The other way round when `amount` is negative."""
        if amount < 0:
            return cls(into, out_of, -amount)
        return cls(out_of, into, amount)


class Source(msgspec.Struct, frozen=True):
    """What an entry comes from: `order` and its id, `payout` and its id."""

    kind: str
    id: str


class Rule(msgspec.Struct, frozen=True):
    """Why an amount is what it is: the kind of rule, its version, and its words for people."""

    kind: str
    version: int
    text: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """once      names what happened; a second entry with it is not written
    parties   organisations that may read it, beside the operator
    reverses  the entry whose effect this one takes back, in part or whole
    forced    may bring a guarded account below its floor: a debt that everybody sees
    """

    at: datetime
    source: Source
    rule: Rule
    once: str
    parties: Sequence[UUID]
    transfers: Sequence[Transfer]
    reverses: UUID | None = None
    forced: bool = False
    id: UUID = msgspec.field(default_factory=new_id)


async def post(session: AsyncSession, entry: Entry) -> bool:
    """Write the entry; False when its `once` was written before. Works in any scope: the caller has
    settled who may.

    Raises Conflict (`insufficient_funds`), and has then written nothing.
    """
    moves = _guarded_moves(entry)
    async with as_house(session):
        if not moves:
            return entry.id in await _insert(session, [entry])
        async with session.begin_nested():
            if entry.id not in await _insert(session, [entry]):
                return False
            # In one order everywhere: two entries over the same accounts never deadlock.
            for account_id in sorted(moves):
                values = {"id": account_id, "change": moves[account_id], "forced": entry.forced}
                moved = await session.execute(_MOVE, values)
                if moved.first() is None:
                    raise Conflict("insufficient_funds", "There is not enough on the account.")
    return True


async def post_all(session: AsyncSession, entries: Sequence[Entry]) -> Collection[UUID]:
    """Many entries over accounts without a floor in one statement; the ids of those that were not
    written before.
    """
    assert not any(_guarded_moves(entry) for entry in entries), "guarded accounts go one by one"
    if not entries:
        return frozenset()
    async with as_house(session):
        return await _insert(session, entries)


def _guarded_moves(entry: Entry) -> dict[UUID, int]:
    """What the entry changes on each account with a floor."""
    moves: dict[UUID, int] = {}
    for transfer in entry.transfers:
        for account, amount in _legs(transfer):
            if account.kind in GUARDED:
                moves[account.id] = moves.get(account.id, 0) + amount
    return {account_id: change for account_id, change in moves.items() if change}


def _legs(transfer: Transfer) -> tuple[tuple[Account, int], tuple[Account, int]]:
    return (transfer.out_of, -transfer.amount), (transfer.into, transfer.amount)


async def _insert(session: AsyncSession, entries: Sequence[Entry]) -> frozenset[UUID]:
    accounts: dict[UUID, Account] = {}
    postings: list[tuple[UUID, int, UUID, str, int]] = []
    for entry in entries:
        assert 0 < len(entry.transfers) <= TRANSFERS_MAX, "an entry moves something"
        for number, transfer in enumerate(entry.transfers):
            assert transfer.amount > 0, "a transfer moves something"
            assert transfer.out_of.asset == transfer.into.asset, "assets are never exchanged"
            for side, (account, amount) in enumerate(_legs(transfer)):
                accounts[account.id] = account
                place = 2 * number + side
                postings.append((entry.id, place, account.id, account.asset, amount))
    ids = sorted(accounts)
    written = await session.execute(
        _INSERT,
        {
            "account_ids": ids,
            "owners": [accounts[id_].owner_id for id_ in ids],
            "account_kinds": [accounts[id_].kind for id_ in ids],
            "account_assets": [accounts[id_].asset for id_ in ids],
            "refs": [accounts[id_].ref for id_ in ids],
            "guarded": [accounts[id_].kind in GUARDED for id_ in ids],
            "ids": [entry.id for entry in entries],
            "ats": [entry.at for entry in entries],
            "source_kinds": [entry.source.kind for entry in entries],
            "source_ids": [entry.source.id for entry in entries],
            "rule_kinds": [entry.rule.kind for entry in entries],
            "rule_versions": [entry.rule.version for entry in entries],
            "rule_texts": [entry.rule.text for entry in entries],
            "onces": [entry.once for entry in entries],
            "reverses": [entry.reverses for entry in entries],
            "parties": [_array(entry.parties) for entry in entries],
            "entry_ids": [posting[0] for posting in postings],
            "positions": [posting[1] for posting in postings],
            "posted_ids": [posting[2] for posting in postings],
            "posted_assets": [posting[3] for posting in postings],
            "amounts": [posting[4] for posting in postings],
        },
    )
    return frozenset(written.scalars())


def _array(ids: Sequence[UUID]) -> str:
    """As PostgreSQL writes an array: a list of lists would have to be rectangular."""
    return "{" + ",".join(str(id_) for id_ in ids) + "}"
