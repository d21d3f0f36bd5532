"""From the lines of a bid to the lines of an order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from auctions.rules.core.parameters import Line


class Wanted(msgspec.Struct, frozen=True):
    """An item of the lot as the tender names it."""

    name: str
    item_id: UUID | None


def named(lines: Sequence[Line], ids: Iterable[str]) -> list[Line]:
    """The lines with these ids in the order of the lot; what it no longer has comes last."""
    left = set(ids)
    known = [line for line in lines if line.id in left]
    gone = sorted(left - {line.id for line in known})
    return known + [Line(name, name) for name in gone]


def match(lines: Sequence[Line], items: Sequence[Wanted]) -> list[int] | None:
    """For each item the index of the line that prices it; None unless each has one of its own.

    A line prices the item whose name is its title or whose catalogue id is its id. Lines numbered
    "1", "2", … price the items in their order where there are as many.
    """
    found: list[int] = []
    for item in items:
        named = [
            index for index, line in enumerate(lines) if index not in found and _is_of(line, item)
        ]
        if not named:
            break
        found.append(named[0])
    if len(found) == len(items):
        return found
    numbers = [str(number) for number in range(1, len(items) + 1)]
    return list(range(len(items))) if [line.id for line in lines] == numbers else None


def _is_of(line: Line, item: Wanted) -> bool:
    return line.title.casefold() == item.name.casefold() or line.id == str(item.item_id)
