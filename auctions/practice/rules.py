"""What a practice auction is: the same rules in minutes, and the bots that come to it. Pure."""

from __future__ import annotations

from random import Random

import msgspec

from auctions.practice.strategy import Character, answers_to
from auctions.rules.core.parameters import Terms
from auctions.rules.terms.show import rules_of
from auctions.rules.versions import format_of
from marketplace.kernel.money import format_minor, parse_minor

SECOND_US = 1_000_000
START_US = 12 * SECOND_US
"""Time to read the page; longer than the lead of the heartbeat."""

ANCHOR_MINOR = 1_000_000
"""Where the bots' prices come from when the rules name no amount at all."""


def practice_terms(terms: Terms, auction: str, now_us: int) -> Terms:
    """The same rules with short times; a clock with many steps takes bigger ones. Ratings let
    nobody in or out.
    """
    return msgspec.structs.replace(
        terms,
        auction=auction,
        starts_at_us=now_us + START_US,
        phases=tuple(format_of(terms, phase).shortened(phase) for phase in terms.phases),
        min_rating=None,
        names_after_close=False,
    )


def bots_count(terms: Terms) -> int:
    """As few as the format that waits the longest for each of them takes."""
    return min(format_of(terms, phase).bots for phase in terms.phases)


def character(terms: Terms, alias: str) -> Character:
    """The bot behind `alias`: the same on every node and at every look."""
    dice = Random(f"{terms.auction}/{alias}")  # noqa: S311  # how bots bid is no secret
    anchor = _anchor(terms)
    opening = max(1, anchor * dice.randint(90, 100) // 100)
    first = terms.phases[0]
    return Character(
        opening_minor=opening,
        floor_minor=format_of(terms, first).bot_floor(first, anchor, opening, dice),
        answers=answers_to(rules_of(terms), opening, terms.currency, dice),
        eagerness_percent=dice.randint(8, 25),
    )


def lines_of(terms: Terms, price: str) -> dict[str, str]:
    """A bot's price in equal lines, the last one with what is left; nothing where no line is
    asked for.
    """
    if not terms.lines:
        return {}
    whole = parse_minor(price, terms.exponent)
    each = whole // len(terms.lines)
    totals = [each] * (len(terms.lines) - 1) + [whole - each * (len(terms.lines) - 1)]
    return {
        line.id: format_minor(total, terms.exponent)
        for line, total in zip(terms.lines, totals, strict=True)
    }


def _anchor(terms: Terms) -> int:
    """About what the lot may cost: the ceiling, else a clock's start."""
    if terms.ceiling_minor is not None:
        return terms.ceiling_minor
    starts = [phase.start_minor for phase in terms.phases if phase.start_minor]
    return starts[0] if starts else ANCHOR_MINOR
