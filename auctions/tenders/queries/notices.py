"""What the notices of auctions are made from (system scope)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders.models import Auction
from auctions.tenders.rules import AuctionState

UNREAD_MAX = 500
"""Commands without a bid, such as heartbeats, that may pile up before the mark is moved: reading
past them costs less than writing the row at each.
"""

_BEHIND = text(
    "SELECT a.id FROM auctions a JOIN auction_head h ON h.auction_id = a.id"
    " WHERE a.state = 'scheduled' AND h.seq > a.announced_seq"
    " AND (h.seq - a.announced_seq > :unread OR EXISTS (SELECT FROM auction_commands c"
    "   WHERE c.auction_id = a.id AND c.seq > a.announced_seq AND c.bidder <> ''"
    "   AND position(CAST(:bid AS bytea) IN c.outcome) > 0))"
    " ORDER BY a.id LIMIT :limit"
)
_BIDS_AFTER = text(
    "SELECT seq, ts, outcome FROM auction_commands"
    " WHERE auction_id = :id AND seq > :after AND seq <= :until"
    " AND (position(CAST(:bid AS bytea) IN outcome) > 0"
    "      OR position(CAST(:gone AS bytea) IN outcome) > 0) ORDER BY seq"
)
_KINDS = {"bid": b'"kind":"bid"', "gone": b'"kind":"withdrawn"'}


async def starts_to_announce(
    session: AsyncSession, now: datetime, until: datetime, limit: int
) -> Sequence[Auction]:
    """Auctions that start between the two and were not announced, locked; those that another worker
    holds are left out.
    """
    statement = (
        select(Auction)
        .where(
            Auction.state == AuctionState.SCHEDULED,
            Auction.starts_at > now,
            Auction.starts_at <= until,
            Auction.start_announced_at.is_(None),
        )
        .order_by(Auction.starts_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement)).all()


async def auctions_behind(session: AsyncSession, limit: int) -> Sequence[UUID]:
    """Auctions whose log holds bids that were not read for notices."""
    values = {"unread": UNREAD_MAX, "limit": limit, "bid": _KINDS["bid"]}
    return (await session.execute(_BEHIND, values)).scalars().all()


async def auction_behind(session: AsyncSession, auction_id: UUID) -> tuple[Auction | None, int]:
    """One of them, locked, and how far its log is durable; None while another worker holds it."""
    statement = select(Auction).where(Auction.id == auction_id).with_for_update(skip_locked=True)
    auction = (await session.scalars(statement)).first()
    head = await session.scalar(
        text("SELECT seq FROM auction_head WHERE auction_id = :id"), {"id": auction_id}
    )
    return auction, int(head or 0)


async def bids_after(
    session: AsyncSession, auction_id: UUID, after: int, until: int
) -> Sequence[Any]:
    """Bids and withdrawals of a part of a log: rows of (seq, ts in µs, encoded outcome)."""
    values = {"id": auction_id, "after": after, "until": until}
    return (await session.execute(_BIDS_AFTER, values | _KINDS)).all()
