"""Texts in files that spreadsheets open."""

from __future__ import annotations

import re

# A cell that begins so is run as a formula (OWASP, CSV injection). Spreadsheets also take the
# full-width forms of East Asian keyboards.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")


def harmless(cell: str) -> str:
    """A text that a spreadsheet would run as a formula is shown as text instead; a plain number
    keeps its sign.
    """
    if cell.startswith(_RUNS) and not _PLAIN_NUMBER.fullmatch(cell):
        return "'" + cell
    return cell
