"""Award sheets: places by weight, shares of a lot, and who is next. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from fractions import Fraction

from auctions.tenders.schemas.awards import Ranked
from marketplace.kernel.decimals import NotADecimal, parse_decimal

BASIS_POINTS = 10_000
SHARE_PLACES = 4
WHOLE = Decimal(100)


def scores(rows: Sequence[Ranked], weight_price: int, weight_rating: int) -> list[Fraction]:
    """In percent, row by row: price = best evaluated / evaluated, rating = rating / 100; who is not
    rated yet counts half.
    """
    values = [Fraction(row.evaluated) for row in rows]
    best = min(values, default=Fraction(0))
    return [
        (weight_price * _ratio(best, value) + weight_rating * _rating(row)) * 100 / BASIS_POINTS
        for row, value in zip(rows, values, strict=True)
    ]


def _ratio(best: Fraction, value: Fraction) -> Fraction:
    # Bonuses and malus can bring an evaluated price to zero or below.
    return best / value if best > 0 else Fraction(int(value == best))


def _rating(row: Ranked) -> Fraction:
    return Fraction(1, 2) if row.rating is None else Fraction(row.rating) / 100


def places(points: Sequence[Fraction]) -> list[int]:
    """The place of each by falling points; equal ones keep the order they came in."""
    order = sorted(range(len(points)), key=lambda index: -points[index])
    found = [0] * len(points)
    for place, index in enumerate(order, 1):
        found[index] = place
    return found


def one_decimal(value: Fraction) -> str:
    tenths = round(value * 10)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"


def read_share(text: str) -> Decimal | None:
    """A decimal percent above 0 and up to 100 with at most four places, or None."""
    try:
        share = parse_decimal(text, whole=3, places=SHARE_PLACES)
    except NotADecimal:
        return None
    return share if 0 < share <= WHOLE else None


def part_minor(price_minor: int, share: Decimal) -> int:
    """A share of a price in minor units, half to even."""
    return round(Fraction(price_minor) * Fraction(share) / 100)


def following(rows: Sequence[Ranked], rank: int, taken: Collection[object]) -> Ranked | None:
    """The next below `rank` whose organisation is not in `taken`."""
    for row in sorted(rows, key=lambda row: row.rank):
        if row.rank > rank and row.organisation_id not in taken:
            return row
    return None


def is_plain(
    rows: Sequence[Ranked],
    chosen: Sequence[tuple[object, Decimal]],
    taken: Collection[object],
    held: Decimal,
) -> bool:
    """Whether a choice needs no second pair of eyes: all that is left goes to the best that is
    left.
    """
    left = [row for row in rows if row.organisation_id not in taken]
    if len(chosen) != 1 or not left:
        return False
    organisation_id, share = chosen[0]
    best = min(left, key=lambda row: row.rank)
    return best.organisation_id == organisation_id and held + share == WHOLE


def reference_minor(rows: Sequence[Ranked], own: object, share: Decimal) -> int | None:
    """The median of what the others asked, for this share; the lower one of two middle ones."""
    prices = sorted(row.price_minor for row in rows if row.organisation_id != own)
    return part_minor(prices[(len(prices) - 1) // 2], share) if prices else None
