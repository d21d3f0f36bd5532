"""What a practice auction is: the same rules in minutes, and the bots that come to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from auctions.practice.strategy import Character, answers_to
from auctions.rules.parameters import Overtime, Phase, Terms
from auctions.rules.terms_view import rules_of
from marketplace.kernel.money import format_minor, parse_minor

SECOND_US = 1_000_000
START_US = 12 * SECOND_US
"""Time to read the page; longer than the lead of the heartbeat."""

ENGLISH_US, SEALED_US, OVERTIME_US = 180 * SECOND_US, 60 * SECOND_US, 20 * SECOND_US
EXTENSIONS_MAX = 5
TURN_US, FIRST_PAUSE_US, PAUSE_US = 20 * SECOND_US, 20 * SECOND_US, 5 * SECOND_US
CLOCK_US, INTERVAL_US_MIN, INTERVAL_US_MAX = 240 * SECOND_US, 3 * SECOND_US, 10 * SECOND_US
STEPS_MAX = CLOCK_US // INTERVAL_US_MIN
BOTS, BOTS_IN_ROUNDS = 5, 3
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
        phases=tuple(_short(phase) for phase in terms.phases),
        min_rating=None,
        names_after_close=False,
    )


def _short(phase: Phase) -> Phase:
    if phase.format == "english":
        duration_us = min(phase.duration_us, ENGLISH_US)
        return msgspec.structs.replace(
            phase, duration_us=duration_us, overtime=_overtime(phase.overtime)
        )
    if phase.format in ("sealed", "last_word"):
        return msgspec.structs.replace(phase, duration_us=min(phase.duration_us, SEALED_US))
    if phase.format == "rounds":
        return _rounds(phase)
    return _clock(phase)


def _overtime(overtime: Overtime | None) -> Overtime | None:
    if overtime is None:
        return None
    limit = EXTENSIONS_MAX if overtime.limit is None else min(overtime.limit, EXTENSIONS_MAX)
    return msgspec.structs.replace(
        overtime,
        window_us=min(overtime.window_us, OVERTIME_US),
        extend_us=min(overtime.extend_us, OVERTIME_US),
        limit=limit,
    )


def _rounds(phase: Phase) -> Phase:
    turn_us = min(phase.turn_us, TURN_US)
    first_pause_us = min(phase.first_pause_us, FIRST_PAUSE_US)
    pause_us, announce_us = min(phase.pause_us, PAUSE_US), min(phase.announce_us, PAUSE_US)
    rounds = min(phase.rounds, 3)
    turns_us = rounds * (BOTS_IN_ROUNDS + 1) * turn_us
    return msgspec.structs.replace(
        phase,
        rounds=rounds,
        turn_us=turn_us,
        first_pause_us=first_pause_us,
        pause_us=pause_us,
        announce_us=announce_us,
        duration_us=first_pause_us + turns_us + (rounds - 1) * pause_us + announce_us,
    )


def _clock(phase: Phase) -> Phase:
    """At most STEPS_MAX steps, as quick as a person can follow."""
    rising = phase.format == "dutch"
    span = phase.cap_minor - phase.start_minor if rising else phase.start_minor - phase.floor_minor
    size = max(phase.increment_minor if rising else phase.decrement_minor, -(-span // STEPS_MAX))
    steps_count = -(-span // size) + 1
    interval_us = max(INTERVAL_US_MIN, min(CLOCK_US // steps_count, INTERVAL_US_MAX))
    interval_us = min(interval_us, phase.interval_us)
    return msgspec.structs.replace(
        phase,
        increment_minor=size if rising else 0,
        decrement_minor=0 if rising else size,
        interval_us=interval_us,
        duration_us=steps_count * interval_us,
    )


def bots_count(terms: Terms) -> int:
    """Few where everybody has to wait for everybody's turn."""
    return BOTS_IN_ROUNDS if any(phase.format == "rounds" for phase in terms.phases) else BOTS


def character(terms: Terms, alias: str) -> Character:
    """The bot behind `alias`: the same on every node and at every look."""
    dice = Random(f"{terms.auction}/{alias}")  # noqa: S311  # how bots bid is no secret
    anchor = _anchor(terms)
    opening = max(1, anchor * dice.randint(90, 100) // 100)
    return Character(
        opening_minor=opening,
        floor_minor=_floor(terms.phases, anchor, opening, dice),
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


def _floor(phases: Sequence[Phase], anchor: int, opening: int, dice: Random) -> int:
    clock = phases[0]
    if clock.format == "dutch":
        span = clock.cap_minor - clock.start_minor
        return clock.start_minor + span * dice.randint(25, 90) // 100
    if clock.format == "japanese":
        span = clock.start_minor - clock.floor_minor
        return clock.start_minor - span * dice.randint(15, 60) // 100
    return max(1, min(opening, anchor * dice.randint(70, 88) // 100))
