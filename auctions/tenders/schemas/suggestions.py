"""Suggested suppliers and price bands on the wire."""

from __future__ import annotations

from uuid import UUID

import msgspec

from auctions.tenders.schemas.tender import Party
from marketplace.kernel.money import Amount


class ReasonView(msgspec.Struct, frozen=True):
    code: str
    text: str


class Suggested(msgspec.Struct, frozen=True):
    """`points` from 0 to 100; every reason that made them, the weightiest first."""

    organisation: Party
    points: str
    reasons: list[ReasonView]


class BandView(msgspec.Struct, frozen=True):
    """A market price for the whole lot: the middle half of the known prices and their median."""

    lot_id: UUID
    low: Amount | None
    median: Amount | None
    high: Amount | None
    from_price_lists: int
    from_past_awards: int


class Suggestions(msgspec.Struct, frozen=True):
    suppliers: list[Suggested]
    bands: list[BandView]
