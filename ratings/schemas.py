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
    """An organisation.

    name  the legal name, e.g. `Pumps Ltd`
    """

    id: UUID
    name: str


class ComponentView(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a score.

    name          `orders`, `volume`, `claims`, `price`, `tenure` or `trust`, e.g. `claims`
    value         how good it is, from 0 to 1, e.g. `0.82`
    weight        basis points of the policy, e.g. `3500`
    contribution  value times weight in points; all of them add up to the score exactly, e.g. `28.7`
    because       the figures behind it, in words, e.g. `1 upheld claim in 12 orders`
    """

    name: str
    value: str
    weight: int
    contribution: str
    because: str


class ChangesView(msgspec.Struct, frozen=True, kw_only=True):
    """Points by which the score would move.

    per_clean_order  for one more order without a claim, e.g. `0.4`
    per_claim        for one upheld claim more; never above 0, e.g. `-6.1`
    """

    per_clean_order: str
    per_claim: str


class BlockView(msgspec.Struct, frozen=True, kw_only=True):
    """A supplier that a buyer invites no more.

    reason      the buyer's words; both sides read them, e.g. `Unpaid penalties`
    blocked_at  since when
    """

    reason: str
    blocked_at: datetime


class SurveyView(msgspec.Struct, frozen=True, kw_only=True):
    """What buyers answered after accepted orders.

    answers  how many there are, e.g. `7`
    average  of the stars, 1 to 5; null: fewer than five answers, e.g. `4.3`
    note     `few ratings` below five answers, else null, e.g. `few ratings`
    """

    answers: int
    average: str | None
    note: str | None


class TrustView(msgspec.Struct, frozen=True, kw_only=True):
    """A credit given by hand.

    credit_bp   0 is none, 5,000 neutral, 10,000 full, e.g. `7500`
    given_at    from then on it counts
    expires_at  until then it counts
    reason      for the buyer only; null for others, e.g. `Ten years of good work`
    author_id   for the buyer only: who gave it; null for others
    """

    credit_bp: int
    given_at: datetime
    expires_at: datetime
    reason: str | None = None
    author_id: UUID | None = None


class PolicyRef(msgspec.Struct, frozen=True, kw_only=True):
    """The policy a score was made by.

    version     counted by buyer; 0 is the one of the marketplace, e.g. `2`
    valid_from  the moment from which on it holds
    """

    version: int
    valid_from: datetime


class RatingView(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer's figures say of a supplier. Not rated yet: there is no number at all.

    state                 `rated` or `not rated yet`, e.g. `rated`
    score                 0 to 100, one decimal; null: not rated yet, e.g. `81.4`
    cautious_score        what it is at least, given how little is known; null: not rated yet, e.g.
                          `74.0`
    confidence            how much is known, 0 to 1; null: not rated yet, e.g. `0.62`
    explanation           the parts of the score, which add up to it exactly
    what_would_change_it  null: not rated yet
    orders_missing        so many completed orders until there is a score; null: there is one, e.g.
                          `2`
    policy                the version it was made by
    trust                 the credit that counts; null: none
    survey                the stars given after accepted orders
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
    """One supplier in the list.

    state           `rated` or `not rated yet`, e.g. `rated`
    score           0 to 100; null: not rated yet, e.g. `81.4`
    cautious_score  what it is at least; null: not rated yet, e.g. `74.0`
    confidence      how much is known, 0 to 1; null: not rated yet, e.g. `0.62`
    """

    supplier: PartyView
    state: str
    score: str | None
    cautious_score: str | None
    confidence: str | None
    block: BlockView | None


class RatingPage(msgspec.Struct, frozen=True):
    """Suppliers the caller has completed an order with."""

    items: list[RatingRow]
    next_cursor: str | None = None


class ReceivedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One buyer's rating of the caller.

    state  `rated` or `not rated yet`, e.g. `rated`
    score  0 to 100; null: not rated yet, e.g. `81.4`
    block  why this buyer invites the caller no more; null: it does
    """

    buyer: PartyView
    state: str
    score: str | None
    block: BlockView | None


class ReceivedPage(msgspec.Struct, frozen=True):
    """Ratings of the caller by its buyers."""

    items: list[ReceivedRow]
    next_cursor: str | None = None


class HistoryPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The score at one moment.

    at              as of when, by the policy of then
    state           `rated` or `not rated yet`, e.g. `rated`
    score           0 to 100; null: not rated yet, e.g. `81.4`
    policy_version  the version it was made by, e.g. `2`
    """

    at: datetime
    state: str
    score: str | None
    policy_version: int


class HistoryPage(msgspec.Struct, frozen=True):
    """A point a month, oldest first.

    items  one point a month
    """

    items: list[HistoryPoint]
    next_cursor: str | None = None


class WhatIfView(msgspec.Struct, frozen=True, kw_only=True):
    """The score now, and after what was supposed.

    before       the score as it is; null: not rated yet, e.g. `81.4`
    after        the score as it would be; null: not rated even then, e.g. `83.0`
    difference   after less before; null: one of them is missing, e.g. `1.6`
    explanation  the parts of the score as it would be
    """

    before: str | None
    after: str | None
    difference: str | None
    explanation: list[ComponentView]


class PublicView(msgspec.Struct, frozen=True, kw_only=True):
    """What all buyers together think of a supplier.

    state   `rated`, `few ratings` or `not rated yet`, e.g. `rated`
    score   0 to 100; null: too few buyers, e.g. `79.2`
    buyers  independent voices; organisations of one group are one, e.g. `6`
    survey  the stars given after accepted orders
    """

    supplier: PartyView
    state: str
    score: str | None
    buyers: int
    survey: SurveyView
    as_of: datetime


class NewPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next version of the buyer's policy; it never changes.

    weights     what each component counts
    parameters  left out: those of the marketplace
    valid_from  never in the past; null: now
    note        why it is changed, at most 1,000 characters, e.g. `Claims weigh more from 2027 on`
    """

    weights: Weights
    parameters: Parameters = msgspec.field(default_factory=Parameters)
    valid_from: datetime | None = None
    note: Annotated[str, Meta(max_length=1_000)] = ""


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a policy.

    version     counted by buyer; 0 is the one of the marketplace, e.g. `2`
    valid_from  from then on it holds, until a newer one does
    weights     what each component counts
    parameters  of the formulas
    note        why it was made; empty: nothing was said, e.g. `Claims weigh more from 2027 on`
    author_id   who made it; null: the marketplace itself
    in_force    whether it is the one that holds now
    """

    id: UUID
    version: int
    valid_from: datetime
    weights: Weights
    parameters: Parameters
    note: str
    author_id: UUID | None
    in_force: bool


class PolicyPage(msgspec.Struct, frozen=True):
    """Newest first; version 0 is the one of the marketplace."""

    items: list[PolicyView]
    next_cursor: str | None = None


class Simulation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What another policy would say, now or at a date in the past.

    weights     what each component would count
    parameters  null: those of the policy in force
    as_of       a moment in the past; null: now
    """

    weights: Weights
    parameters: Parameters | None = None
    as_of: datetime | None = None


class SimulatedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier under another policy.

    score_before  by the policy in force; null: not rated yet, e.g. `81.4`
    score_after   by the other policy; null: not rated yet, e.g. `76.0`
    difference    after less before; null: one of them is missing, e.g. `-5.4`
    rank_before   among those that are rated; null: not rated yet, e.g. `2`
    rank_after    among those that would be rated; null: not rated yet, e.g. `3`
    """

    supplier: PartyView
    score_before: str | None
    score_after: str | None
    difference: str | None
    rank_before: int | None
    rank_after: int | None


class SimulatedPage(msgspec.Struct, frozen=True):
    """The best first as they would then stand; at most 500 are shown of `suppliers`.

    items      at most 500, the best first as they would then stand
    suppliers  how many there are, e.g. `40`
    """

    items: list[SimulatedRow]
    suppliers: int
    next_cursor: str | None = None


class NewTrust(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credit by hand, which expires; the newest one counts.

    credit_bp   0 is none, 5,000 neutral, 10,000 full, e.g. `7500`
    reason      why this supplier deserves it, for the own people, e.g. `Ten years of good work`
    expires_at  in the future; it counts until then
    """

    credit_bp: Annotated[int, Meta(ge=0, le=10_000)]
    reason: Reason
    expires_at: datetime


class WithReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the supplier is blocked, or is no more.

    reason  both sides read it, e.g. `Unpaid penalties`
    """

    reason: Reason


class NewAffiliates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two organisations of one group, which are one voice in public ratings.

    organisation_id  one of them
    affiliate_id     the other one
    reason           how one knows, e.g. `Commercial register HRB 4711`
    """

    organisation_id: UUID
    affiliate_id: UUID
    reason: Reason


class AffiliatesView(msgspec.Struct, frozen=True, kw_only=True):
    """Two organisations of one group.

    organisation_id  one of them
    affiliate_id     the other one
    reason           how one knows, e.g. `Commercial register HRB 4711`
    """

    organisation_id: UUID
    affiliate_id: UUID
    reason: str
    created_at: datetime
