"""The step of formats in which each bid must improve: read, shown and in plain words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

from auctions.rules.core.bidding import stepped_down
from auctions.rules.core.guard import money
from auctions.rules.core.parameters import BANDS_MAX, PPM, Band, Step, Terms
from marketplace.kernel.money import MINOR_MAX, format_minor

from .fields import Section, plain
from .words import Paragraph, Texts, sample_price


def read_step(section: Section, exponent: int, ceiling: int | None) -> Step:
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


def show_step(step: Step, exponent: int) -> dict[str, Any]:
    """The `step` of the rules that `read_step` would read as this one."""
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


def step_text(step: Step, value: int, exponent: int) -> str:
    """A step's value as it is written in the rules."""
    return plain(value, 4) if step.kind == "percent" else format_minor(value, exponent)


def step_words(terms: Terms, step: Step, texts: Texts) -> list[Paragraph]:
    _ = texts.gettext
    unit = " %" if step.kind == "percent" else f" {terms.currency}"
    size = step_text(step, step.value, terms.exponent) + unit
    if step.against == "own":
        text = _("Each bid must be at least %(size)s below your own last bid.") % {"size": size}
    else:
        text = _("Each bid must be at least %(size)s below the lead.") % {"size": size}
    if step.bands:
        bands = ", ".join(
            _("from %(price)s it is %(size)s")
            % {
                "price": money(terms, band.from_minor),
                "size": step_text(step, band.value, terms.exponent) + unit,
            }
            for band in step.bands
        )
        rule = _("The step depends on the price that is improved: %(bands)s.")
        text += " " + rule % {"bands": bands}
    if step.against == "lead":
        text += " " + _(
            "The price you must beat is shown to everybody, also before the first own bid. Where "
            "more than the price counts, the step is taken off the evaluated price of the lead."
        )
    base = sample_price(terms)
    example = _("After %(price)s at most %(limit)s is accepted.") % {
        "price": money(terms, base),
        "limit": money(terms, max(1, int(stepped_down(step, base)))),
    }
    return [Paragraph(_("Step"), text, example)]


def buffer_words(terms: Terms, step: Step, texts: Texts) -> list[Paragraph]:
    if not (step.front_buffer or step.back_buffer):
        return []
    _ = texts.gettext
    lead, front = sample_price(terms), max(1, step.front_buffer)
    rule = _("A bid that takes the lead from somebody beats it by at least %(front)s.")
    text = rule % {"front": money(terms, front)}
    if step.back_buffer:
        rule = _("A bid that does not stays at least %(back)s above it.")
        text += " " + rule % {"back": money(terms, step.back_buffer)}
    example = _("The lead is %(lead)s: %(below)s takes it.") % {
        "lead": money(terms, lead),
        "below": money(terms, lead - front),
    }
    return [Paragraph(_("Buffers"), text, example)]
