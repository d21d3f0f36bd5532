"""Whom to invite, and why: facts about suppliers become a ranked list with reasons. Pure.

Facts come from anywhere below: past tenders, price lists, ratings. Each says what it is worth; no
supplier is suggested without a reason that a person can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal
from uuid import UUID

import msgspec

SUGGESTIONS_MAX = 50
Kind = Literal["awarded_before", "took_part", "offers_item", "rating", "declined"]

WEIGHTS: dict[Kind, int] = {
    "offers_item": 40,
    "awarded_before": 30,
    "rating": 20,
    "took_part": 10,
    "declined": -15,
}
"""What a full measure of each fact is worth; the sum of the good ones is 100."""

CLASS_CHARS = 5
"""So many signs of a classification code name its class (CPV: the first five digits)."""


class SupplierFact(msgspec.Struct, frozen=True):
    """`measure` from 0 to 1; `text` the reason in a sentence."""

    organisation_id: UUID
    kind: Kind
    measure: Fraction
    text: str


class Reasoned(msgspec.Struct, frozen=True):
    """Points from 0 to 100 and the reasons, the weightiest first."""

    organisation_id: UUID
    points: Fraction
    reasons: tuple[SupplierFact, ...]


class Band(msgspec.Struct, frozen=True):
    """A market price for a whole lot, in minor units; `points` prices stand behind it."""

    low: int
    median: int
    high: int
    points: int


def suggestions(facts: Iterable[SupplierFact], skip: Iterable[UUID]) -> list[Reasoned]:
    """The best first, at most SUGGESTIONS_MAX; who is in `skip` is left out."""
    left_out = set(skip)
    found: dict[UUID, list[SupplierFact]] = {}
    for fact in facts:
        if fact.organisation_id not in left_out and fact.measure > 0:
            found.setdefault(fact.organisation_id, []).append(fact)
    rows = [_reasoned(key, reasons) for key, reasons in found.items()]
    rows = [row for row in rows if row.points > 0]
    rows.sort(key=lambda row: (-row.points, row.organisation_id))
    return rows[:SUGGESTIONS_MAX]


def _reasoned(organisation_id: UUID, facts: Sequence[SupplierFact]) -> Reasoned:
    weighed = sorted(facts, key=lambda fact: -abs(_worth(fact)))
    points = sum((_worth(fact) for fact in facts), Fraction(0))
    return Reasoned(organisation_id, min(max(points, Fraction(0)), Fraction(100)), tuple(weighed))


def _worth(fact: SupplierFact) -> Fraction:
    return WEIGHTS[fact.kind] * min(fact.measure, Fraction(1))


def band(prices: Sequence[int]) -> Band | None:
    """The middle half of the prices around their median; None without a price."""
    if not prices:
        return None
    rows = sorted(prices)
    last = len(rows) - 1
    return Band(rows[last // 4], rows[last // 2], rows[last - last // 4], len(rows))


def same_kind(code: str | None, name: str, other_code: str | None, other_name: str) -> bool:
    """Whether two items are alike enough: the same class of a classification, or most words."""
    if code and other_code:
        return code[:CLASS_CHARS] == other_code[:CLASS_CHARS]
    words, others = set(name.lower().split()), set(other_name.lower().split())
    return 2 * len(words & others) > min(len(words), len(others)) > 0


def share(count: int, full: int) -> Fraction:
    """`count` of `full` as a measure, at most 1."""
    return min(Fraction(count, max(full, 1)), Fraction(1))
