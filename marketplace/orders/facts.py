"""What upper floors may learn of orders: typed facts, published in the transaction of the deed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from marketplace.kernel.facts import Fact


class PaidLine(msgspec.Struct, frozen=True, kw_only=True):
    """value_minor      what the accepted quantity cost
    paid_minor       the price of one price unit, in minor units and fractions of them
    reference_minor  what others ask for the same, frozen when the order was placed; None: unknown
    """

    value_minor: int
    paid_minor: Decimal | int
    reference_minor: Decimal | int | None = None


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """What was accepted of one line; `value_minor` is 0 where the order has one lump price."""

    item_id: UUID | None
    name: str
    unit: str
    quantity: Decimal
    value_minor: int


class OrderFact(Fact, frozen=True, kw_only=True):
    """What every fact of an order says."""

    order_id: UUID
    buyer_id: UUID
    supplier_id: UUID
    at: datetime


class OrderIntended(OrderFact, frozen=True, kw_only=True):
    """People of the organisation `by` are about to order or to propose an order. A handler that
    raises a Problem refuses it.
    """

    by: UUID


class OrderMoved(OrderFact, frozen=True, kw_only=True):
    """An order went through `event` into `state`; `by` is the organisation that moved it.
    `inside`: nobody has released it yet, so the supplier is not told.
    """

    number: int
    event: str
    state: str
    by: UUID | None = None
    inside: bool = False


class OrderCompleted(OrderFact, frozen=True, kw_only=True):
    """The goods were accepted. `ordered_at` is the date the order counts from."""

    title: str
    ordered_at: datetime
    currency: str
    lines: tuple[PaidLine, ...]
    goods: tuple[Goods, ...] = ()


class OrderReopened(OrderFact, frozen=True, kw_only=True):
    """An acceptance was taken back: OrderCompleted no longer holds."""


class ClaimFact(OrderFact, frozen=True, kw_only=True):
    claim_id: UUID


class ClaimMoved(ClaimFact, frozen=True, kw_only=True):
    """A claim went through `event` into `state`."""

    number: int
    event: str
    state: str
    by: UUID | None = None


class ClaimUpheld(ClaimFact, frozen=True, kw_only=True):
    """It counts from now on, with that severity in basis points; again: another severity."""

    severity_bp: int


class ClaimWithdrawn(ClaimFact, frozen=True, kw_only=True):
    """An upheld claim counts no longer."""


class SurveyAnswered(OrderFact, frozen=True, kw_only=True):
    """One to five stars for an accepted order."""

    stars: int
