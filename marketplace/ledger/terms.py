"""What a partner earns, as the agreement of an upper floor says it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.errors import Problem
from marketplace.ledger import rules
from marketplace.ledger.posting import Rule


class Percent(msgspec.Struct, frozen=True, tag="percent"):
    """So many basis points of the amount sold."""

    bp: int


class Flat(msgspec.Struct, frozen=True, tag="flat"):
    """So many minor units for each unit sold, whatever it cost."""

    flat: int


Rate = Percent | Flat


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one sale of a partner earns it, by the terms in force at the time of the sale.

    rule              names the agreement, its version and its tier for both sides
    sale              commission; None: none
    fund_bp           basis points of the sale that go to the marketing fund
    fund_days         after so many days a fund credit expires; None: never
    points_per_major  points for each whole unit of currency
    points_days       after so many days points expire; None: never
    hold_days         before a commission is paid out
    """

    rule: Rule
    sale: Rate | None = None
    fund_bp: int = 0
    fund_days: int | None = None
    points_per_major: Decimal = Decimal(0)
    points_days: int | None = None
    hold_days: int = 0


class CpaTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What one action of a lead pays. Frozen when the lead is registered.

    action    the only payable one: `received`, `completed` or `contract`
    amount    minor units of `currency`
    """

    action: str
    amount: int
    currency: str
    rule: Rule
    hold_days: int = 0


class TermsPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Terms that hold in `[from_at, to_at)`."""

    from_at: datetime
    to_at: datetime | None
    terms: Terms


TermsAt = Callable[[AsyncSession, UUID, datetime], Awaitable[Terms | None]]
"""`await terms_at(session, partner_id, at)`: None where no agreement held at that time. It lives on
an upper floor and is handed down at assembly.
"""


def commission(rate: Rate | None, amount: int, quantity: int = 1) -> int:
    """What a sale of `amount` minor units earns; 0: nothing."""
    if isinstance(rate, Percent):
        return rules.share(amount, rate.bp)
    return 0 if rate is None else rate.flat * quantity


class OverRefund(Problem):
    """More was refunded than was sold."""

    status, title = 409, "Wrong state"

    def __init__(self) -> None:
        super().__init__("over_refund", "More would be refunded than was sold.")
