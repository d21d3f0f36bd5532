"""Article numbers (SKUs) that a spreadsheet or the clipboard has damaged. Two of them that look
alike are two articles to a computer and one to everybody else, so such a number is refused by name.
"""

from __future__ import annotations

import re
import unicodedata

from marketplace.kernel.errors import FieldError, Invalid

REASONS = {
    "damaged_sku": (
        "A spreadsheet has turned this article number into a number or a date.",
        "Format the column as text before typing, or send what the other program exported.",
    ),
    "invisible_character": (
        "The article number holds a character that cannot be seen.",
        "Type it anew instead of copying it: zero-width characters, soft hyphens, marks of writing "
        "direction and unusual blanks look like nothing.",
    ),
    "not_normalised": (
        "A letter of the article number is written as a letter and an accent.",
        "Write it as one character (Unicode NFC), as keyboards do.",
    ),
}
"""code -> (what is wrong, how to put it right)"""

_WIRE_REASONS = REASONS | {
    "formula": (
        "The article number would run as a formula in a spreadsheet.",
        "It must not begin with = or @.",
    ),
    "control_character": (
        "The article number holds control characters.",
        "Remove line breaks and control characters.",
    ),
    "surrounding_blanks": (
        "The article number begins or ends with a blank.",
        "Remove the blank.",
    ),
}

# 4.00638E+12, and what a failed lookup leaves. Programs write a sign there, people (2E10) do not.
NUMBER = r"^-?[0-9]+(?:[.,][0-9]+)?[eE][+-][0-9]{2,}$|^#+$|^#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!)$"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ONLY_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def damage(text: str) -> str | None:
    """The code for one article number, or None where it is sound."""
    if any(_is_unseen(sign) for sign in text):
        return "invisible_character"
    if unicodedata.normalize("NFC", text) != text:
        return "not_normalised"
    if re.search(NUMBER, text):
        return "damaged_sku"
    return None


def sku_errors(field: str, text: str | None) -> list[FieldError]:
    """What is wrong with a SKU that was entered; a price file is checked by the same rules. None
    names no SKU.
    """
    if text is None or (code := _fault(text)) is None:
        return []
    message, hint = _WIRE_REASONS[code]
    return [FieldError(field, code, message, hint)]


def require_sku(field: str, text: str | None) -> None:
    """Raises Invalid."""
    if errors := sku_errors(field, text):
        raise Invalid(errors[0].code, errors[0].message, errors=errors)


def _fault(text: str) -> str | None:
    if _CONTROL.search(text):
        return "control_character"
    if text.startswith(("=", "@")):
        return "formula"
    return damage(text) or ("surrounding_blanks" if text.strip() != text else None)


def _is_unseen(sign: str) -> bool:
    if sign in _ONLY_LETTERS or "\ufe00" <= sign <= "\ufe0f" or "\u180b" <= sign <= "\u180f":
        return True
    kind = unicodedata.category(sign)
    return kind == "Cf" or (kind == "Zs" and sign != " ")
