"""Terms back as JSON, in the shape of the public contract: the inverse of `read_terms`."""

from __future__ import annotations

from typing import Any

from auctions.rules.core.parameters import HYBRID, Feature, Phase, Scoring, Terms
from auctions.rules.parts.fields import plain
from auctions.rules.versions import format_of
from marketplace.kernel.clock import rfc3339
from marketplace.kernel.money import format_minor


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
    phases = [_phase(terms, phase) for phase in terms.phases]
    hybrid = terms.format == HYBRID
    rules: dict[str, Any] = {"format": HYBRID, "phases": phases} if hybrid else phases[0]
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


def _phase(terms: Terms, phase: Phase) -> dict[str, Any]:
    return {"format": phase.format} | format_of(terms, phase).show(phase, terms.exponent)


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
