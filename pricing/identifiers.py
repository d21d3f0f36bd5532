"""Damaged article numbers in whole columns of a price file; `kernel.skus` judges single ones."""

from __future__ import annotations

import polars as pl

from marketplace.kernel.skus import NUMBER

# Spreadsheets keep 15 digits. From the 17th on nobody ends an article number in zeros by chance.
_ZEROS = r"^[0-9]{15}00+$"
_ONE_ZERO = r"^[0-9]{15}0$"
_LONG = r"^[0-9]{15}[0-9]*[1-9]$"
_UNSEEN = (
    r"[\p{Cf}\x{34F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{3164}\x{FE00}-\x{FE0F}"
    r"\x{FFA0}\x{A0}\x{1680}\x{2000}-\x{200F}\x{202F}\x{205F}\x{2800}\x{3000}]"
)


def damaged(cells: pl.Series, *, digits_may_be_lost: bool) -> pl.Series:
    """A mask of damaged article numbers. `digits_may_be_lost`: the file may come from a spreadsheet
    that wrote its numbers as text.
    """
    wrong = cells.str.contains(NUMBER)
    if digits_may_be_lost:
        wrong = wrong | cells.str.contains(_ZEROS)
        ends_in_zero = cells.str.contains(_ONE_ZERO)
        # One of ten whole numbers of 16 digits ends in zero; where others do not, nothing is lost.
        if ends_in_zero.any() and not cells.str.contains(_LONG).any():
            wrong = wrong | ends_in_zero
    if int(cells.str.len_bytes().sum()) > int(cells.str.len_chars().sum()):
        wrong = wrong | cells.str.contains(_UNSEEN) | (cells.str.normalize("NFC") != cells)
    return wrong.fill_null(value=False)
