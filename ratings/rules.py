"""From evidence to a score, and to the words that explain it; pure.

Every component is a number in [0, 1], the weights are basis points, and what is shown adds up: the
contributions in tenths of a point are rounded together, so their sum is the score itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec

from ratings.accumulators import Evidence, Sums
from ratings.beta import beta_quantile
from ratings.policy import COMPONENTS, Parameters, Policy, Weights

TENURE_HALF_MONTHS = 12
TRUST_PRIOR = 0.5
SURVEY_ANSWERS_MIN = 5


class Trust(msgspec.Struct, frozen=True):
    """`credit` in [0, 1] as somebody gave it, at a time and with an end."""

    credit: float
    given_at: datetime
    expires_at: datetime


class Part(msgspec.Struct, frozen=True):
    """One component: its value in [0, 1], its weight, its share of the shown score in tenths."""

    name: str
    value: float
    weight: int
    tenths: int


class Rated(msgspec.Struct, frozen=True):
    """A score with its explanation. `tenths` are the parts' tenths together; `raw` is unrounded."""

    raw: float
    tenths: int
    cautious: float
    confidence: float
    parts: tuple[Part, ...]


class Changes(msgspec.Struct, frozen=True):
    """What would move the score, in points: one more clean order at the reference price, of the
    usual value, once it has matured; one claim of full severity.
    """

    clean_order: float
    claim: float


def orders(sums: Sums, parameters: Parameters) -> float:
    """N / (N + N0)."""
    count = max(0.0, sums.orders)
    return count / (count + parameters.orders_half)


def volume(sums: Sums, parameters: Parameters) -> float:
    """min(1, ln(1 + V/V0) / ln(1 + Vref/V0))."""
    unit = parameters.volume_unit_minor
    full = math.log1p(parameters.volume_full_minor / unit)
    return min(1.0, math.log1p(max(0.0, sums.volume) / unit) / full)


def claim_rate(sums: Sums, parameters: Parameters) -> float:
    """q = min(1, (B + m·π) / (M + m))."""
    bad, matured = _counts(sums, parameters)
    return min(1.0, bad / matured)


def careful_claim_rate(sums: Sums, parameters: Parameters) -> float:
    """The upper quantile of q as a Beta variable with the same counts, and never below q."""
    bad, matured = _counts(sums, parameters)
    if bad >= matured:
        return 1.0
    return max(bad / matured, beta_quantile(bad, matured - bad, parameters.caution))


def _counts(sums: Sums, parameters: Parameters) -> tuple[float, float]:
    prior = parameters.claims_prior_orders
    bad = max(0.0, sums.blemish) + prior * parameters.claims_prior_rate
    return bad, max(0.0, sums.matured) + prior


def claims(rate: float, parameters: Parameters) -> float:
    """max(0, 1 - q / qmax)."""
    return max(0.0, 1.0 - rate / parameters.claims_rate_max)


def price(sums: Sums, parameters: Parameters) -> float:
    """clip(½ - P / 2L, 0, 1) with P = Σ w·v·x / (Σ w·v + mp)."""
    level = sums.excess / (max(0.0, sums.priced) + parameters.price_prior_minor)
    return max(0.0, min(1.0, 0.5 - level / (2.0 * parameters.price_limit)))


def tenure(active_months: int) -> float:
    return active_months / (active_months + TENURE_HALF_MONTHS)


def trust(given: Trust | None, now: datetime, parameters: Parameters) -> float:
    """½ + (c - ½)·2^(-age/H); without credit, or after its end, the prior ½."""
    if given is None or not given.given_at <= now < given.expires_at:
        return TRUST_PRIOR
    age: float = (now - given.given_at) / parameters.half_life()
    return TRUST_PRIOR + (given.credit - TRUST_PRIOR) * float(2.0**-age)


def values(evidence: Evidence, given: Trust | None, now: datetime, policy: Policy) -> list[float]:
    """The components in the order of COMPONENTS."""
    sums, parameters = evidence.sums, policy.parameters
    return [
        orders(sums, parameters),
        volume(sums, parameters),
        claims(claim_rate(sums, parameters), parameters),
        price(sums, parameters),
        tenure(evidence.active_months),
        trust(given, now, parameters),
    ]


def total(components: Sequence[float], weights: Weights) -> float:
    """Σ weight · component / 10,000 as points from 0 to 100."""
    pairs = zip(COMPONENTS, components, strict=True)
    return math.fsum(weights.of(name) * value for name, value in pairs) / 100.0


def has_evidence(evidence: Evidence, parameters: Parameters) -> bool:
    """Whether there are orders enough for a number. Claims play no part: they can neither make nor
    hide one.
    """
    # The reversal of an order leaves rounding dust behind; it must not hide a rating.
    return evidence.sums.orders >= parameters.orders_min - 1e-9


def rate(evidence: Evidence, given: Trust | None, now: datetime, policy: Policy) -> Rated | None:
    """The score with its explanation; None: not rated yet."""
    if not has_evidence(evidence, policy.parameters):
        return None
    return explain(evidence, given, now, policy)


def explain(evidence: Evidence, given: Trust | None, now: datetime, policy: Policy) -> Rated:
    """As `rate`, whatever the evidence."""
    components = values(evidence, given, now, policy)
    careful = list(components)
    careful_rate = careful_claim_rate(evidence.sums, policy.parameters)
    careful[COMPONENTS.index("claims")] = claims(careful_rate, policy.parameters)
    tenths, shares = add_up(components, policy.weights)
    count = max(0.0, evidence.sums.orders)
    return Rated(
        raw=total(components, policy.weights),
        tenths=tenths,
        cautious=total(careful, policy.weights),
        confidence=count / (count + policy.parameters.claims_prior_orders),
        parts=tuple(
            Part(name, value, policy.weights.of(name), share)
            for name, value, share in zip(COMPONENTS, components, shares, strict=True)
        ),
    )


def add_up(components: Sequence[float], weights: Weights) -> tuple[int, list[int]]:
    """(score, contributions) in tenths of a point; the contributions add up to the score.

    Largest remainder: each is rounded down, and the tenths that are then missing go to those that
    lost most. No contribution leaves the range between 0 and its weight.
    """
    pairs = zip(COMPONENTS, components, strict=True)
    exact = [weights.of(name) * value / 10.0 for name, value in pairs]
    score = round(math.fsum(exact))
    shares = [math.floor(share) for share in exact]
    by_loss = sorted(range(len(exact)), key=lambda index: shares[index] - exact[index])
    missing = score - sum(shares)
    for index in by_loss[:missing]:
        shares[index] += 1
    return score, shares


def changes(evidence: Evidence, given: Trust | None, now: datetime, policy: Policy) -> Changes:
    """What one more clean order, or one claim, would do to the score of this moment."""

    def score(supposed: Evidence) -> float:
        return total(values(supposed, given, now, policy), policy.weights)

    before, clean = score(evidence), score(with_orders(evidence, 1))
    claimed = score(with_claims(evidence, 1.0))
    return Changes(clean_order=clean - before, claim=claimed - before)


def with_orders(
    evidence: Evidence, count: int, value_minor: float | None = None, log_ratio: float = 0.0
) -> Evidence:
    """The evidence after `count` more clean, matured orders of today. Without a value they are as
    large as the past ones; `log_ratio` is ln(paid / reference), already within the limit.
    """
    sums = evidence.sums
    usual = sums.volume / sums.orders if sums.orders > 0 else 0.0
    value = (usual if value_minor is None else value_minor) * count
    more = Sums(orders=count, volume=value, matured=count, priced=value, excess=value * log_ratio)
    return Evidence(sums=sums.plus(more), active_months=evidence.active_months)


def with_claims(evidence: Evidence, severity: float) -> Evidence:
    """The evidence after claims of that much severity on orders of today."""
    return Evidence(
        sums=evidence.sums.plus(Sums(blemish=severity)), active_months=evidence.active_months
    )


def log_percent(percent: float) -> float:
    """ln(paid / reference) for a price so many percent above the reference; above -100."""
    return math.log1p(percent / 100.0)
