"""Identifiers rise, tokens are never stored, and times are exact."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.clock import Clock, from_micros, rfc3339, to_micros
from marketplace.kernel.ids import new_id, new_token, token_hash


def test_ids_are_uuid_7_and_rise() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert {each.version for each in ids} == {7}
    assert {each.variant for each in ids} == {"specified in RFC 4122"}


def test_an_id_tells_its_millisecond() -> None:
    before = Clock().now_us() // 1_000
    stamp = new_id().int >> 80
    assert before <= stamp <= Clock().now_us() // 1_000 + 6  # the counter may run a little ahead


def test_a_token_is_long_and_its_hash_is_something_else() -> None:
    token = new_token()
    assert len(token) >= 43
    assert token not in token_hash(token).hex()
    assert token_hash(token) == token_hash(token) != token_hash(new_token())


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_microseconds_are_exact(naive: datetime) -> None:
    when = naive.replace(tzinfo=UTC)
    assert from_micros(to_micros(when)) == when


def test_a_written_time_always_has_six_digits() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
