"""Why a single cell is no number, date, code or text: the slow, exact look at cells that failed."""

from __future__ import annotations

import re
from datetime import date

from marketplace.kernel.decimals import REASONS, Mark, fault_of
from marketplace.kernel.skus import REASONS as DAMAGE
from marketplace.kernel.skus import damage
from pricing.imports.columns import Column, Kind
from pricing.imports.rules import FIRST_DAY, LAST_DAY

_WORDS = re.compile(
    r"[+-]?(nan|inf|infinity|null|none|n/?a|#n/a|#ref!|#value!|#div/0!|tbd|-+)", re.I
)
_NEGATIVE = re.compile(r"[-\u2212]\s*\d[\d.,]*|\(\d[\d.,]*\)|\d[\d.,]*-", re.ASCII)
_OTHER_DATE = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}|\d{1,2}\.\d{1,2}\.\d{2}", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
# A number may be negative; a formula in its disguise calls or points.
_FORMULA = re.compile(r"[=@]|[+\-][^|!(]*[|!(]")

MESSAGES = {code: message for code, (message, _) in (REASONS | DAMAGE).items()} | {
    "missing": "The cell is empty.",
    "too_long": "The text is too long.",
    "control_character": "The text holds control characters.",
    "formula": "The cell holds a formula.",
    "not_a_number": "The cell says there is no number.",
    "negative": "The number is negative.",
    "malformed_date": "This is no date.",
    "ambiguous_date": "The date can be read in two ways.",
    "absurd_date": "The date is out of range.",
    "period_reversed": "The period ends before it begins.",
    "unknown_currency": "This is no currency code.",
    "unknown_unit": "The unit is not on the unit list.",
    "unknown_incoterm": "This is no Incoterms code.",
    "malformed_integer": "This is no whole number of days.",
    "cannot_delete": "A required column cannot be emptied.",
}


def number_code(text: str, mark: Mark | None) -> str:
    """The code for a text that is no positive decimal under this decimal mark."""
    if text[:1] in "=@" or (text[:1] in "+-" and _FORMULA.match(text)):
        return "formula"
    if _WORDS.fullmatch(text):
        return "not_a_number"
    if _NEGATIVE.fullmatch(text):
        return "negative"
    # A number of the right form that was refused all the same can only be zero.
    return fault_of(text, mark) or "not_positive"


def integer_code(text: str) -> str:
    code = number_code(text, None)
    return code if code in {"formula", "negative", "exponent"} else "malformed_integer"


def date_code(text: str) -> str:
    if text[:1] in "=@":
        return "formula"
    if _OTHER_DATE.fullmatch(text):
        return "ambiguous_date"
    if match := _ISO_DATE.fullmatch(text):
        try:
            day = date(*(int(part) for part in match.groups()))
        except ValueError:
            return "malformed_date"
        return "absurd_date" if not FIRST_DAY <= day <= LAST_DAY else "malformed_date"
    if re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", text, re.ASCII):
        return "absurd_date"
    return "malformed_date"


def text_code(column: Column, text: str) -> str:
    if len(text) > column.chars_max:
        return "too_long"
    if _CONTROL.search(text):
        return "control_character"
    if column.kind is not Kind.ARTICLE or _FORMULA.match(text):
        return "formula"
    # What is left looks sound by itself, but is cut to the digits a spreadsheet keeps.
    return damage(text) or "damaged_sku"


_UNKNOWN = {
    Kind.CURRENCY: "unknown_currency",
    Kind.UNIT: "unknown_unit",
    Kind.INCOTERM: "unknown_incoterm",
}


def code_of(column: Column, text: str | None, mark: Mark | None) -> str:
    """The code for a cell that failed the vector check; None is an empty cell. `mark` is the file's
    decimal mark.
    """
    if text is None:
        return "missing"
    if column.kind is Kind.DECIMAL:
        return number_code(text, mark)
    if column.kind is Kind.DATE:
        return date_code(text)
    if column.kind is Kind.DAYS:
        return integer_code(text)
    if unknown := _UNKNOWN.get(column.kind):
        return "formula" if text[:1] in "=@" else unknown
    return text_code(column, text)
