"""Which lots a withdrawal takes, which a release fills again, what has expired. Pure: lots and
amounts in, changes out; `purses.py` writes them.

What expires first is taken first, what never expires last; of two equal ones the older. The lots
together hold what is available; a debt (a negative balance) is paid before a lot is filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """id           rises with age
    source       names the credit it came from
    left         what may still be taken
    expires_at   None: never
    """

    id: UUID
    source: str
    left: int
    expires_at: datetime | None


class Part(msgspec.Struct, frozen=True):
    """So much of one lot."""

    lot_id: UUID
    amount: int


def is_expired(lot: Lot, at: datetime) -> bool:
    """A lot may be used while `at < expires_at`."""
    return lot.expires_at is not None and lot.expires_at <= at


def in_order(lots: Iterable[Lot]) -> list[Lot]:
    """As they are taken."""
    return sorted(lots, key=lambda lot: (lot.expires_at is None, lot.expires_at or 0, lot.id))


def take(lots: Iterable[Lot], amount: int) -> list[Part]:
    """What a withdrawal takes of each lot; less than `amount` where they do not hold it."""
    parts: list[Part] = []
    for lot in in_order(lots):
        part = min(lot.left, amount)
        if part > 0:
            parts.append(Part(lot.id, part))
            amount -= part
    return parts


def take_back(lots: Sequence[Lot], source: str, amount: int) -> list[Part]:
    """What a reversed credit takes: of its own lot first, then of the others in order."""
    own = [lot for lot in lots if lot.source == source]
    parts = take(own, amount)
    rest = amount - total(parts)
    return parts + take([lot for lot in lots if lot.source != source], rest)


class Returned(msgspec.Struct, frozen=True):
    """filled   what goes back to each lot and may be used again
    expired  what goes back to lots that have expired meanwhile, so it is gone at once
    """

    filled: list[Part]
    expired: int


def give_back(lots: Iterable[Lot], uses: Sequence[Part], debt: int, at: datetime) -> Returned:
    """The same lots get back what was taken of them, after a debt was paid."""
    amount_of = {use.lot_id: use.amount for use in uses}
    filled: list[Part] = []
    expired = 0
    for lot in in_order(lot for lot in lots if lot.id in amount_of):
        paid = min(debt, amount_of[lot.id])
        debt -= paid
        rest = amount_of[lot.id] - paid
        if is_expired(lot, at):
            expired += rest
        elif rest:
            filled.append(Part(lot.id, rest))
    return Returned(filled, expired)


def total(parts: Iterable[Part]) -> int:
    return sum(part.amount for part in parts)
