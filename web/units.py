"""Units of measure in the reader's words: 400 pieces, never 400 C62."""

from __future__ import annotations

from collections.abc import Callable

from marketplace.kernel.units import unit_of

Gettext = Callable[[str], str]


def unit_words(code: str, _: Gettext) -> str:
    """A unit as people say it; a rare one by its name in UN/ECE Recommendation 20."""
    words = {
        "C62": _("pieces"),
        "H87": _("pieces"),
        "EA": _("pieces"),
        "SET": _("sets"),
        "DZN": _("dozens"),
        "HUR": _("hours"),
        "DAY": _("days"),
        "MTR": "m",
        "MTK": "m²",
        "MTQ": "m³",
        "LTR": "l",
        "GRM": "g",
        "KGM": "kg",
        "TNE": "t",
    }
    return words.get(code) or _named(code)


def one_unit(code: str, _: Gettext) -> str:
    """As it stands behind "per"."""
    words = {
        "C62": _("piece"),
        "H87": _("piece"),
        "EA": _("piece"),
        "SET": _("set"),
        "DZN": _("dozen"),
        "HUR": _("hour"),
        "DAY": _("day"),
    }
    return words.get(code) or unit_words(code, _)


def _named(code: str) -> str:
    known = unit_of(code)
    return known.name if known else code
