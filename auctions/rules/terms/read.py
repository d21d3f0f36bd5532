"""Reads the `rules` of a lot, as in the public contract, into `Terms`; refuses the impossible.

`read_terms` is the only way from JSON to Terms.
"""

from __future__ import annotations

from typing import Any, cast

from auctions.rules.core.parameters import (
    COSTS_MAX,
    FEATURES_MAX,
    HYBRID,
    LINES_MAX,
    PHASES_MAX,
    PPM,
    Cost,
    Feature,
    Line,
    Option,
    Phase,
    Scoring,
    Step,
    Terms,
)
from auctions.rules.formats import DEFAULT
from auctions.rules.parts.fields import DURATION_S_MAX, Errors, Section
from auctions.rules.parts.overtime import read_overtime
from auctions.rules.parts.step import read_step
from auctions.rules.versions import format_of, newest
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import (
    MINOR_MAX,
    NotAnAmount,
    exponent_of,
    format_minor,
    has_currency_form,
    parse_minor,
)


def read_terms(
    rules: dict[str, Any],
    *,
    auction: str,
    currency: str,
    ceiling: str | None,
    bidders: int | None = None,
) -> Terms:
    """The `rules` object of the public contract as Terms.

    auction    the auction's id as text; part of what a confirmation token is made of
    currency   ISO 4217; its exponent is pinned into the terms
    ceiling    decimal text or None; the highest price anybody may bid
    bidders    how many may take part, when that is known already

    Raises Invalid with one FieldError for every wrong field; paths are relative to `rules`, such
    as `step.value`.
    """
    errors = Errors()
    if not has_currency_form(currency):
        errors.add(
            "currency", "unknown_currency", "A currency is three capital letters, such as EUR."
        )
    exponent = exponent_of(currency)
    top = _ceiling(ceiling, exponent, errors)
    section = Section(rules, "", errors)
    alone = [name for name, each in newest().formats.items() if each.stands_alone]
    format_ = section.choice("format", (*alone, HYBRID), DEFAULT.name)
    terms = Terms(
        auction=auction,
        currency=currency,
        exponent=exponent,
        ceiling_minor=top,
        format=format_,
        starts_at_us=section.moment("starts_at"),
        phases=_phases(section, format_, exponent, top, bidders),
        scoring=_scoring(section.section("scoring")) if section.has("scoring") else Scoring(),
        ties=cast(Any, section.choice("ties", ("allowed", "forbid_all", "forbid_lead"), "allowed")),
        tie_rank=cast(Any, section.choice("tie_rank", ("order", "best", "worst"), "order")),
        visibility=cast(
            Any, section.choice("visibility", ("blind", "rank", "rank_and_lead", "all"), "rank")
        ),
        typo_guard_ppm=_typo_guard(section),
        min_rating=_rating_text(section, "min_rating", None),
        names_after_close=section.flag("names_after_close", False),
        lines=_lines(section),
    )
    section.done()
    _check_together(section, terms)
    if errors.found:
        raise Invalid("invalid_rules", "These rules cannot be used.", errors=errors.found)
    return terms


def _ceiling(text: str | None, exponent: int, errors: Errors) -> int | None:
    if text is None:
        return None
    try:
        minor = parse_minor(text, exponent)
    except NotAnAmount as error:
        errors.add("ceiling", error.code, error.detail)
        return None
    if minor < 1:
        errors.add("ceiling", "out_of_range", "A ceiling is above zero.")
        return None
    return minor


def _phases(
    section: Section, format_: str, exponent: int, ceiling: int | None, bidders: int | None
) -> tuple[Phase, ...]:
    if format_ != HYBRID:
        return (_phase(section, format_, exponent, ceiling, bidders),)
    phases = []
    for item in section.sections("phases", PHASES_MAX):
        name = item.choice("format", tuple(newest().formats))
        phases.append(_phase(item, name, exponent, ceiling, bidders))
        item.done()
        _check_place(item, phases)
    if len(phases) < 2 and not section.is_wrong("phases"):
        section.wrong("phases", "required", "A hybrid needs two phases or more.")
    return tuple(phases)


def _phase(
    section: Section, name: str, exponent: int, ceiling: int | None, bidders: int | None
) -> Phase:
    """One phase from `section`; shared keys are read even where the format has no use for them."""
    format_ = newest().formats[name]
    duration_us = section.seconds("duration_s", 1, DURATION_S_MAX, 1_200)
    has_step = section.has("step")
    step = read_step(section.section("step"), exponent, ceiling) if has_step else Step()
    overtime = read_overtime(section) if section.has("overtime") else None
    fields = {"duration_us": duration_us, **format_.read(section, exponent, ceiling)}
    phase = Phase(
        format=name,
        step=step if format_.counts_steps else Step(),
        overtime=overtime if format_.has_overtime else None,
        **fields,
    )
    if format_.needs_rivals and bidders == 1:
        section.wrong("format", "impossible", "With one bidder there is nobody to take turns with.")
    return phase


def _check_place(item: Section, phases: list[Phase]) -> None:
    """Nothing can be carried into a clock; only one that ends on the first accept gives somebody
    the last word.
    """
    formats = [newest().formats[phase.format] for phase in phases]
    if formats[-1].is_clock and len(formats) > 1:
        message = "A clock asks everybody the same price: it must come first."
        item.wrong("format", "impossible", message)
    if formats[-1].is_last_word and (not formats[0].ends_on_accept or len(formats) < 3):
        message = (
            "A last word answers the bids of a phase between it and a clock that one accept ends."
        )
        item.wrong("format", "impossible", message)
    if any(each.is_last_word for each in formats[:-1]):
        item.wrong("format", "impossible", "Nothing comes after a last word.")


def _scoring(section: Section) -> Scoring:
    kind = section.choice("kind", ("price", "meat", "lcc", "mixed"), "price")
    features: tuple[Feature, ...] = ()
    costs: tuple[Cost, ...] = ()
    if kind in ("meat", "mixed"):
        features = tuple(_feature(item) for item in section.sections("features", FEATURES_MAX))
        _check_features(section, features)
    if kind in ("lcc", "mixed"):
        costs = tuple(_cost(item) for item in section.sections("costs", COSTS_MAX))
        _check_ids(section, "costs", [cost.id for cost in costs])
    section.done()
    return Scoring(kind=cast(Any, kind), features=features, costs=costs)


def _feature(section: Section) -> Feature:
    id_ = section.id()
    title = section.text("title", id_ or "?")
    section.needed("max")
    # A wrong max must not make every option wrong as well.
    most = section.decimal("max", 6, 1, PPM - 1, PPM) or PPM
    source = section.choice("source", ("options", "rating"), "options")
    if source == "rating":
        feature = Feature(
            id_,
            title,
            most,
            source="rating",
            unrated=_rating_text(section, "unrated", "50") or "50",
        )
    else:
        options = tuple(_option(item, most) for item in section.sections("options", FEATURES_MAX))
        _check_ids(section, "options", [option.id for option in options])
        feature = Feature(id_, title, most, options)
    section.done()
    return feature


def _option(section: Section, most: int) -> Option:
    id_ = section.id()
    section.needed("value")
    value = section.decimal("value", 6, 0, PPM, 0) or 0
    if value > most and not section.is_wrong("value"):
        section.wrong(
            "value", "impossible", "An option cannot be worth more than its criterion's max."
        )
    option = Option(id_, section.text("title", id_ or "?"), value)
    section.done()
    return option


def _cost(section: Section) -> Cost:
    id_ = section.id()
    cost = Cost(id_, section.text("title", id_ or "?"))
    section.done()
    return cost


def _check_features(section: Section, features: tuple[Feature, ...]) -> None:
    _check_ids(section, "features", [feature.id for feature in features])
    wrong = any(section.is_wrong(f"features[{index}].max") for index in range(len(features)))
    if not wrong and sum(feature.max_ppm for feature in features) >= PPM:
        section.wrong("features", "impossible", "The maxima must add up to less than 1.")


def _check_ids(section: Section, key: str, ids: list[str]) -> None:
    if not ids and not section.is_wrong(key):
        section.wrong(key, "required", "At least one is needed.")
    if len(set(ids)) != len(ids):
        section.wrong(key, "duplicate", "Each id may appear once.")


def _typo_guard(section: Section) -> int | None:
    """Null switches the guard off; missing is 30 percent."""
    section.asked.add("typo_guard_percent")
    if "typo_guard_percent" in section.values and section.values["typo_guard_percent"] is None:
        return None
    return section.decimal("typo_guard_percent", 4, 1, PPM, 300_000)


def _rating_text(section: Section, key: str, default: str | None) -> str | None:
    number = section.decimal(key, 4, 0, 1_000_000, None)
    return default if number is None else format_minor(number, 4)


def _lines(section: Section) -> tuple[Line, ...]:
    lines = []
    for item in section.sections("lines", LINES_MAX):
        id_ = item.id()
        quantity = item.decimal("quantity", 6, 1, MINOR_MAX, None)
        title = item.text("title", id_ or "?")
        lines.append(Line(id_, title, None if quantity is None else format_minor(quantity, 6)))
        item.done()
    if len({line.id for line in lines}) != len(lines):
        section.wrong("lines", "duplicate", "Each id may appear once.")
    return tuple(lines)


def _check_together(section: Section, terms: Terms) -> None:
    """What is fine alone and impossible together."""
    formats = [format_of(terms, phase) for phase in terms.phases]
    # A phase whose format counts no steps has the plain one.
    steps = [phase.step for phase in terms.phases]
    buffered = any(step.front_buffer or step.back_buffer for step in steps)
    if not terms.shows_lead and (buffered or any(step.against == "lead" for step in steps)):
        section.wrong(
            "visibility",
            "impossible",
            "A step or buffer measured against the lead tells what the lead is.",
            "Use rank_and_lead or all, or measure the step against the own bid.",
        )
    if terms.visibility == "blind" and terms.ties != "allowed":
        section.wrong(
            "ties", "impossible", "Refusing a tie tells a blind bidder another one's price."
        )
    if terms.visibility == "blind" and terms.names_after_close:
        section.wrong(
            "names_after_close",
            "impossible",
            "In a blind auction nobody learns of the others, neither before nor after the close.",
            "Use rank, rank_and_lead or all.",
        )
    clocks = any(each.is_clock for each in formats)
    if clocks and terms.lines:
        section.wrong("lines", "impossible", "A clock asks one price for the whole lot.")
    if clocks and terms.scoring.kind != "price":
        section.wrong("scoring.kind", "impossible", "On a clock everybody is asked the same price.")
