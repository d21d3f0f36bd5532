"""The start of an auction that an addendum moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.rules.core.controls import POSTPONE_S_MAX
from auctions.tenders import queries
from auctions.tenders.life import BEGIN, TENDER
from auctions.tenders.models import Auction, Lot, Tender
from auctions.tenders.rules import AuctionState, TenderState
from auctions.tenders.schemas.dossier import MovedStart
from marketplace.kernel.errors import Conflict, FieldError, Invalid
from marketplace.kernel.workflow import set_deadline

LEAD = timedelta(seconds=30)
"""Time for the command to reach the log of an auction before it opens."""


async def move_starts(
    session: AsyncSession, tender: Tender, moved: Sequence[MovedStart], reason: str, now: datetime
) -> list[dict[str, Any]]:
    """The changes as an addendum shows them. Where the auction exists already its log must hear of
    it (`sending.move_starts`). Raises Invalid with every wrong field, Conflict
    (`auction_begun`).
    """
    lots = {lot.id: lot for lot in await queries.lots(session, tender.id)}
    auctions = await queries.auctions(session, tender.id)
    changes, errors = [], []
    for index, start in enumerate(moved):
        lot = lots.pop(start.id, None)
        if lot is None:
            message = "There is no such lot in this tender, or it stands here twice."
            errors.append(FieldError(f"lots[{index}].id", "unknown_lot", message))
            continue
        auction = auctions.get(lot.id)
        before = auction.starts_at if auction else _planned(lot)
        errors += _errors(f"lots[{index}].starts_at", tender, auction, before, start, now)
        changes.append(_change(lot, auction, before, start.starts_at, reason))
    if errors:
        raise Invalid("invalid", errors[0].message, errors=errors)
    if tender.begins_at is not None and tender.state == TenderState.PUBLISHED:
        tender.begins_at = min(auction.starts_at for auction in auctions.values())
        await set_deadline(session, TENDER, tender, BEGIN, now, parties=[tender.buyer_id])
    return changes


def _planned(lot: Lot) -> datetime | None:
    """As the rules of a lot say whose auction is made after the sealed offers."""
    written = lot.rules.get("starts_at")
    return msgspec.convert(written, datetime) if written else None


def _errors(
    field: str,
    tender: Tender,
    auction: Auction | None,
    before: datetime | None,
    start: MovedStart,
    now: datetime,
) -> list[FieldError]:
    """Raises Conflict (`auction_begun`)."""
    if auction is not None and (
        auction.state != AuctionState.SCHEDULED or auction.starts_at <= now + LEAD
    ):
        raise Conflict("auction_begun", "An auction that begins or has begun is not moved.")
    if before is not None and start.starts_at <= before:
        return [FieldError(field, "not_later", "A start may only move later.")]
    if start.starts_at > (before or now) + timedelta(seconds=POSTPONE_S_MAX):
        days = POSTPONE_S_MAX // 86_400
        return [FieldError(field, "out_of_range", f"At most {days} days later at once.")]
    if tender.offers_due_at is not None and start.starts_at <= tender.offers_due_at:
        message = "The auction starts after the sealed offers were opened."
        return [FieldError(field, "before_opening", message)]
    return []


def _change(
    lot: Lot, auction: Auction | None, before: datetime | None, after: datetime, reason: str
) -> dict[str, Any]:
    shown = {"before": before, "after": after}
    change = {name: msgspec.to_builtins(value) for name, value in shown.items()}
    lot.rules = lot.rules | {"starts_at": change["after"]}
    if auction is not None:
        auction.starts_at = after
        auction.start_moves += 1
        auction.start_reason = reason
        auction.start_announced_at = None
    return {"field": "starts_at", "lot_id": str(lot.id), "lot": lot.title, **change}
