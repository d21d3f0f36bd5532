"""What only the pages read: names to choose from and how far auctions are.

Both read in the scope of the house and give away nothing but what every member may know.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Uuid, bindparam, select, text

from marketplace.accounts.models import Organisation
from marketplace.kernel.clock import from_micros
from marketplace.kernel.db import SYSTEM, Database

SUPPLIERS_MAX = 500


class Choice(msgspec.Struct, frozen=True):
    """A supplier that can be invited."""

    id: UUID
    name: str
    country: str


class Progress(msgspec.Struct, frozen=True):
    """How far an auction is, as everybody who may see it may know."""

    status: str
    close_at: datetime | None


async def active_suppliers(database: Database) -> list[Choice]:
    """Approved suppliers by name, at most SUPPLIERS_MAX."""
    query = (
        select(Organisation.id, Organisation.name, Organisation.country)
        .where(Organisation.state == "active", Organisation.operator.is_(False))
        .where(Organisation.capabilities.contains(["supplies"]))
        .order_by(Organisation.name)
        .limit(SUPPLIERS_MAX)
    )
    async with database.transaction(SYSTEM) as session:
        return [Choice(*row) for row in await session.execute(query)]


_HEADS = text(
    "SELECT auction_id, status, close_at FROM auction_head WHERE auction_id = ANY(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))


async def progress(database: Database, auction_ids: Iterable[UUID]) -> dict[UUID, Progress]:
    """By auction; the caller has made sure that its reader may see each of them."""
    ids = list(auction_ids)
    if not ids:
        return {}
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(_HEADS, {"ids": ids})
        return {row[0]: Progress(row[1], from_micros(row[2]) if row[2] else None) for row in rows}


RUNNING_MAX = 200
"""More would not be read; the newest close first."""


class Running(msgspec.Struct, frozen=True):
    """An auction as the operator of the installation may see it: no bids, no bidders."""

    id: UUID
    status: str
    title: str
    tender_title: str
    buyer_name: str
    close_at: datetime | None
    commands: int
    last_at: datetime | None


_RUNNING = text(
    """SELECT h.auction_id, h.status, l.title, t.title, o.name, h.close_at, h.seq, h.ts
    FROM auction_head h
    JOIN auctions a ON a.id = h.auction_id JOIN lots l ON l.id = a.lot_id
    JOIN tenders t ON t.id = a.tender_id JOIN organisations o ON o.id = a.buyer_id
    WHERE h.status IN ('open', 'paused') ORDER BY h.close_at LIMIT :most"""
)


async def running_auctions(database: Database) -> list[Running]:
    """Of all buyers, those that close first; for the operator only."""
    async with database.transaction(SYSTEM) as session:
        rows = (await session.execute(_RUNNING, {"most": RUNNING_MAX})).all()
    return [
        Running(
            id=row[0],
            status=row[1],
            title=row[2],
            tender_title=row[3],
            buyer_name=row[4],
            close_at=from_micros(row[5]) if row[5] else None,
            commands=row[6],
            last_at=from_micros(row[7]) if row[7] else None,
        )
        for row in rows
    ]
