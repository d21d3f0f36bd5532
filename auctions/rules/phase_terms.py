"""Reads the parameters of one phase: its clock, its step, its overtime."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

from marketplace.kernel.money import MINOR_MAX

from .parameters import BANDS_MAX, PPM, STEPS_MAX, Band, Overtime, Phase, Step
from .reading import Section

DURATION_S_MAX = 31 * 86_400
TURN_S_MAX = 86_400
ROUNDS_MAX = 20
RANK_MAX = 1_000


def read_phase(
    section: Section, format_: str, exponent: int, ceiling: int | None, bidders: int | None
) -> Phase:
    """One phase from `section`; shared keys are read even where the format has no use for them."""
    duration_us = section.seconds("duration_s", 1, DURATION_S_MAX, 1_200)
    step = _step(section.section("step"), exponent, ceiling) if section.has("step") else Step()
    overtime = _overtime(section) if section.has("overtime") else None
    phase = Phase(
        format=cast(Any, format_),
        step=step if format_ in ("english", "rounds") else Step(),
        overtime=overtime if format_ == "english" else None,
        **{"duration_us": duration_us} | _CLOCKS[format_](section, exponent, ceiling),
    )
    if format_ in ("rounds", "japanese") and bidders == 1:
        section.wrong("format", "impossible", "With one bidder there is nobody to take turns with.")
    return phase


def _step(section: Section, exponent: int, ceiling: int | None) -> Step:
    against = section.choice("against", ("own", "lead"), "own")
    kind = section.choice("kind", ("amount", "percent"), "amount")
    section.needed("value")
    value = _size(section, "value", kind, exponent, ceiling)
    bands = []
    for item in section.sections("bands", BANDS_MAX):
        item.needed("from")
        item.needed("value")
        start = item.decimal("from", exponent, 0, MINOR_MAX, 0) or 0
        bands.append(Band(start, _size(item, "value", kind, exponent, ceiling)))
        item.done()
    if any(low.from_minor >= high.from_minor for low, high in pairwise(bands)):
        section.wrong("bands", "not_rising", "Each band must start above the one before.")
    step = Step(
        against=cast(Any, against),
        kind=cast(Any, kind),
        value=value,
        bands=tuple(bands),
        front_buffer=_below_ceiling(section, "front_buffer", exponent, 0, ceiling),
        back_buffer=_below_ceiling(section, "back_buffer", exponent, 0, ceiling),
    )
    section.done()
    return step


def _size(section: Section, key: str, kind: str, exponent: int, ceiling: int | None) -> int:
    if kind == "percent":
        return section.decimal(key, 4, 1, PPM - 1, 1) or 1
    return _below_ceiling(section, key, exponent, 1, ceiling)


def _below_ceiling(section: Section, key: str, exponent: int, low: int, ceiling: int | None) -> int:
    amount = section.decimal(key, exponent, low, MINOR_MAX, low) or low
    if ceiling is not None and amount >= ceiling:
        section.wrong(
            key, "impossible", "This is not below the ceiling: nobody could ever bid twice."
        )
    return amount


def _overtime(parent: Section) -> Overtime:
    section = parent.section("overtime")
    window_us = section.seconds("window_s", 1, DURATION_S_MAX, 120)
    overtime = Overtime(
        window_us=window_us,
        extend_us=section.seconds("extend_s", 1, DURATION_S_MAX, 120),
        trigger_rank=section.whole("trigger_rank", 1, RANK_MAX, None),
        counted_from=cast(Any, section.choice("from", ("close", "bid"), "close")),
        limit=section.whole("max", 1, 1_000_000, None),
    )
    section.done()
    duration_us = parent.seconds("duration_s", 1, DURATION_S_MAX, 1_200)
    if window_us > duration_us and not section.is_wrong("window_s"):
        section.wrong("window_s", "impossible", "The window is longer than the auction.")
    return overtime


def _timed(section: Section, exponent: int, ceiling: int | None) -> dict[str, int]:
    return {}


def _rounds(section: Section, exponent: int, ceiling: int | None) -> dict[str, int]:
    clock = {
        "rounds": section.whole("rounds", 1, ROUNDS_MAX, 3) or 3,
        "turn_us": section.seconds("turn_s", 1, TURN_S_MAX, 120),
        "first_pause_us": section.seconds("first_pause_s", 0, TURN_S_MAX, 300),
        "pause_us": section.seconds("pause_s", 0, TURN_S_MAX, 120),
        "announce_us": section.seconds("announce_s", 0, TURN_S_MAX, 0),
    }
    # An estimate with two bidders; the opening knows how many there are.
    turns_us = clock["rounds"] * 2 * clock["turn_us"]
    pauses_us = clock["first_pause_us"] + (clock["rounds"] - 1) * clock["pause_us"]
    return clock | {"duration_us": turns_us + pauses_us + clock["announce_us"]}


def _dutch(section: Section, exponent: int, ceiling: int | None) -> dict[str, int]:
    start = _asked(section, "start", exponent, ceiling)
    increment = _asked(section, "increment", exponent, ceiling)
    if not section.has("cap") and ceiling is None:
        section.wrong("cap", "required", "Without a ceiling the clock needs a cap.")
    cap = section.decimal("cap", exponent, 1, MINOR_MAX, ceiling or start) or start
    if cap < start and not section.is_wrong("cap"):
        section.wrong("cap", "impossible", "The cap is below the start.")
    if ceiling is not None and cap > ceiling:
        section.wrong("cap", "impossible", "The cap is above the ceiling.")
    steps_count = -(-(cap - start) // increment) + 1
    if steps_count > STEPS_MAX and not section.is_wrong("increment"):
        section.wrong("increment", "out_of_range", f"At most {STEPS_MAX} steps.")
    interval_us = section.seconds("interval_s", 1, TURN_S_MAX, 30)
    return {
        "duration_us": steps_count * interval_us,
        "start_minor": start,
        "increment_minor": increment,
        "cap_minor": cap,
        "interval_us": interval_us,
    }


def _japanese(section: Section, exponent: int, ceiling: int | None) -> dict[str, int]:
    start = _asked(section, "start", exponent, ceiling)
    decrement = _asked(section, "decrement", exponent, ceiling)
    floor = section.decimal("floor", exponent, 1, MINOR_MAX, 1) or 1
    if decrement >= start and not (section.is_wrong("start") or section.is_wrong("decrement")):
        section.wrong("decrement", "impossible", "The first step down would end below zero.")
    if floor > start and not (section.is_wrong("start") or section.is_wrong("floor")):
        section.wrong("floor", "impossible", "The floor is above the start.")
    steps_count = (start - floor) // decrement + 1
    if steps_count > STEPS_MAX and not section.is_wrong("decrement"):
        section.wrong("decrement", "out_of_range", f"At most {STEPS_MAX} steps.")
    interval_us = section.seconds("interval_s", 1, TURN_S_MAX, 30)
    return {
        "duration_us": steps_count * interval_us,
        "start_minor": start,
        "decrement_minor": decrement,
        "floor_minor": floor,
        "interval_us": interval_us,
    }


def _asked(section: Section, key: str, exponent: int, ceiling: int | None) -> int:
    section.needed(key)
    amount = section.decimal(key, exponent, 1, MINOR_MAX, 1) or 1
    if ceiling is not None and amount > ceiling:
        section.wrong(key, "impossible", "This is above the ceiling.")
    return amount


_CLOCKS = {
    "english": _timed,
    "sealed": _timed,
    "rounds": _rounds,
    "dutch": _dutch,
    "japanese": _japanese,
    "last_word": _timed,
}
