"""Units of measure: which code a written unit means, and what converts into what.

Pure data, shared by price files, comparison, orders and tenders. The list of codes is the one that
EN 16931 prescribes for invoices: UN/ECE Recommendation 20, and 21 with an X before each code.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from importlib.resources import files
from typing import NamedTuple

from marketplace.kernel.errors import FieldError
from marketplace.kernel.units.table import CONVERSIONS, NAMES, WORDS

TEXT_CHARS_MAX = 40
"""Longer than any word for a unit; a longer text is none."""
HINT = "Use a UN/ECE code such as C62, KGM or MTR, or a usual word such as pcs, kg or m."


class Unit(NamedTuple):
    """`factor` of `base` make one of it; a unit that converts into no other has neither."""

    code: str
    name: str
    base: str | None = None
    factor: Decimal | None = None


def code_of(text: str) -> str | None:
    """The code that a written unit means, None where it means none: a code as it stands, then a
    word in whatever case (`шт`, `szt`, `Stk`, `m²`), then a code in small letters. A package's code
    counts without its X, too.
    """
    bare = text.strip() if len(text) <= TEXT_CHARS_MAX else ""
    if bare in CODES:
        return bare
    if (code := CODE_OF_WORD.get(fold(bare))) is not None:
        return code
    code = bare.upper()
    if len(code) == 2 and code not in CODES:
        code = f"X{code}"
    return code if code in CODES else None


def unit_of(code: str) -> Unit | None:
    """The unit of a code as `code_of` gives it; one without a name here is called by its code."""
    if code not in CODES:
        return None
    return UNITS.get(code) or Unit(code, code)


def unit_errors(field: str, text: str) -> list[FieldError]:
    """What is wrong with a written unit: `unknown_unit`, or nothing."""
    if code_of(text) is not None:
        return []
    return [FieldError(field, "unknown_unit", "The unit is not on the unit list.", HINT)]


def fold(text: str) -> str:
    """Without case, accents, blanks and dots; `m²` becomes `m2`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not (c in ".·" or c.isspace() or unicodedata.combining(c)))


def _read_units() -> dict[str, Unit]:
    found = {}
    for base, rows in CONVERSIONS.items():
        for row in rows.split(";"):
            code, factor, name = row.split(None, 2)
            found[code] = Unit(code, name.strip(), base, Decimal(factor))
    for row in NAMES.split(";"):
        code, name = row.split(None, 1)
        found[code] = Unit(code, name.strip())
    return found


UNITS = _read_units()
"""Those with a name or a conversion."""
# Counting ton, dry pound, kilogram per second, cigarette: price files that write these in capitals
# mean cartons, Hungarian pieces, kilograms and German pieces.
_NOBODY_MEANS = frozenset(["CTN", "DB", "KGS", "STK"])
# PCE stands in no newer list and in most price files.
CODES = (
    frozenset((files(__package__) / "codes.txt").read_text("ascii").split()) | {"PCE"}
) - _NOBODY_MEANS
CODE_OF_WORD = {fold(word): code for code, words in WORDS.items() for word in words.split()}
