"""Validating an upload that is staged: from rows to a report of what publishing would do."""

from __future__ import annotations

from uuid import UUID

import polars as pl

from pricing.imports import compare, ending, findings, oddities
from pricing.imports.checks import RowError
from pricing.imports.compare import Report, Subject
from pricing.imports.intake import Intake
from pricing.imports.known import KnownRows
from pricing.imports.rules import HINTS
from pricing.imports.staging import Connection, Tables
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
    await findings.clear(connection, import_id)
    errors = list(intake.errors)
    repeated, repeated_known = await in_thread(intake.repeated_rows, known)
    if repeated:
        await compare.drop_rows(connection, tables, repeated)
        errors += compare.repeated_text_errors(intake, repeated)
    await connection.execute(tables.sql("ANALYZE {s} (row_no, sku)"))
    merged = bool(subject.lines)
    await compare.merge_with_list(connection, tables, subject)
    await compare.leave_skus(connection, tables, sorted(intake.bad_skus), "error")
    errors += await _conflicts(connection, tables, subject, intake, repeated, merged=merged)
    errors += await oddities.find(
        connection, tables, subject, merged=merged, zero_prices=intake.zero_prices
    )
    if known is None:
        await ending.by_mode(connection, tables, subject, merged=merged)
    else:
        await ending.by_fingerprints(connection, tables, subject, known)
    if merged and (subject.mode == "patch" or known is not None):
        errors += await _kept_conflicts(connection, tables, subject)
    left = await compare.left_rows(connection, tables)
    errors += findings.ladder_errors(left, {error.row for error in errors})
    report = await _count(connection, tables, subject, intake, left, repeated_known, merged=merged)
    await findings.write_rejects(connection, import_id, subject.supplier_id, intake.rejects)
    await findings.keep_left_rows(connection, tables, import_id, subject.supplier_id)
    await findings.write_errors(connection, import_id, subject.supplier_id, _in_order(errors))
    return report


def _in_order(errors: list[RowError]) -> list[RowError]:
    return sorted(errors, key=lambda error: error.row)


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
        for row, sku, code in await compare.unpatchable_rows(connection, tables):
            errors.append(RowError(row, "sku", code, sku, HINTS[code]))
            skus.add(sku)
    doubtful = await in_thread(intake.doubtful_rows)
    if subject.mode == "patch" and merged:
        again = await compare.rows_of_one_line(connection, tables)
        doubtful = pl.concat([doubtful, again]).unique()
    if repeated:
        doubtful = doubtful.filter(~doubtful.is_in(repeated))
    found = await compare.overlapping_rows(connection, tables, doubtful, merged=merged)
    same_again = [row for row, _, _, repeats in found if repeats]
    for row, sku, other, repeats in found:
        errors.append(compare.sentence_for_overlap(row, f"row {other}", repeated=repeats))
        if not repeats:
            errors.append(compare.sentence_for_overlap(other, f"row {row}", repeated=False))
            skus.add(sku)
    if same_again:
        await compare.drop_rows(connection, tables, same_again)
        if merged:
            await connection.execute(
                tables.sql("DELETE FROM {d} WHERE row_no = ANY($1)"), same_again
            )
    await compare.leave_skus(connection, tables, sorted(skus), "error")
    return errors


async def _kept_conflicts(
    connection: Connection, tables: Tables, subject: Subject
) -> list[RowError]:
    """Rows that collide with lines that stay."""
    found = await compare.overlaps_with_kept(connection, tables, subject, merged=True)
    if not found:
        return []
    skus = sorted({sku for _, sku, _, _ in found})
    await compare.leave_skus(connection, tables, skus, "error")
    await connection.execute(tables.sql("DELETE FROM {g} WHERE sku = ANY($1)"), skus)
    return [
        compare.sentence_for_overlap(
            row, f"the line from row {line} of version {since}", repeated=False
        )
        for row, _, since, line in found
    ]


_OPS = """SELECT count(*) FILTER (WHERE op = 'change') AS changed,
    count(*) FILTER (WHERE op = 'same') AS same
    FROM {d} d WHERE NOT EXISTS (SELECT FROM {x} x WHERE x.sku = d.sku)"""


async def _count(
    connection: Connection,
    tables: Tables,
    subject: Subject,
    intake: Intake,
    left: list[tuple[int, str]],
    repeated_known: int,
    *,
    merged: bool,
) -> Report:
    staged = await connection.fetchval(tables.sql("SELECT count(*) FROM {s}"))
    dropped = intake.staged - staged
    changed = same = 0
    if merged:
        ops = await connection.fetchrow(tables.sql(_OPS))
        changed, same = ops["changed"], ops["same"]
    held = sum(reason == "held" for _, reason in left)
    rejected = len(left) - held
    ended = await ending.ended_lines(connection, tables)
    removed = await ending.removed_skus(connection, tables, subject) if ended else 0
    fresh = (
        await in_thread(intake.skus_count)
        if not subject.lines and not left and not dropped
        else await ending.added_skus(connection, tables, subject, merged=merged)
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
