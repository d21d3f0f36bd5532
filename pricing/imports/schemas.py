"""Wire forms of uploads: what is asked for, how far it is, what was found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.kernel.money import Amount
from pricing.imports.rules import Format, Mode, OnError, ReadingOptions, State


class NewPriceImport(Struct, kw_only=True, forbid_unknown_fields=True):
    """An upload that is announced. How the file is to be read is found out from it; what `reading`
    says is remembered for the next files of this list.

    price_list_id  the list that gets a new version
    mode           `replace`: what is not in the file goes; `merge`: it stays; `patch`: only cells
                   that are filled change
    format         of the file; gzip is found out
    on_error       `reject_all`: one wrong row and nothing is published; `reject_rows`: the rest is
    dry_run        true: everything but the publishing
    base_version   refuse when the list has moved on from this version; null: do not ask, e.g. `3`
    sha256         of the file as sent; another one is refused, null: do not ask, e.g.
                   `9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`
    file_name      for people, e.g. `spring.csv`
    columns        short for `reading.columns`: what each header of the file is, e.g. `{"Artikel":
                   "sku"}`
    reading        how the file is to be read; null: find it out
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
    """Exact numbers, so that nobody confirms what somebody else changed meanwhile.

    confirm_removals  how many SKUs go; needed where `removals.confirm` names a number, e.g. `1200`
    confirm_held      how many held rows are right; they are published too, e.g. `3`
    """

    confirm_removals: Annotated[int, Meta(ge=0)] | None = None
    confirm_held: Annotated[int, Meta(ge=0)] | None = None


class Rows(Struct, kw_only=True):
    """What became of the file's rows, as far as it is read.

    read       rows without the header, e.g. `500000`
    valid      rows that can be published, e.g. `499997`
    invalid    rows with an error, e.g. `3`
    applied    rows that changed the list, e.g. `1200`
    unchanged  rows that say what the list says already, e.g. `498797`
    held       rows that wait for a confirmation, e.g. `0`
    """

    read: int
    valid: int
    invalid: int
    applied: int
    unchanged: int
    held: int


class Bytes(Struct):
    """How much of the file was read.

    done   read so far, e.g. `1048576`
    total  as it was sent, e.g. `52428800`
    """

    done: int
    total: int


class Stage(Struct):
    """One part of the work.

    name        `reading`, `validating` and so on, e.g. `reading`
    started_at  RFC 3339, e.g. `2026-12-01T10:00:00.000000Z`
    ended_at    null: it is at work, e.g. `2026-12-01T10:00:07.000000Z`
    """

    name: str
    started_at: str
    ended_at: str | None


class Failure(Struct):
    """Why nothing of the file can be used.

    code    stable name, e.g. `missing_column`
    detail  the same in words, e.g. `No column holds the price.`
    """

    code: str
    detail: str


class Removals(Struct, kw_only=True):
    """What a `replace` takes away.

    skus     articles that go, e.g. `1200`
    lines    prices that go, e.g. `3400`
    of_skus  articles in the list now, e.g. `120000`
    confirm  the number a commit must repeat as `confirm_removals`; null: none is needed, e.g.
             `1200`
    """

    skus: int
    lines: int
    of_skus: int
    confirm: int | None


class ImportView(Struct, kw_only=True):
    """An upload and how far it is.

    price_list_id   the list that gets a new version
    state           where it is; `ready` waits for the commit
    stage           what is at work now; null: nothing, e.g. `validating`
    mode            what happens to what is not in the file
    format          of the file
    on_error        what one wrong row means for the rest
    dry_run         whether it stops before the publishing
    base_version    the version it was compared with; null: the list had none, e.g. `3`
    file_name       for people; null: not given, e.g. `spring.csv`
    rows            what became of its rows
    bytes           how much of it was read
    eta_s           a guess of the seconds left while it is read; null: no guess, e.g. `12`
    stages          the parts of the work that began, in their order
    detected        how the file is read: encoding, delimiter, header row, columns, e.g.
                    `{"encoding": "utf-8", "delimiter": ";"}`
    removals        what a `replace` takes away
    version         the version it became; null: not published, e.g. `4`
    held_import_id  the upload that holds its held rows for a later decision; null: none
    failure         why nothing could be used; null: it could
    upload_url      where the file is PUT, e.g.
                    `/api/v1/price_imports/0198c3f2-5a1e-7d3b-9c42-1f0e6a7b8c9d/content`
    created_at      when it was announced
    ended_at        when it came to an end; null: it has not
    """

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
    """Uploads, the newest first."""

    items: list[ImportView]
    next_cursor: str | None = None


class DiffLine(Struct, kw_only=True):
    """One price before and after.

    kind               what happens to it; `held` waits for a confirmation
    min_quantity       from this quantity on, e.g. `100`
    unit               of the article; null: it has none any more, e.g. `C62`
    row                in the file; null: it is not in it, e.g. `42`
    before             null: it was not there
    before_price_unit  the former price was for so many units, e.g. `100`
    after              null: it goes
    after_price_unit   the new price is for so many units, e.g. `1`
    percent            change of the price of one unit; null: nothing to compare, e.g. `12.5`
    reason             why it is held; null: it is not, e.g. `The decimal point seems shifted.`
    """

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
    """How many lines of each kind there are.

    added      prices that were not there, e.g. `12`
    changed    prices that are others now, e.g. `1200`
    removed    prices that go, e.g. `3`
    unchanged  prices that stay, e.g. `498797`
    held       prices that wait for a confirmation, e.g. `0`
    """

    added: int
    changed: int
    removed: int
    unchanged: int
    held: int


class Diff(Struct):
    """What publishing the upload would change.

    counts  of all lines, whatever is asked for
    """

    counts: DiffCounts
    items: list[DiffLine]
    next_cursor: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """What is wrong or odd in a row of the file; the header is row 1.

    row       the header is row 1, e.g. `42`
    column    the column of ours; null: it is about the row, e.g. `price`
    severity  an `error` keeps the row out, `held` waits for a confirmation, e.g. `error`
    value     what stands there, shortened; null: nothing, e.g. `12,50,00`
    message   what is wrong, e.g. `This is no number.`
    hint      what to write instead; null: the message says all, e.g. `Write 1250.00.`
    """

    row: int
    column: str | None
    severity: str
    value: str | None
    message: str
    hint: str | None


class ColumnsView(Struct, forbid_unknown_fields=True):
    """What the file's columns are read as; remembered for the next file with this header.

    columns  by header of the file, e.g. `{"Artikel": "sku", "Preis": "price"}`
    """

    columns: dict[str, str]
