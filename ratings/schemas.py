"""Ratings on the wire. Scores, shares and probabilities are decimal texts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from ratings.policy import Parameters, Weights

Reason = Annotated[str, Meta(min_length=1, max_length=500)]


class PartyView(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class ComponentView(msgspec.Struct, frozen=True, kw_only=True):
    """`value` from 0 to 1; `contribution` in points. `because` tells the figures behind it."""

    name: str
    value: str
    weight: int
    contribution: str
    because: str


class ChangesView(msgspec.Struct, frozen=True, kw_only=True):
    """Points by which the score would move."""

    per_clean_order: str
    per_claim: str


class BlockView(msgspec.Struct, frozen=True, kw_only=True):
    reason: str
    blocked_at: datetime


class SurveyView(msgspec.Struct, frozen=True, kw_only=True):
    """`average` is None and `note` reads "few ratings" below five answers."""

    answers: int
    average: str | None
    note: str | None


class TrustView(msgspec.Struct, frozen=True, kw_only=True):
    """Author and reason are the buyer's own and empty for others."""

    credit_bp: int
    given_at: datetime
    expires_at: datetime
    reason: str | None = None
    author_id: UUID | None = None


class PolicyRef(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    valid_from: datetime


class RatingView(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is `rated` or `not rated yet`; then there is no number at all. The contributions of
    `explanation` add up to `score`. `orders_missing`: so many completed orders until there is one.
    """

    supplier: PartyView
    buyer: PartyView
    state: str
    score: str | None
    cautious_score: str | None
    confidence: str | None
    explanation: list[ComponentView]
    what_would_change_it: ChangesView | None
    orders_missing: int | None
    policy: PolicyRef
    as_of: datetime
    trust: TrustView | None
    block: BlockView | None
    survey: SurveyView


class RatingRow(msgspec.Struct, frozen=True, kw_only=True):
    supplier: PartyView
    state: str
    score: str | None
    cautious_score: str | None
    confidence: str | None
    block: BlockView | None


class RatingPage(msgspec.Struct, frozen=True):
    items: list[RatingRow]
    next_cursor: str | None = None


class ReceivedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One buyer's rating of the caller."""

    buyer: PartyView
    state: str
    score: str | None
    block: BlockView | None


class ReceivedPage(msgspec.Struct, frozen=True):
    items: list[ReceivedRow]
    next_cursor: str | None = None


class HistoryPoint(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    state: str
    score: str | None
    policy_version: int


class HistoryPage(msgspec.Struct, frozen=True):
    """A point a month, oldest first."""

    items: list[HistoryPoint]
    next_cursor: str | None = None


class WhatIfView(msgspec.Struct, frozen=True, kw_only=True):
    """The score now, and after what was supposed."""

    before: str | None
    after: str | None
    difference: str | None
    explanation: list[ComponentView]


class PublicView(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is `rated`, `few ratings` or `not rated yet`; `buyers` are independent voices."""

    supplier: PartyView
    state: str
    score: str | None
    buyers: int
    survey: SurveyView
    as_of: datetime


class NewPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`valid_from` is now unless given; it never lies in the past."""

    weights: Weights
    parameters: Parameters = msgspec.field(default_factory=Parameters)
    valid_from: datetime | None = None
    note: Annotated[str, Meta(max_length=1_000)] = ""


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    version: int
    valid_from: datetime
    weights: Weights
    parameters: Parameters
    note: str
    author_id: UUID | None
    in_force: bool


class PolicyPage(msgspec.Struct, frozen=True):
    """Newest first; version 0 is the house's own."""

    items: list[PolicyView]
    next_cursor: str | None = None


class Simulation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What another policy would say, now or at a date in the past."""

    weights: Weights
    parameters: Parameters | None = None
    as_of: datetime | None = None


class SimulatedRow(msgspec.Struct, frozen=True, kw_only=True):
    """`rank_before` and `rank_after` among the suppliers that are rated."""

    supplier: PartyView
    score_before: str | None
    score_after: str | None
    difference: str | None
    rank_before: int | None
    rank_after: int | None


class SimulatedPage(msgspec.Struct, frozen=True):
    """The best first as they would then stand; at most 500 are shown of `suppliers`."""

    items: list[SimulatedRow]
    suppliers: int
    next_cursor: str | None = None


class NewTrust(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`credit_bp` from 0 (none) over 5,000 (neutral) to 10,000 (full)."""

    credit_bp: Annotated[int, Meta(ge=0, le=10_000)]
    reason: Reason
    expires_at: datetime


class WithReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


class NewAffiliates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two organisations of one group."""

    organisation_id: UUID
    affiliate_id: UUID
    reason: Reason


class AffiliatesView(msgspec.Struct, frozen=True, kw_only=True):
    organisation_id: UUID
    affiliate_id: UUID
    reason: str
    created_at: datetime
