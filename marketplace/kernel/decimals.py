"""One grammar for decimals from outside, and a careful reading of numbers that people typed.

On the wire a decimal is `-?digits[.digits]`: no exponent, no grouping, ASCII digits only. Files and
forms may use a point or a comma, so there one mark with exactly three digits behind it (`1.250`)
could group or divide. Only the other numbers of the file, or the person who wrote it, can say
which: such a number is never guessed.

`Decimal(text)` is not used on outside input: it takes `1e3`, `1_000` and digits of every script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from marketplace.kernel.errors import FieldError

WHOLE_DIGITS_MAX = 12
PLACES_MAX = 6
TEXT_CHARS_MAX = 32
"""Room for every admitted number with its sign; longer texts are not looked at."""

Mark = Literal[".", ","]

_WIRE = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_TYPED = re.compile(r"(-?)([0-9]+)(?:([.,])([0-9]+))?", re.ASCII)
# Three digits behind the mark, and before it what a group may begin with.
_GROUP_OR_FRACTION = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
_BLANK_GROUPS = r"[ \u00a0\u2009\u202f'\u2019_]"
_GROUPED = re.compile(rf"-?[0-9]{{1,3}}(?:(?:[.,]|{_BLANK_GROUPS})[0-9]{{3}})+(?:[.,][0-9]+)?")
_POINT_DIVIDES = re.compile(
    rf"-?[0-9]{{1,3}}(?:(?:,|{_BLANK_GROUPS})[0-9]{{3}})+\.[0-9]+|-?[0-9]{{1,3}}(?:,[0-9]{{3}}){{2,}}"
)
_COMMA_DIVIDES = re.compile(
    rf"-?[0-9]{{1,3}}(?:(?:\.|{_BLANK_GROUPS})[0-9]{{3}})+,[0-9]+|-?[0-9]{{1,3}}(?:\.[0-9]{{3}}){{2,}}"
)
_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+")

# code -> (what is wrong, how to put it right)
REASONS = {
    "malformed_number": (
        "This is no number.",
        "Write digits with one decimal mark, such as 1234.50.",
    ),
    "grouped_number": (
        "The number has thousands separators.",
        "Leave thousands separators out: 1234.50.",
    ),
    "ambiguous_number": (
        "The number can be read in two ways: the mark may group or divide.",
        "Write 1250 or 1.25 instead of 1.250, or say which decimal mark is used.",
    ),
    "mixed_marks": (
        "The number uses another decimal mark than the rest of the file.",
        "Use one decimal mark in the whole file.",
    ),
    "exponent": (
        "The number is written with an exponent.",
        "Write the number in full: 1200, not 1.2e3.",
    ),
    "too_precise": (
        "The number has too many decimal places.",
        f"At most {PLACES_MAX} decimal places.",
    ),
    "out_of_range": (
        "The number is too large.",
        f"At most {WHOLE_DIGITS_MAX} digits before the decimal mark.",
    ),
    "not_positive": (
        "The number must be greater than zero.",
        "The value must be greater than zero.",
    ),
}


class NotADecimal(ValueError):
    """The text is no decimal that is taken here; `code` is one of REASONS."""

    def __init__(self, code: str, hint: str | None = None) -> None:
        self.code = code
        self.detail, usual = REASONS[code]
        self.hint = hint or usual
        super().__init__(self.detail)

    def at(self, field: str, code: str | None = None) -> FieldError:
        """This fault of the field `field`, under the field's own code where it has one."""
        return FieldError(field, code or self.code, self.detail, self.hint)


def parse_decimal(text: str, *, whole: int = WHOLE_DIGITS_MAX, places: int = PLACES_MAX) -> Decimal:
    """A decimal of the wire with at most `whole` digits before and `places` behind the point.
    Raises NotADecimal.
    """
    match = _WIRE.fullmatch(text) if len(text) <= TEXT_CHARS_MAX else None
    if match is None:
        raise NotADecimal(_reason(text))
    _check_size(match.group(2), match.group(3) or "", whole, places)
    return Decimal(text)


def parse_quantity(text: str) -> Decimal:
    """A decimal of the wire above zero. Raises NotADecimal."""
    quantity = parse_decimal(text)
    if quantity <= 0:
        raise NotADecimal("not_positive")
    return quantity


def read_quantity(text: str) -> Decimal | None:
    """A decimal of the wire above zero, or None."""
    try:
        return parse_quantity(text)
    except NotADecimal:
        return None


def decimal_mark(texts: Iterable[str]) -> Mark | None:
    """The decimal mark that most of these numbers prove; a tie is a point, None is no proof."""
    proofs = Counter(proof for text in texts if (proof := _proof(text)))
    if not proofs:
        return None
    return "," if proofs[","] > proofs["."] else "."


def wire_decimal(text: str, mark: Mark | None = None) -> str:
    """A number that somebody typed, as a decimal of the wire. `mark` is the decimal mark of the
    file or form, None where nothing says it. Raises NotADecimal (`ambiguous_number`,
    `grouped_number`, …).
    """
    match = _TYPED.fullmatch(text) if len(text) <= TEXT_CHARS_MAX else None
    if match is None:
        raise NotADecimal(_reason(text))
    sign, whole, used, fraction = match.groups()
    if used is not None and used != mark:
        either = _GROUP_OR_FRACTION.fullmatch(text) is not None
        if mark is not None:
            raise NotADecimal("grouped_number" if either else "mixed_marks")
        if either:
            raise NotADecimal("ambiguous_number", _readings(whole, used, fraction))
    _check_size(whole, fraction or "", WHOLE_DIGITS_MAX, PLACES_MAX)
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def typed_text(wire: str, mark: Mark | None) -> str:
    """A decimal of the wire as `wire_decimal` reads it back under `mark`. Where no mark is known, a
    zero behind `1.250` says that its point divides.
    """
    if mark == ",":
        return wire.replace(".", ",")
    return wire + "0" if mark is None and _GROUP_OR_FRACTION.fullmatch(wire) else wire


def fault_of(text: str, mark: Mark | None = None) -> str | None:
    """The code of what is wrong with a typed number, or None."""
    try:
        wire_decimal(text, mark)
    except NotADecimal as wrong:
        return wrong.code
    return None


def _readings(whole: str, used: str, fraction: str) -> str:
    divided = f"{whole}{used}{fraction}0"
    return f"Write {whole}{fraction} or {divided}, or say which decimal mark is used."


def _check_size(whole: str, fraction: str, whole_max: int, places_max: int) -> None:
    if len(fraction) > places_max:
        raise NotADecimal("too_precise", f"At most {places_max} decimal places.")
    if len(whole) > whole_max:
        raise NotADecimal("out_of_range", f"At most {whole_max} digits before the decimal mark.")


def _proof(text: str) -> Mark | None:
    """The decimal mark that this one text proves."""
    bare = text.strip() if len(text) <= TEXT_CHARS_MAX else ""
    match = _TYPED.fullmatch(bare)
    if match is not None:
        either = _GROUP_OR_FRACTION.fullmatch(bare) is not None
        return None if either or not match.group(3) else _mark(match.group(3))
    if _POINT_DIVIDES.fullmatch(bare):
        return "."
    return "," if _COMMA_DIVIDES.fullmatch(bare) else None


def _mark(text: str) -> Mark:
    return "," if text == "," else "."


def _reason(text: str) -> str:
    if len(text) > TEXT_CHARS_MAX:
        return "malformed_number"
    if _GROUPED.fullmatch(text):
        return "grouped_number"
    return "exponent" if _EXPONENT.fullmatch(text) else "malformed_number"
