"""What the supplier's price lists ask for a line of an order. Prices stand on a floor above, so the
roof hands in who looks them up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession


class AskedLine(msgspec.Struct, frozen=True, kw_only=True):
    """`sku` is the supplier's; without it the item's price counts."""

    item_id: UUID | None
    sku: str | None
    quantity: Decimal
    unit: str


class ListPrice(msgspec.Struct, frozen=True, kw_only=True):
    """`price` is for `price_unit` of the asked units, in the order's currency."""

    price: Decimal
    price_unit: Decimal
    list_id: UUID
    version: int


Find = Callable[
    [AsyncSession, UUID, str, Sequence[AskedLine], date], Awaitable[list[ListPrice | None]]
]


class ListPrices(msgspec.Struct, frozen=True):
    """`await find(session, supplier_id, currency, lines, day)`: for each line the price that holds
    for the session's organisation and can be ordered as asked, or None.
    """

    find: Find
