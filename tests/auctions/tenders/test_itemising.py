"""From the lines of a bid to the lines of an order."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctions.rules.core.parameters import Line
from auctions.tenders.itemising import Wanted, match
from marketplace.kernel.money import split_minor

PUMP = UUID(int=7)


@given(total=st.integers(0, 10**12), parts=st.lists(st.integers(0, 10**9), min_size=1, max_size=9))
def test_a_split_is_whole_and_nearly_in_proportion(total, parts):
    shares = split_minor(total, parts)
    assert sum(shares) == total
    whole = sum(parts)
    if whole:
        assert all(
            abs(share * whole - total * part) < whole
            for share, part in zip(shares, parts, strict=True)
        )


def test_the_earlier_of_equal_parts_gets_what_is_left():
    assert split_minor(100, [1, 1, 1]) == [34, 33, 33]
    assert split_minor(100, [0, 0]) == [100, 0]
    assert split_minor(100, []) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([Line("x", "Seals"), Line("y", "pump")], [1, 0]),
        ([Line("t", "Transport"), Line(str(PUMP), "P-400"), Line("s", "Seals")], [1, 2]),
        ([Line("1", "Sets of pumps"), Line("2", "Small parts")], [0, 1]),
        ([Line("1", "Everything")], None),
        ([Line("2", "Small parts"), Line("1", "Sets of pumps")], None),
        ([Line("x", "Pump"), Line("y", "Transport")], None),
    ],
)
def test_each_item_needs_a_line_of_its_own(lines, expected):
    assert match(lines, [Wanted("Pump", PUMP), Wanted("Seals", None)]) == expected
