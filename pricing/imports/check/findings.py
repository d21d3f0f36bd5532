"""What was found, in sentences; `queries` writes it down with the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pricing.imports.check.checks import RowError
from pricing.imports.compare.queries.rows import LeftRow
from pricing.imports.rules import ERRORS_KEPT_MAX


def numbered(errors: Sequence[RowError]) -> Iterator[tuple[RowError, int]]:
    """At most ERRORS_KEPT_MAX in order of rows, those of one row numbered from 1."""
    seen: dict[int, int] = {}
    for error in sorted(errors, key=lambda each: each.row)[:ERRORS_KEPT_MAX]:
        n = seen[error.row] = seen.get(error.row, 0) + 1
        yield error, n


def ladder_errors(left: Sequence[LeftRow], named: set[int]) -> list[RowError]:
    """An entry for each row that shares its SKU's fate without a fault of its own."""
    entries = {
        "error": ("ladder_incomplete", "Another row of this SKU is wrong.", "error"),
        "held": ("ladder_held", "Another row of this SKU is held.", "held"),
    }
    return [
        RowError(each.row, "sku", code, None, message, severity)
        for each in left
        for code, message, severity in (entries[each.reason],)
        if each.row not in named
    ]


def overlap_error(row: int, other: str, *, repeated: bool) -> RowError:
    if repeated:
        return RowError(row, None, "duplicate_row", None, f"The row repeats {other}.")
    return RowError(row, None, "overlap", None, f"The row holds at the same time as {other}.")


def repeated_text_errors(rows: Sequence[int]) -> list[RowError]:
    message = "The row stands in the file before."
    return [RowError(row, None, "duplicate_row", None, message) for row in rows[:ERRORS_KEPT_MAX]]
