"""What an upload may hold, which states it passes, and how a suspicious price is named. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from marketplace.kernel import units
from marketplace.kernel.codes import CURRENCY_HINT
from marketplace.kernel.decimals import REASONS
from marketplace.kernel.skus import REASONS as DAMAGE

Format = Literal["csv", "xlsx", "jsonl", "parquet"]
Mode = Literal["replace", "merge", "patch"]
OnError = Literal["reject_all", "reject_rows"]
State = Literal[
    "awaiting_upload",
    "reading",
    "validating",
    "ready",
    "publishing",
    "published",
    "failed",
    "cancelled",
    "rolled_back",
]

DELETE = "#delete"

# Every upload is bounded before it is unpacked, parsed or stored.
UPLOAD_BYTES_MAX = 512 << 20
UNPACKED_BYTES_MAX = 2 << 30
UNPACKED_RATIO_MAX = 200
ARCHIVE_ENTRIES_MAX = 1_000
SHEET_BYTES_MAX = 512 << 20
ROWS_MAX = 5_000_000
SHEET_ROWS_MAX = 400_000
COLUMNS_MAX = 100
ROW_BYTES_MAX = 64 << 10
ERRORS_KEPT_MAX = 100_000
REJECTED_BYTES_MAX = 64 << 20
"""Of rows that are kept to be sent back as failed: until the end they are in memory."""
IMPORTS_WAITING_MAX = 20
"""Unfinished uploads of one supplier."""

LEAD_TIME_DAYS_MAX = 3_650
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
INCOTERMS = (
    *("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF"),
    *("DAT", "DAF", "DES", "DEQ", "DDU"),
)

REMOVALS_PERCENT_MAX = 20
"""A `replace` that drops more of the SKUs waits for a confirmation of the exact number."""

ENDED: tuple[State, ...] = ("published", "failed", "cancelled", "rolled_back")
UNFINISHED: tuple[State, ...] = ("awaiting_upload", "reading", "validating", "ready", "publishing")
"""These can be cancelled."""
STAGED: tuple[State, ...] = ("reading", "validating", "ready", "publishing")
"""In these an upload may own staging tables."""


class Anomaly(msgspec.Struct, frozen=True):
    """Why a row is held: a stable code, the ratio to what was expected, and a sentence."""

    code: Literal["decimal_shift", "price_unit_mistake", "price_jump", "zero_price"]
    factor: Decimal
    message: str


_SHIFTS = [Decimal(10) ** power for power in (1, 2, 3)]


def anomaly(
    price: Decimal,
    price_unit: Decimal,
    expected_price: Decimal,
    expected_price_unit: Decimal,
    *,
    against: str,
    hold_change_percent: Decimal,
    tolerance_percent: Decimal = Decimal(5),
) -> Anomaly | None:
    """Compare prices per unit with what was `expected` (the last own price, the peers' median).

    None while the change stays within `hold_change_percent` in either direction (a rise by 50 %
    and a fall to 1/1.5 weigh the same). A factor within `tolerance_percent` of a power of ten is a
    decimal shift; one that an equally wrong price unit explains is named as that.
    """
    if price == 0:
        return Anomaly("zero_price", Decimal(0), "The price is zero.")
    if expected_price == 0:
        return None
    factor = (price / price_unit) / (expected_price / expected_price_unit)
    border = 1 + hold_change_percent / 100
    if 1 / border <= factor <= border:
        return None
    slack = tolerance_percent / 100
    unit_factor = expected_price_unit / price_unit
    shown = shown_factor(factor)
    if price_unit != expected_price_unit and abs(factor / unit_factor - 1) <= slack:
        return Anomaly(
            "price_unit_mistake",
            factor,
            f"The price stayed and its unit went from {expected_price_unit:f} to {price_unit:f}: "
            f"{shown} {against}.",
        )
    for shift in _SHIFTS:
        if abs(factor / shift - 1) <= slack or abs(factor * shift - 1) <= slack:
            return Anomaly(
                "decimal_shift", factor, f"The decimal point seems shifted: {shown} {against}."
            )
    return Anomaly("price_jump", factor, f"An unusual change: {shown} {against}.")


def shown_factor(factor: Decimal) -> str:
    """`x10`, `÷2.5`: what people read faster than a percentage once it is large."""
    if factor >= 1:
        return f"x{factor.quantize(Decimal('0.01')).normalize():f}"
    return f"÷{(1 / factor).quantize(Decimal('0.01')).normalize():f}"


def needs_confirmation(removed_skus: int, former_skus: int) -> bool:
    """Whether a `replace` drops so many SKUs that somebody must say how many."""
    return removed_skus * 100 > former_skus * REMOVALS_PERCENT_MAX


def base_is_behind(base_version: int | None, current_version: int) -> bool:
    return base_version is not None and base_version != current_version


HINTS: Mapping[str, str] = {code: hint for code, (_, hint) in (REASONS | DAMAGE).items()} | {
    "missing": "Fill the cell.",
    "too_long": "Shorten the text.",
    "control_character": "Remove line breaks and control characters.",
    "formula": "Export values, not formulas; text must not begin with = or @.",
    "not_a_number": "Write a number such as 1234.50, or leave the row out.",
    "negative": "A price or quantity is never negative.",
    "too_precise": "At most 6 decimal places; use price_unit for prices below that.",
    "malformed_date": "Write dates as 2026-12-31.",
    "ambiguous_date": "Write dates as 2026-12-31; day and month cannot be told apart here.",
    "absurd_date": f"Dates lie between {FIRST_DAY} and {LAST_DAY}.",
    "period_reversed": "valid_to is before valid_from.",
    "unknown_currency": CURRENCY_HINT,
    "unknown_unit": units.HINT,
    "unknown_incoterm": "Use an Incoterms code such as DAP or EXW.",
    "malformed_integer": "Write whole days, such as 14.",
    "cannot_delete": "This column cannot be emptied.",
    "wrong_column_count": "Every row needs as many cells as the header.",
    "malformed_quoting": 'Quote the whole cell and double inner quotes: "5"" pipe".',
    "row_too_long": f"A row has at most {ROW_BYTES_MAX >> 10} KiB.",
    "nul_byte": "Remove the zero bytes; was the file damaged on the way?",
    "wrong_encoding": "Save the file as UTF-8, or say its encoding in `reading`.",
    "repeated_key": "Write each column once.",
    "malformed_json": "Write one JSON object per line.",
    "duplicate_row": "Remove the repeated row.",
    "overlap": "End one period before the other begins, or remove one of the rows.",
    "ladder_incomplete": "Another row of this SKU is wrong; a SKU's rows are taken together.",
    "ladder_held": "A SKU's rows are taken together; correct or confirm the odd one.",
    "nothing_to_patch": "The list has no such line; give unit, currency and price to add it.",
    "ambiguous_patch": "Several lines match; give unit, currency, min_quantity and valid_from.",
    "decimal_shift": "Correct the price, or confirm it on commit.",
    "price_unit_mistake": "Correct price or price_unit, or confirm it on commit.",
    "price_jump": "Correct the price, or confirm it on commit.",
    "zero_price": "Correct the price, or confirm it on commit.",
}


def state_after_check(
    *,
    dry_run: bool,
    commit_wanted: bool,
    confirmed_removals: int | None,
    removed_skus: int,
    former_skus: int,
) -> Literal["ready", "publishing"]:
    """Where a checked upload goes: on by itself, or it waits for a commit."""
    if not commit_wanted and dry_run:
        return "ready"
    if needs_confirmation(removed_skus, former_skus) and confirmed_removals != removed_skus:
        return "ready"
    return "publishing"


HEADER_ROWS_MAX = 100
"""How far down a header is looked for: below a letterhead and some notes."""


class ReadingOptions(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """How a file is to be read, as far as somebody says it; the rest is found out from the file."""

    encoding: (
        Annotated[
            str,
            Meta(max_length=40, description="Of a CSV, in any usual name.", examples=["cp1250"]),
        ]
        | None
    ) = None
    delimiter: (
        Annotated[
            str, Meta(max_length=3, description="One sign, or `tab`; of a CSV.", examples=[";"])
        ]
        | None
    ) = None
    decimal: (
        Annotated[
            Literal[".", ","],
            Meta(description="The decimal mark of numbers that are written as text."),
        ]
        | None
    ) = None
    sheet: (
        Annotated[
            str,
            Meta(
                max_length=100,
                description="Of a workbook; else its first visible sheet.",
                examples=["Prices 2026"],
            ),
        ]
        | None
    ) = None
    header_row: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=HEADER_ROWS_MAX,
                description="The row with the names of the columns, as the spreadsheet counts.",
                examples=[4],
            ),
        ]
        | None
    ) = None
    columns: (
        Annotated[
            dict[str, str],
            Meta(description="Column of the file → ours.", examples=[{"VK netto": "price"}]),
        ]
        | None
    ) = None


_OF_EVERY_FORMAT = frozenset(("decimal", "columns"))
READ_BY_FORMAT: Mapping[Format, frozenset[str]] = {
    "csv": _OF_EVERY_FORMAT | {"encoding", "delimiter", "header_row"},
    "xlsx": _OF_EVERY_FORMAT | {"sheet", "header_row"},
    "jsonl": _OF_EVERY_FORMAT,
    "parquet": _OF_EVERY_FORMAT,
}
"""Which of the options a format knows."""
REMEMBERED = ("encoding", "delimiter", "decimal", "sheet", "header_row")
"""Options that a list remembers for files that do not say it themselves."""
