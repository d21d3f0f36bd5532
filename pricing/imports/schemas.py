"""Wire forms of uploads: what is asked for, how far it is, what was found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.kernel.money import Amount
from pricing.imports.rules import Format, Mode, OnError, ReadingOptions, State


class NewPriceImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """`reading` says how the file is to be read, where that should not be found out from it; what
    was said is remembered for the next files of this list.

    columns       short for `reading.columns`
    base_version  refuse when the list has moved on from this version
    sha256        hex digest of the file as sent
    """

    price_list_id: UUID
    mode: Mode = "merge"
    format: Format = "csv"
    on_error: OnError = "reject_all"
    dry_run: bool = False
    base_version: Annotated[int, Meta(ge=0)] | None = None
    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")] | None = None
    file_name: Annotated[str, Meta(max_length=200)] | None = None
    columns: dict[str, str] | None = None
    reading: ReadingOptions | None = None


class CommitPriceImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """`confirm_removals`: how many SKUs go; `confirm_held`: how many held rows are right."""

    confirm_removals: Annotated[int, Meta(ge=0)] | None = None
    confirm_held: Annotated[int, Meta(ge=0)] | None = None


class Rows(Struct, kw_only=True):
    read: int
    valid: int
    invalid: int
    applied: int
    unchanged: int
    held: int


class Bytes(Struct):
    done: int
    total: int


class Stage(Struct):
    name: str
    started_at: str
    ended_at: str | None


class Failure(Struct):
    code: str
    detail: str


class Removals(Struct, kw_only=True):
    """`confirm` is the number a commit must repeat, null when none is needed."""

    skus: int
    lines: int
    of_skus: int
    confirm: int | None


class ImportView(Struct, kw_only=True):
    """`eta_s` is a guess while the file is read, else null."""

    id: UUID
    price_list_id: UUID
    state: State
    stage: str | None
    mode: Mode
    format: Format
    on_error: OnError
    dry_run: bool
    base_version: int | None
    file_name: str | None
    rows: Rows
    bytes: Bytes
    eta_s: int | None
    stages: list[Stage]
    detected: dict[str, Any]
    removals: Removals
    version: int | None
    held_import_id: UUID | None
    failure: Failure | None
    upload_url: str
    created_at: datetime
    ended_at: datetime | None


class ImportPage(Struct):
    items: list[ImportView]
    next_cursor: str | None = None


class DiffLine(Struct, kw_only=True):
    """`percent` is the change of the price per unit; `reason` says why a line is held."""

    kind: Literal["added", "changed", "removed", "held"]
    sku: str
    min_quantity: str | None
    unit: str | None
    row: int | None
    before: Amount | None
    before_price_unit: str | None
    after: Amount | None
    after_price_unit: str | None
    percent: str | None
    reason: str | None


class DiffCounts(Struct, kw_only=True):
    added: int
    changed: int
    removed: int
    unchanged: int
    held: int


class Diff(Struct):
    counts: DiffCounts
    items: list[DiffLine]
    next_cursor: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """What is wrong or odd in a row of the file; the header is row 1."""

    row: int
    column: str | None
    severity: str
    value: str | None
    message: str
    hint: str | None


class ColumnsView(Struct, forbid_unknown_fields=True):
    """What the file's columns are read as; remembered for the next file with this header."""

    columns: dict[str, str]
