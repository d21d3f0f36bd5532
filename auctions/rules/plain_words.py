"""What the texts about an auction are made of."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .parameters import Phase, Terms
from .terms_view import seconds


class Paragraph(msgspec.Struct, frozen=True):
    """One rule: what it is called, what it says, and an example with figures of this auction."""

    heading: str
    text: str
    example: str


Writer = Callable[[Terms, Phase], Paragraph | None]


def duration(us: int) -> str:
    """`90 seconds`, `20 minutes`, `2 hours`."""
    length = seconds(us)
    for size, name in ((3_600, "hour"), (60, "minute")):
        if length >= size and length % size == 0:
            return f"{int(length // size)} {name}{'' if length == size else 's'}"
    return f"{length} second{'' if length == 1 else 's'}"


def sample_price(terms: Terms) -> int:
    """A price for examples: the ceiling, or 1,000 of the currency."""
    return terms.ceiling_minor or 1_000 * 10**terms.exponent
