"""The moving figures of one auction's tile: what its reader may see of it right now."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.live.entrance import viewer_of
from auctions.live.hub import Hub
from auctions.rules.core.state import State
from auctions.rules.views.visibility import Viewer, audience, personal, standing_view, status
from auctions.tenders import queries as tenders
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import from_micros
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.money import Amount

LOOK_TIMEOUT_S = 1.0
LIVE = frozenset(["open", "paused"])


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """`rank` and `best` are the bidder's own, `lead` the best price where it is shown.

    state      as now; closes_at and left_s say when it ends, None while nobody knows
    sealed     bids are closed to everybody until the opening
    turn       the reader speaks now
    bidders    how many stand, for the buyer
    """

    id: UUID
    state: str
    rank: int | None = None
    best: Amount | None = None
    lead: Amount | None = None
    bidders: int | None = None
    sealed: bool = False
    turn: bool = False
    closes_at: datetime | None = None
    left_s: int | None = None


async def figures(
    live: Hub, session: AsyncSession, actor: Actor, auction_id: UUID
) -> Figures | None:
    """None when it must look as if there were no such auction, or when nobody knows at present."""
    access = await tenders.auction_for(session, actor, auction_id)
    if access is None:
        return None
    viewer = Viewer("bidder", "") if access.role == "invited" else viewer_of(access)
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            book = await live.books.open(auction_id)
            async with book.settled() as fold:
                return _seen(fold.state, viewer, auction_id, book.now_us())
    except (TimeoutError, Unavailable):
        return None


def _seen(state: State, viewer: Viewer, auction_id: UUID, now_us: int) -> Figures:
    rows = standing_view(state, audience(state, viewer))
    you: dict[str, Any] = {}
    if viewer.role == "bidder":
        you = personal(state, viewer.alias or "", now_us)["you"]
    currency = state.terms.currency
    lead = rows[0].get("price") or rows[0]["evaluated"] if rows else None
    now = status(state, now_us)
    return Figures(
        id=auction_id,
        state=now,
        rank=you.get("rank"),
        best=Amount(you["best"], currency) if "best" in you else None,
        lead=Amount(lead, currency) if lead else None,
        bidders=len(rows) if viewer.role == "buyer" else None,
        sealed=state.stage.name != "scheduled" and state.format.is_sealed,
        turn=bool(you.get("turn")),
        closes_at=from_micros(state.close_at),
        left_s=max(0, (state.close_at - now_us) // 1_000_000) if now == "open" else None,
    )
