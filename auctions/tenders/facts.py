"""What happens to tenders that others must know of."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from marketplace.kernel.facts import Fact
from marketplace.kernel.money import Money


class AwardedItem(msgspec.Struct, frozen=True):
    """`quantity` is the supplier's share of it; `value` what this share costs where the bid has a
    line for it.
    """

    item_id: UUID | None
    name: str
    quantity: Decimal
    unit: str
    value: Money | None = None


class LotAwarded(Fact, frozen=True, kw_only=True):
    """A supplier accepted an award: the deal stands. Published in the system scope, in the very
    transaction of the acceptance.

    value      what this share costs; `price` was bid for the whole lot
    reference  the median of what the others asked for this share; None: nobody else did
    author_id  whoever proposed the award signs for the buyer, `accepted_by` for the supplier
    items      with their values, or none has one: then `note` names the lines of the bid, if any
    delivery   as the tender states it: incoterm, place, until, payment, remarks
    """

    award_id: UUID
    tender_id: UUID
    lot_id: UUID
    title: str
    buyer_id: UUID
    supplier_id: UUID
    author_id: UUID
    accepted_by: UUID
    share_percent: Decimal
    price: Money
    value: Money
    reference: Money | None
    items: tuple[AwardedItem, ...]
    delivery: dict[str, str]
    at: datetime
    note: str = ""
