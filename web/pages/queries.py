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
