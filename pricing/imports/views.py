"""What is stored of an upload, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from marketplace.kernel.money import Amount
from pricing.imports.compare.report import Report
from pricing.imports.queries import DiffRow, ImportRow
from pricing.imports.read.dialect import Dialect
from pricing.imports.rules import ENDED, needs_confirmation
from pricing.imports.schemas import (
    Bytes,
    Diff,
    DiffCounts,
    DiffLine,
    Failure,
    ImportView,
    Removals,
    Rows,
    Stage,
)
from pricing.lists.rules import plain, quotient, trimmed


def import_view(row: ImportRow) -> ImportView:
    stages = msgspec.json.decode(row.stages, type=list[Stage])
    report = msgspec.json.decode(row.report, type=Report)
    dialect = msgspec.json.decode(row.dialect, type=Dialect)
    removed = report.removed_skus if row.mode == "replace" else 0
    waits = needs_confirmation(removed, report.former_skus) and row.state == "ready"
    return ImportView(
        id=row.id,
        price_list_id=row.list_id,
        state=row.state,
        stage=_stage(row),
        mode=row.mode,
        format=row.format,
        on_error=row.on_error,
        dry_run=row.dry_run,
        base_version=row.base_version,
        file_name=row.file_name,
        rows=Rows(
            read=row.rows_read,
            valid=row.rows_valid,
            invalid=row.rows_invalid,
            applied=row.rows_applied,
            unchanged=row.rows_unchanged,
            held=row.rows_held,
        ),
        bytes=Bytes(row.bytes_done, row.bytes_total),
        eta_s=_eta_s(row),
        stages=stages,
        detected=_detected(dialect),
        removals=Removals(
            skus=removed,
            lines=report.removed_lines,
            of_skus=report.former_skus,
            confirm=removed if waits else None,
        ),
        version=row.version,
        held_import_id=row.held_import_id,
        failure=None
        if row.failure_code is None
        else Failure(row.failure_code, row.failure_detail or ""),
        upload_url=f"/api/v1/price_imports/{row.id}/content",
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _stage(row: ImportRow) -> str | None:
    if row.state in ENDED or row.state == "ready":
        return None
    return "uploading" if row.state == "awaiting_upload" else row.state


def _eta_s(row: ImportRow) -> int | None:
    """Reading is half of the work, and the only part whose end can be seen."""
    if row.state != "reading" or not row.bytes_done or not row.bytes_total:
        return None
    # About twenty MiB a second go through all stages on two small cores.
    return max(1, (2 * row.bytes_total - row.bytes_done) // (20 << 20))


def _detected(dialect: Dialect) -> dict[str, object]:
    if not (dialect.header or dialect.candidates or dialect.sheets):
        return {}
    return {
        "encoding": None if dialect.candidates else dialect.encoding,
        "candidates": [
            {"encoding": encoding, "line": line} for encoding, line in dialect.candidates
        ],
        "sheet": dialect.sheet,
        "sheets": list(dialect.sheets),
        "header_row": dialect.header_row if dialect.header else None,
        "delimiter": dialect.delimiter,
        "decimal": dialect.decimal,
        "header": list(dialect.header),
        "columns": dialect.columns,
        "ignored": list(dialect.ignored),
    }


def diff_view(report: Report, rows: Sequence[DiffRow], next_cursor: str | None) -> Diff:
    """One page."""
    counts = DiffCounts(
        added=report.added,
        changed=report.changed,
        removed=report.removed_lines,
        unchanged=report.same + report.known,
        held=report.held,
    )
    return Diff(counts, [_diff_line(row) for row in rows], next_cursor)


def _diff_line(row: DiffRow) -> DiffLine:
    return msgspec.convert(
        {
            "kind": row.kind,
            "sku": row.sku,
            "min_quantity": None if row.min_quantity is None else plain(row.min_quantity),
            "unit": row.unit,
            "row": row.row_no,
            "before": _amount(row.old_price, row.currency),
            "before_price_unit": None if row.old_price_unit is None else plain(row.old_price_unit),
            "after": _amount(row.new_price, row.currency),
            "after_price_unit": None if row.new_price_unit is None else plain(row.new_price_unit),
            "percent": _percent(row),
            "reason": row.reason,
        },
        DiffLine,
    )


def _amount(price: Decimal | None, currency: str | None) -> dict[str, str] | None:
    if price is None or currency is None:
        return None
    amount = Amount(str(trimmed(price)), currency)
    return {"amount": amount.amount, "currency": amount.currency}


def _percent(row: DiffRow) -> str | None:
    """The change of the price of one unit."""
    if row.old_price is None or row.new_price is None or not row.old_price:
        return None
    if row.old_price_unit is None or row.new_price_unit is None:
        return None
    before, after = row.old_price / row.old_price_unit, row.new_price / row.new_price_unit
    return plain(quotient((after - before) * 100, before, 2))
