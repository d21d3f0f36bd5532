"""Suggested suppliers and price bands on the wire."""

from __future__ import annotations

from uuid import UUID

import msgspec

from auctions.tenders.schemas.tender import Party
from marketplace.kernel.money import Amount


class ReasonView(msgspec.Struct, frozen=True):
    """One reason to invite a supplier.

    code  stable name, e.g. `offers_item`
    text  in words, with its figures, e.g. `Has a price for 3 of 4 items.`
    """

    code: str
    text: str


class Suggested(msgspec.Struct, frozen=True):
    """A supplier that may be worth an invitation.

    organisation  the supplier
    points        from 0 to 100, by all reasons together, e.g. `72`
    reasons       the weightiest first
    """

    organisation: Party
    points: str
    reasons: list[ReasonView]


class BandView(msgspec.Struct, frozen=True):
    """A market price for the whole lot: the middle half of the known prices and their median.

    low               a quarter of the known prices is lower; null: too few are known
    median            half of them is lower; null: too few are known
    high              a quarter of them is higher; null: too few are known
    from_price_lists  prices from published lists, e.g. `4`
    from_past_awards  prices from former awards, e.g. `2`
    """

    lot_id: UUID
    low: Amount | None
    median: Amount | None
    high: Amount | None
    from_price_lists: int
    from_past_awards: int


class Suggestions(msgspec.Struct, frozen=True):
    """Whom to invite, and what to expect.

    suppliers  the most promising first
    bands      one for each lot
    """

    suppliers: list[Suggested]
    bands: list[BandView]
