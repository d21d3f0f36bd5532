"""Article numbers that a spreadsheet or the clipboard has damaged. Two of them that look alike are
two articles to a computer and one to everybody else, so such a number is refused by name.
"""

from __future__ import annotations

import re
import unicodedata

import polars as pl

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

# 4.00638E+12, and what a failed lookup leaves. Programs write a sign there, people (2E10) do not.
_NUMBER = r"^-?[0-9]+(?:[.,][0-9]+)?[eE][+-][0-9]{2,}$|^#+$|^#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!)$"
# Spreadsheets keep 15 digits. From the 17th on nobody ends an article number in zeros by chance.
_ZEROS = r"^[0-9]{15}00+$"
_ONE_ZERO = r"^[0-9]{15}0$"
_LONG = r"^[0-9]{15}[0-9]*[1-9]$"
_UNSEEN = (
    r"[\p{Cf}\x{34F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{3164}\x{FE00}-\x{FE0F}"
    r"\x{FFA0}\x{A0}\x{1680}\x{2000}-\x{200F}\x{202F}\x{205F}\x{2800}\x{3000}]"
)
_ONLY_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def damaged(cells: pl.Series, *, digits_may_be_lost: bool) -> pl.Series:
    """A mask of damaged article numbers. `digits_may_be_lost`: the file may come from a spreadsheet
    that wrote its numbers as text.
    """
    wrong = cells.str.contains(_NUMBER)
    if digits_may_be_lost:
        wrong = wrong | cells.str.contains(_ZEROS)
        ends_in_zero = cells.str.contains(_ONE_ZERO)
        # One of ten whole numbers of 16 digits ends in zero; where others do not, nothing is lost.
        if ends_in_zero.any() and not cells.str.contains(_LONG).any():
            wrong = wrong | ends_in_zero
    if int(cells.str.len_bytes().sum()) > int(cells.str.len_chars().sum()):
        wrong = wrong | cells.str.contains(_UNSEEN) | (cells.str.normalize("NFC") != cells)
    return wrong.fill_null(value=False)


def damage(text: str) -> str | None:
    """The code for one article number, or None where it is sound."""
    if any(_is_unseen(sign) for sign in text):
        return "invisible_character"
    if unicodedata.normalize("NFC", text) != text:
        return "not_normalised"
    if re.search(_NUMBER, text):
        return "damaged_sku"
    return None


def _is_unseen(sign: str) -> bool:
    if sign in _ONLY_LETTERS or "\ufe00" <= sign <= "\ufe0f" or "\u180b" <= sign <= "\u180f":
        return True
    kind = unicodedata.category(sign)
    return kind == "Cf" or (kind == "Zs" and sign != " ")
