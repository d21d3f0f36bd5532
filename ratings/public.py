"""One rating out of many buyers' ratings, which nobody can buy; pure.

A buyer counts by how free its choice was: 1 - (its spend with this supplier / its whole spend). A
buyer with one supplier adds nothing, so inventing buyers is useless. Legal entities of one group
share one voice, and the supplier's own group has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

VOICE_MAX = 1.0
"""What all buyers of one group weigh together at most."""
BUYERS_MIN = 3
"""Fewer independent voices would tell what a single buyer thinks."""


class Voice(msgspec.Struct, frozen=True):
    """A buyer's own score (0 to 100) of the supplier, and its spend in one currency of its own."""

    buyer_id: UUID
    score: float
    spend_here: float
    spend_whole: float


class PublicScore(msgspec.Struct, frozen=True):
    """`score` is None for nobody who counts; `buyers` are independent groups that do."""

    score: float | None
    buyers: int


def groups(pairs: Iterable[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    """Organisation → a name for its group, from pairs of affiliates; who is missing stands
    alone.
    """
    leader: dict[UUID, UUID] = {}

    def find(one: UUID) -> UUID:
        while (above := leader.setdefault(one, one)) != one:
            one = above
        return one

    for first, second in pairs:
        low, high = sorted((find(first), find(second)))
        leader[high] = low
    return {one: find(one) for one in leader}


def combine(
    supplier_id: UUID, voices: Sequence[Voice], group_of: Mapping[UUID, UUID]
) -> PublicScore:
    """The mean of the scores, each weighed by its buyer's freedom."""
    own = group_of.get(supplier_id, supplier_id)
    weights: dict[UUID, list[tuple[float, float]]] = {}
    for voice in voices:
        group = group_of.get(voice.buyer_id, voice.buyer_id)
        weight = freedom(voice)
        if group != own and weight > 0:
            weights.setdefault(group, []).append((weight, voice.score))
    top, bottom = [], []
    for members in weights.values():
        together = math.fsum(weight for weight, _ in members)
        share = min(1.0, VOICE_MAX / together)
        top += [share * weight * score for weight, score in members]
        bottom += [share * weight for weight, _ in members]
    if not bottom:
        return PublicScore(None, 0)
    return PublicScore(math.fsum(top) / math.fsum(bottom), len(weights))


def freedom(voice: Voice) -> float:
    """1 - spend here / whole spend, in [0, 1]; 0 for a buyer that spent nothing."""
    if voice.spend_whole <= 0:
        return 0.0
    return max(0.0, min(1.0, 1.0 - voice.spend_here / voice.spend_whole))
