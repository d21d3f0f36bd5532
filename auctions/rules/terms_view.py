"""Terms back as JSON, in the shape of the public contract: the inverse of `read_terms`."""

from __future__ import annotations

from typing import Any

from marketplace.kernel.clock import rfc3339
from marketplace.kernel.money import format_minor

from .parameters import Feature, Overtime, Phase, Scoring, Step, Terms

SECOND_US = 1_000_000


def describe(terms: Terms) -> dict[str, Any]:
    """What everybody may know about an auction: its rules, currency and ceiling."""
    top = terms.ceiling_minor
    return {
        "auction": terms.auction,
        "currency": terms.currency,
        "ceiling": None if top is None else format_minor(top, terms.exponent),
        "rules_version": terms.rules_version,
        "rules": rules_of(terms),
    }


def rules_of(terms: Terms) -> dict[str, Any]:
    """The `rules` object that `read_terms` would read as these terms."""
    phases = [_phase(phase, terms.exponent) for phase in terms.phases]
    hybrid = terms.format == "phases"
    rules: dict[str, Any] = {"format": "phases", "phases": phases} if hybrid else phases[0]
    guard = terms.typo_guard_ppm
    rules |= {
        "starts_at": rfc3339(terms.starts_at_us),
        "scoring": _scoring(terms.scoring),
        "ties": terms.ties,
        "tie_rank": terms.tie_rank,
        "visibility": terms.visibility,
        "typo_guard_percent": None if guard is None else plain(guard, 4),
        "min_rating": terms.min_rating,
        "names_after_close": terms.names_after_close,
    }
    if terms.lines:
        rules["lines"] = [
            {"id": line.id, "title": line.title, "quantity": line.quantity} for line in terms.lines
        ]
    return rules


def plain(number: int, places: int) -> str:
    """A decimal text without needless zeros: 300000 at 4 places is `30`."""
    text = format_minor(number, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds(us: int) -> int | float:
    return us // SECOND_US if us % SECOND_US == 0 else us / SECOND_US


def _phase(phase: Phase, exponent: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"format": phase.format}
    if phase.format in ("english", "sealed", "last_word"):
        shown["duration_s"] = seconds(phase.duration_us)
    if phase.format in ("english", "rounds"):
        shown["step"] = _step(phase.step, exponent)
    if phase.format == "english" and phase.overtime is not None:
        shown["overtime"] = _overtime(phase.overtime)
    if phase.format == "rounds":
        shown |= {
            "rounds": phase.rounds,
            "turn_s": seconds(phase.turn_us),
            "first_pause_s": seconds(phase.first_pause_us),
            "pause_s": seconds(phase.pause_us),
            "announce_s": seconds(phase.announce_us),
        }
    if phase.format in ("dutch", "japanese"):
        shown["start"] = format_minor(phase.start_minor, exponent)
        shown["interval_s"] = seconds(phase.interval_us)
    if phase.format == "dutch":
        shown["increment"] = format_minor(phase.increment_minor, exponent)
        shown["cap"] = format_minor(phase.cap_minor, exponent)
    if phase.format == "japanese":
        shown["decrement"] = format_minor(phase.decrement_minor, exponent)
        shown["floor"] = format_minor(phase.floor_minor, exponent)
    return shown


def step_text(step: Step, value: int, exponent: int) -> str:
    """A step's value as it is written in the rules."""
    return plain(value, 4) if step.kind == "percent" else format_minor(value, exponent)


def _step(step: Step, exponent: int) -> dict[str, Any]:
    return {
        "against": step.against,
        "kind": step.kind,
        "value": step_text(step, step.value, exponent),
        "bands": [
            {
                "from": format_minor(band.from_minor, exponent),
                "value": step_text(step, band.value, exponent),
            }
            for band in step.bands
        ],
        "front_buffer": format_minor(step.front_buffer, exponent),
        "back_buffer": format_minor(step.back_buffer, exponent),
    }


def _overtime(overtime: Overtime) -> dict[str, Any]:
    return {
        "window_s": seconds(overtime.window_us),
        "extend_s": seconds(overtime.extend_us),
        "trigger_rank": overtime.trigger_rank,
        "from": overtime.counted_from,
        "max": overtime.limit,
    }


def _scoring(scoring: Scoring) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": scoring.kind}
    if scoring.features:
        shown["features"] = [_feature(feature) for feature in scoring.features]
    if scoring.costs:
        shown["costs"] = [{"id": cost.id, "title": cost.title} for cost in scoring.costs]
    return shown


def _feature(feature: Feature) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": feature.id,
        "title": feature.title,
        "max": plain(feature.max_ppm, 6),
    }
    if feature.source == "rating":
        return shown | {"source": "rating", "unrated": feature.unrated}
    shown["options"] = [
        {"id": option.id, "title": option.title, "value": plain(option.value_ppm, 6)}
        for option in feature.options
    ]
    return shown
