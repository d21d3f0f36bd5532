"""Validating an upload that is staged: from rows to a report of what publishing would do."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import polars as pl

from marketplace.kernel.statements import Connection
from pricing.imports.check import findings, oddities, queries
from pricing.imports.check.checks import RowError
from pricing.imports.compare.queries import endings, rows
from pricing.imports.compare.queries.rows import LeftRow
from pricing.imports.compare.report import Report, Subject
from pricing.imports.compare.tables import Tables
from pricing.imports.read.intake import Intake
from pricing.imports.read.known import KnownRows
from pricing.imports.rules import HINTS
from pricing.imports.threads import in_thread


async def validate(
    connection: Connection,
    tables: Tables,
    import_id: UUID,
    subject: Subject,
    intake: Intake,
    known: KnownRows | None,
) -> Report:
    """Fill d, g and x, write the findings, and count. `known` are the rows of the current version
    that were not staged, or None when every row was.
    """
    await queries.clear(connection, import_id)
    errors = list(intake.errors)
    repeated, repeated_known = await in_thread(intake.repeated_rows, known)
    if repeated:
        await rows.drop_rows(connection, tables, repeated)
        errors += findings.repeated_text_errors(repeated)
    await rows.analyze_staged(connection, tables)
    merged = bool(subject.lines)
    await rows.merge_with_list(connection, tables, subject)
    await rows.leave_skus(connection, tables, intake.bad_skus, "error")
    errors += await _conflicts(connection, tables, subject, intake, repeated, merged=merged)
    errors += await oddities.find(
        connection, tables, subject, merged=merged, zero_prices=intake.zero_prices
    )
    if known is None:
        await endings.by_mode(connection, tables, subject, merged=merged)
    else:
        await endings.by_fingerprints(connection, tables, subject, known)
    if merged and (subject.mode == "patch" or known is not None):
        errors += await _kept_conflicts(connection, tables, subject)
    left = await rows.left_rows(connection, tables)
    errors += findings.ladder_errors(left, {error.row for error in errors})
    report = await _count(connection, tables, subject, intake, left, repeated_known, merged=merged)
    supplier_id = subject.supplier_id
    await queries.write_rejects(connection, import_id, supplier_id, intake.rejects)
    await queries.keep_left_rows(connection, tables, import_id, supplier_id)
    await queries.write_errors(connection, import_id, supplier_id, findings.numbered(errors))
    return report


async def _conflicts(
    connection: Connection,
    tables: Tables,
    subject: Subject,
    intake: Intake,
    repeated: list[int],
    *,
    merged: bool,
) -> list[RowError]:
    """Rows that collide within the file, and patch rows that fit nowhere."""
    errors: list[RowError] = []
    skus: set[str] = set()
    if subject.mode == "patch":
        for row, sku, code in await rows.unpatchable_rows(connection, tables):
            errors.append(RowError(row, "sku", code, sku, HINTS[code]))
            skus.add(sku)
    doubtful = await in_thread(intake.doubtful_rows)
    if subject.mode == "patch" and merged:
        again = await rows.rows_of_one_line(connection, tables)
        doubtful = pl.concat([doubtful, again]).unique()
    if repeated:
        doubtful = doubtful.filter(~doubtful.is_in(repeated))
    overlaps = await rows.overlapping_rows(connection, tables, doubtful, merged=merged)
    for row, sku, other, repeats in overlaps:
        errors.append(findings.overlap_error(row, f"row {other}", repeated=repeats))
        if not repeats:
            errors.append(findings.overlap_error(other, f"row {row}", repeated=False))
            skus.add(sku)
    same_again = [each.row for each in overlaps if each.repeats]
    if same_again:
        await rows.drop_rows(connection, tables, same_again)
        await rows.drop_merged_rows(connection, tables, same_again)
    await rows.leave_skus(connection, tables, skus, "error")
    return errors


async def _kept_conflicts(
    connection: Connection, tables: Tables, subject: Subject
) -> list[RowError]:
    """Rows that collide with lines that stay."""
    overlaps = await rows.overlaps_with_kept(connection, tables, subject)
    if not overlaps:
        return []
    skus = sorted({each.sku for each in overlaps})
    await rows.leave_skus(connection, tables, skus, "error")
    await endings.keep_lines(connection, tables, skus)
    return [
        findings.overlap_error(
            each.row,
            f"the line from row {each.line_row} of version {each.since}",
            repeated=False,
        )
        for each in overlaps
    ]


async def _count(
    connection: Connection,
    tables: Tables,
    subject: Subject,
    intake: Intake,
    left: Sequence[LeftRow],
    repeated_known: int,
    *,
    merged: bool,
) -> Report:
    staged = await rows.count_staged(connection, tables)
    dropped = intake.staged - staged
    changed, same = await rows.count_merged(connection, tables)
    held = sum(each.reason == "held" for each in left)
    rejected = len(left) - held
    ended = await endings.ended_lines(connection, tables)
    removed = await endings.removed_skus(connection, tables, subject) if ended else 0
    fresh = (
        await in_thread(intake.skus_count)
        if not subject.lines and not left and not dropped
        else await endings.added_skus(connection, tables, subject, merged=merged)
    )
    return Report(
        reading=f"{intake.seed:x}",
        staged=staged,
        sorted=intake.sorted,
        merged=merged,
        added=staged - len(left) - changed - same,
        changed=changed,
        same=same,
        known=intake.unchanged - repeated_known,
        rejected=intake.invalid + rejected + dropped + repeated_known,
        held=held,
        ended_lines=ended,
        removed_lines=max(ended - changed, 0),
        removed_skus=removed,
        former_skus=subject.skus,
        skus=subject.skus + fresh - removed,
        clean=not (left or intake.invalid or dropped or repeated_known),
    )
