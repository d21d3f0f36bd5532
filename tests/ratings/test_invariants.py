"""What RATING says must hold, as properties over invented histories."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ratings import rules
from ratings.accumulators import (
    CompletedOrder,
    Evidence,
    OrderLine,
    Sums,
    contribution,
    decayed,
    month_index,
    rebase,
)
from ratings.policy import COMPONENTS, DEFAULT, LANDMARK, Parameters, Policy, Weights
from ratings.public import Voice, combine, groups

NOW = datetime(2027, 6, 1, tzinfo=UTC)
CLOSE = 1e-9


class Past(msgspec.Struct, frozen=True):
    """An order and the severities of its upheld claims."""

    age_days: float
    value_minor: int
    log_ratio: float | None
    severities: tuple[float, ...] = ()


severities = st.floats(0, 1)
pasts = st.builds(
    Past,
    st.floats(0, 2_000),
    st.integers(1, 10**9),
    st.none() | st.floats(-1.5, 1.5),
    st.lists(severities, max_size=3).map(tuple),
)
histories = st.lists(pasts, max_size=12)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    parts = draw(st.lists(st.integers(0, 2_000), min_size=5, max_size=5))
    trust = draw(st.integers(0, 2_000))
    rest, whole = 10_000 - trust, sum(parts) or 1
    weights = [part * rest // whole for part in parts]
    weights[draw(st.integers(0, 4))] += rest - sum(weights)
    parameters = Parameters(
        half_life_days=draw(st.integers(30, 800)),
        orders_half=draw(st.floats(0.5, 100)),
        volume_unit_minor=draw(st.integers(1, 10**7)),
        volume_full_minor=draw(st.integers(10**7, 10**10)),
        claims_prior_orders=draw(st.floats(0.5, 50)),
        claims_prior_rate=draw(st.floats(0.001, 0.5)),
        claims_rate_max=draw(st.floats(0.01, 1)),
        maturity_days=draw(st.integers(0, 200)),
        price_limit=draw(st.floats(0.01, 1)),
        price_prior_minor=draw(st.integers(1, 10**8)),
    )
    named = dict(zip(COMPONENTS, [*weights, trust], strict=True))
    return msgspec.structs.replace(DEFAULT, weights=Weights(**named), parameters=parameters)


trusts = st.none() | st.builds(
    rules.Trust,
    st.floats(0, 1),
    st.floats(0, 900).map(lambda days: NOW - timedelta(days=days)),
    st.just(NOW + timedelta(days=30)),
)


def order_of(past: Past) -> CompletedOrder:
    at = NOW - timedelta(days=past.age_days)
    return CompletedOrder(
        ordered_at=at,
        completed_at=at,
        currency="EUR",
        lines=[OrderLine(past.value_minor, past.log_ratio)],
        severity=min(1.0, sum(past.severities)),
    )


def evidence_of(history: list[Past], policy: Policy, now: datetime = NOW) -> Evidence:
    """As the database keeps it: one addition for each event, then one division."""
    sums = Sums()
    for past in history:
        sums = sums.plus(contribution(order_of(past), LANDMARK, now, policy.parameters))
    months = {month_index(order_of(past).ordered_at) for past in history}
    return Evidence(sums=decayed(sums, LANDMARK, now, policy.parameters), active_months=len(months))


def score(history: list[Past], policy: Policy, trust: rules.Trust | None = None) -> float:
    return rules.explain(evidence_of(history, policy), trust, NOW, policy).raw


def parts(history: list[Past], policy: Policy) -> dict[str, float]:
    rated = rules.explain(evidence_of(history, policy), None, NOW, policy)
    return {part.name: part.value for part in rated.parts}


@given(histories, policies(), trusts)
def test_components_and_scores_stay_in_their_range(
    history: list[Past], policy: Policy, trust: rules.Trust | None
) -> None:
    rated = rules.explain(evidence_of(history, policy), trust, NOW, policy)
    assert all(0 <= part.value <= 1 for part in rated.parts)
    assert 0 <= rated.raw <= 100 + CLOSE
    assert 0 <= rated.cautious <= rated.raw + CLOSE
    assert 0 <= rated.confidence <= 1


@given(st.lists(pasts, min_size=1, max_size=12), policies(), severities, st.data())
def test_a_claim_never_raises_the_score_and_withdrawing_it_restores_it(
    history: list[Past], policy: Policy, severity: float, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(history) - 1))
    before = score(history, policy)
    hit = history[index]
    worse = msgspec.structs.replace(hit, severities=(*hit.severities, severity))
    claimed = [*history[:index], worse, *history[index + 1 :]]
    assert score(claimed, policy) <= before + CLOSE
    harsher = msgspec.structs.replace(hit, severities=(*hit.severities, min(1, severity + 0.2)))
    assert score([*history[:index], harsher, *history[index + 1 :]], policy) <= (
        score(claimed, policy) + CLOSE
    )
    # As the database does it: the difference is added, then taken back.
    sums = evidence_of(history, policy).sums
    delta = contribution(order_of(worse), LANDMARK, NOW, policy.parameters).plus(
        contribution(order_of(hit), LANDMARK, NOW, policy.parameters), -1
    )
    again = sums.plus(delta).plus(delta, -1)
    assert math.isclose(again.blemish, sums.blemish, rel_tol=CLOSE, abs_tol=CLOSE)


@given(policies(), st.floats(0, 1), st.integers(0, 100))
def test_the_first_trap_a_claim_on_an_immature_order_never_raises_the_score(
    policy: Policy, severity: float, age: int
) -> None:
    """Were the order counted in M as soon as it has a claim, q could fall below the prior."""
    clean = [Past(age, 100_000, None)]
    claimed = [Past(age, 100_000, None, (severity,))]
    assert evidence_of(clean, policy).sums.matured == evidence_of(claimed, policy).sums.matured
    assert score(claimed, policy) <= score(clean, policy) + CLOSE


@given(histories, policies())
def test_the_second_trap_a_missing_fact_uses_the_prior_and_keeps_its_weight(
    history: list[Past], policy: Policy
) -> None:
    blind = [msgspec.structs.replace(past, log_ratio=None) for past in history]
    at_reference = [msgspec.structs.replace(past, log_ratio=0.0) for past in history]
    assert parts(blind, policy)["price"] == 0.5
    assert math.isclose(score(blind, policy), score(at_reference, policy), abs_tol=CLOSE)
    rated = rules.explain(evidence_of([], policy), None, NOW, policy)
    assert sum(part.weight for part in rated.parts) == 10_000


@given(histories, policies(), st.integers(1, 10**9), st.floats(-1.5, 0))
def test_a_clean_order_at_or_below_the_reference_price_never_lowers_the_score(
    history: list[Past], policy: Policy, value: int, log_ratio: float
) -> None:
    """P is a mean. An order at the reference after bargains is no bargain, so alone the price
    component may come nearer to its neutral half, never past it; nothing else ever falls, and where
    the order is at least as cheap as the supplier has been, the score does not fall either.
    """
    more = [*history, Past(0, value, log_ratio)]
    before, after = parts(history, policy), parts(more, policy)
    for name in ("orders", "volume", "claims", "tenure", "trust"):
        assert after[name] >= before[name] - CLOSE
    assert after["price"] >= min(before["price"], 0.5) - CLOSE
    if after["price"] >= before["price"]:
        assert score(more, policy) >= score(history, policy) - CLOSE
    usual = 0.5 - before["price"]
    if max(log_ratio, -policy.parameters.price_limit) <= 2 * policy.parameters.price_limit * usual:
        assert score(more, policy) >= score(history, policy) - CLOSE


@given(st.lists(pasts, min_size=1, max_size=12), policies(), st.floats(0, 2), st.data())
def test_a_worse_paid_price_never_raises_the_score(
    history: list[Past], policy: Policy, by: float, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(history) - 1))
    hit = history[index]
    assume(hit.log_ratio is not None)
    worse = msgspec.structs.replace(hit, log_ratio=(hit.log_ratio or 0) + by)
    dearer = [*history[:index], worse, *history[index + 1 :]]
    assert score(dearer, policy) <= score(history, policy) + CLOSE


@given(histories, policies(), trusts, st.floats(0, 1))
def test_more_trust_never_lowers_the_score_and_moves_it_by_its_weight_at_most(
    history: list[Past], policy: Policy, trust: rules.Trust | None, more: float
) -> None:
    assume(trust is not None)
    assert trust is not None
    higher = rules.Trust(max(more, trust.credit), trust.given_at, trust.expires_at)
    before, after = score(history, policy, trust), score(history, policy, higher)
    assert before - CLOSE <= after <= before + policy.weights.trust / 100 + CLOSE
    assert abs(after - score(history, policy)) <= policy.weights.trust / 200 + CLOSE


@given(histories, policies(), st.randoms(use_true_random=False))
def test_the_order_of_events_is_irrelevant(
    history: list[Past], policy: Policy, random: object
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert math.isclose(score(shuffled, policy), score(history, policy), abs_tol=CLOSE)


@given(histories, policies(), st.integers(2, 1_000))
def test_scaling_the_currency_and_all_references_changes_nothing(
    history: list[Past], policy: Policy, factor: int
) -> None:
    scaled = [
        msgspec.structs.replace(past, value_minor=past.value_minor * factor) for past in history
    ]
    parameters = msgspec.structs.replace(
        policy.parameters,
        volume_unit_minor=policy.parameters.volume_unit_minor * factor,
        volume_full_minor=policy.parameters.volume_full_minor * factor,
        price_prior_minor=policy.parameters.price_prior_minor * factor,
    )
    same = msgspec.structs.replace(policy, parameters=parameters)
    assert math.isclose(score(scaled, same), score(history, policy), abs_tol=1e-7)


@given(histories, policies(), trusts)
def test_the_contributions_shown_add_up_exactly_to_the_score_shown(
    history: list[Past], policy: Policy, trust: rules.Trust | None
) -> None:
    rated = rules.explain(evidence_of(history, policy), trust, NOW, policy)
    assert sum(part.tenths for part in rated.parts) == rated.tenths
    assert abs(rated.tenths / 10 - rated.raw) <= 0.05 + CLOSE
    for part in rated.parts:
        assert 0 <= part.tenths <= math.ceil(part.weight / 10)
        assert abs(part.tenths - part.weight * part.value / 10) < 1


@given(histories, policies(), st.floats(0, 3_000))
def test_incremental_equals_the_definition_and_without_events_n_and_v_never_rise(
    history: list[Past], policy: Policy, later: float
) -> None:
    half_life = policy.parameters.half_life_days
    direct = math.fsum(2.0 ** (-past.age_days / half_life) for past in history)
    worth = math.fsum(past.value_minor * 2.0 ** (-past.age_days / half_life) for past in history)
    sums = evidence_of(history, policy).sums
    assert math.isclose(sums.orders, direct, rel_tol=CLOSE, abs_tol=CLOSE)
    assert math.isclose(sums.volume, worth, rel_tol=CLOSE, abs_tol=CLOSE)
    then = evidence_of(history, policy, NOW + timedelta(days=later)).sums
    assert then.orders <= sums.orders * (1 + CLOSE)
    assert then.volume <= sums.volume * (1 + CLOSE)


@given(histories, policies(), st.integers(1, 300))
def test_a_later_landmark_loses_no_bit(
    history: list[Past], policy: Policy, half_lives: int
) -> None:
    sums = Sums()
    for past in history:
        sums = sums.plus(contribution(order_of(past), LANDMARK, NOW, policy.parameters))
    again = rebase(rebase(sums, half_lives), -half_lives)
    # Only what was next to nothing before can leave float8's normal range.
    for name in Sums.__struct_fields__:
        assert abs(getattr(again, name) - getattr(sums, name)) <= 1e-200


voices = st.builds(
    Voice,
    st.uuids(),
    st.floats(0, 100),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
).map(lambda voice: msgspec.structs.replace(voice, spend_whole=voice.spend_here + 1))


@settings(max_examples=60)
@given(st.lists(voices, max_size=8), st.lists(st.tuples(st.uuids(), st.floats(1, 1e6))), st.uuids())
def test_single_supplier_buyers_leave_the_public_rating_unchanged(
    real: list[Voice], invented: list[tuple[UUID, float]], supplier: UUID
) -> None:
    puppets = [Voice(buyer, 100.0, spend, spend) for buyer, spend in invented]
    assert combine(supplier, real + puppets, {}) == combine(supplier, real, {})


def test_affiliates_of_the_supplier_are_left_out_and_a_group_has_one_voice() -> None:
    supplier, sister, one, two, three = (UUID(int=number) for number in range(1, 6))
    group_of = groups([(supplier, sister), (one, two)])
    voices = [
        Voice(sister, 100.0, 0.0, 10.0),
        Voice(one, 90.0, 0.0, 10.0),
        Voice(two, 90.0, 0.0, 10.0),
        Voice(three, 10.0, 0.0, 10.0),
    ]
    found = combine(supplier, voices, group_of)
    assert found.buyers == 2
    assert found.score is not None
    assert math.isclose(found.score, 50.0)
