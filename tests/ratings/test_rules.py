"""The formulas by hand, the Beta quantile against known values, policies against their limits."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings import rules
from ratings.accumulators import Evidence, Sums, capped, month_index
from ratings.beta import beta_quantile, incomplete_beta
from ratings.policy import DEFAULT, Parameters, Weights, parameter_errors, weight_errors

NOW = datetime(2027, 1, 1, tzinfo=UTC)
P = Parameters()


def evidence(**sums: float) -> Evidence:
    return Evidence(sums=Sums(**sums), active_months=12)


def test_each_component_is_the_formula() -> None:
    sums = Sums(orders=10, volume=50_000_000, matured=10, blemish=1, priced=5e6, excess=5e5)
    assert rules.orders(sums, P) == 0.5
    assert math.isclose(rules.volume(sums, P), math.log(51) / math.log(101))
    assert math.isclose(rules.claim_rate(sums, P), (1 + 10 * 0.05) / 20)
    assert math.isclose(rules.claims(0.075, P), 0.7)
    assert math.isclose(rules.price(sums, P), 0.5 - (5e5 / 1e7) / 0.5)
    assert rules.tenure(12) == 0.5
    given_at = NOW - timedelta(days=365)
    full = rules.Trust(1.0, given_at, NOW + timedelta(days=1))
    assert rules.trust(full, NOW, P) == 0.75


def test_trust_ends_and_its_absence_is_the_prior() -> None:
    over = rules.Trust(1.0, NOW - timedelta(days=9), NOW)
    assert rules.trust(over, NOW, P) == rules.trust(None, NOW, P) == 0.5


def test_too_little_evidence_is_no_number() -> None:
    assert rules.rate(evidence(orders=2.4), None, NOW, DEFAULT) is None
    assert rules.rate(evidence(), None, NOW, DEFAULT) is None
    rated = rules.rate(evidence(orders=3, volume=3e6), None, NOW, DEFAULT)
    assert rated is not None
    assert 0 < rated.raw < 100


def test_claims_neither_make_nor_hide_a_rating() -> None:
    assert rules.rate(evidence(orders=1, blemish=1), None, NOW, DEFAULT) is None
    assert rules.rate(evidence(orders=3, blemish=3), None, NOW, DEFAULT) is not None


def test_what_would_change_it_is_what_then_changes() -> None:
    before = evidence(orders=10, volume=1e8, matured=8, priced=1e8, excess=0)
    told = rules.changes(before, None, NOW, DEFAULT)
    assert told.clean_order > 0 > told.claim
    after = rules.explain(rules.with_claims(before, 1.0), None, NOW, DEFAULT).raw
    assert math.isclose(after, rules.explain(before, None, NOW, DEFAULT).raw + told.claim)


@pytest.mark.parametrize(
    ("a", "b", "level", "expected"),
    [
        (1, 1, 0.9, 0.9),
        (2, 1, 0.9, math.sqrt(0.9)),
        (1, 3, 0.9, 1 - 0.1 ** (1 / 3)),
        (0.5, 0.5, 0.9, math.sin(math.pi * 0.9 / 2) ** 2),
        (1, 1_000, 0.95, 1 - 0.05 ** (1 / 1_000)),
        (5_000, 1, 0.5, 0.5 ** (1 / 5_000)),
    ],
)
def test_the_beta_quantile_where_it_is_known_exactly(
    a: float, b: float, level: float, expected: float
) -> None:
    assert math.isclose(beta_quantile(a, b, level), expected, rel_tol=1e-9)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.001, 0.999))
def test_the_incomplete_beta_is_the_binomial_tail(a: int, b: int, x: float) -> None:
    """I_x(a, b) = P[Bin(a + b - 1, x) >= a] for whole a and b (DLMF 8.17.5)."""
    n = a + b - 1
    tail = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert math.isclose(incomplete_beta(a, b, x), tail, rel_tol=1e-9, abs_tol=1e-12)


@given(st.floats(0.01, 5_000), st.floats(0.01, 5_000), st.floats(0.5, 0.999))
def test_the_quantile_is_the_inverse(a: float, b: float, level: float) -> None:
    x = beta_quantile(a, b, level)
    assert incomplete_beta(a, b, math.nextafter(x, 1) + 1e-12) >= level - 1e-7
    assert incomplete_beta(a, b, x - 1e-12) <= level + 1e-7


def test_the_cautious_score_comes_nearer_with_evidence() -> None:
    def gap(orders: float) -> float:
        sums = Sums(orders=orders, matured=orders, blemish=orders * 0.05)
        return rules.careful_claim_rate(sums, P) - rules.claim_rate(sums, P)

    assert gap(5) > gap(50) > gap(5_000) > 0


def test_wrong_policies_are_told_by_field() -> None:
    heavy = Weights(orders=0, volume=0, claims=0, price=0, tenure=7_999, trust=2_001)
    assert [error.field for error in weight_errors(heavy)] == ["weights.trust"]
    short = Weights(orders=1, volume=1, claims=1, price=1, tenure=1, trust=1)
    assert [error.code for error in weight_errors(short)] == ["wrong_sum"]
    bad = msgspec.structs.replace(
        P, half_life_days=1, claims_rate_max=math.nan, currency="eur", rates={"USD": "-1"}
    )
    assert [error.field for error in parameter_errors(bad)] == [
        "parameters.half_life_days",
        "parameters.claims_rate_max",
        "parameters.currency",
        "parameters.rates.USD",
    ]
    assert not weight_errors(DEFAULT.weights)
    assert not parameter_errors(DEFAULT.parameters)


def test_foreign_money_counts_by_the_policys_own_rate_or_not_at_all() -> None:
    euros = msgspec.structs.replace(P, rates={"JPY": "0.006"})
    assert euros.minor_rate("EUR") == 1.0
    assert math.isclose(euros.minor_rate("JPY") or 0, 0.6)
    assert euros.minor_rate("USD") is None


def test_an_order_is_one_bad_order_at_most() -> None:
    assert capped([0.5, 0.25]) == 0.75
    assert capped([1.0, 1.0]) == 1.0


def test_months_are_counted_in_utc() -> None:
    assert month_index(datetime(2000, 1, 31, tzinfo=UTC)) == 0
    assert month_index(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == 27 * 12 - 1
