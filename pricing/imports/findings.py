"""Writing down what was found: errors by row and the rows themselves, for the failed-rows file."""

from __future__ import annotations

from itertools import islice
from typing import Any
from uuid import UUID

import msgspec

from pricing.imports.checks import RowError
from pricing.imports.columns import BIT_OF
from pricing.imports.rules import DELETE, ERRORS_KEPT_MAX
from pricing.imports.staging import Connection, Tables

BATCH = 5_000


async def clear(connection: Connection, import_id: UUID) -> None:
    await connection.execute("DELETE FROM price_import_errors WHERE import_id = $1", import_id)
    await connection.execute("DELETE FROM price_import_rejects WHERE import_id = $1", import_id)


async def write_errors(
    connection: Connection, import_id: UUID, supplier_id: UUID, errors: list[RowError]
) -> None:
    """At most ERRORS_KEPT_MAX; several entries of one row are numbered."""
    seen: dict[int, int] = {}
    rows = []
    for error in errors[:ERRORS_KEPT_MAX]:
        n = seen[error.row] = seen.get(error.row, 0) + 1
        rows.append((error, n))
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        await connection.execute(
            """INSERT INTO price_import_errors (import_id, supplier_id, row_no, n, "column", code,
                severity, value, message, hint)
            SELECT $1, $2, e.* FROM unnest($3::int[], $4::int[], $5::text[], $6::text[],
                $7::text[], $8::text[], $9::text[], $10::text[]) e
            ON CONFLICT DO NOTHING""",
            import_id,
            supplier_id,
            [e.row for e, _ in batch],
            [n for _, n in batch],
            [e.column for e, _ in batch],
            [e.code for e, _ in batch],
            [e.severity for e, _ in batch],
            [_storable(e.value) for e, _ in batch],
            [e.message for e, _ in batch],
            [e.hint for e, _ in batch],
        )


def _storable(text: str | None) -> str | None:
    """PostgreSQL's text holds no zero bytes; a picture of one keeps the report honest."""
    return None if text is None else text.replace("\x00", "\u2400")


async def write_rejects(
    connection: Connection, import_id: UUID, supplier_id: UUID, rejects: dict[int, Any]
) -> None:
    iterator = iter(rejects.items())
    while batch := list(islice(iterator, BATCH)):
        await connection.execute(
            """INSERT INTO price_import_rejects (import_id, supplier_id, row_no, cells)
            SELECT $1, $2, r.row_no, r.cells::jsonb FROM unnest($3::int[], $4::text[])
                r (row_no, cells) ON CONFLICT DO NOTHING""",
            import_id,
            supplier_id,
            [row for row, _ in batch],
            [_json(cells) for _, cells in batch],
        )


def _json(cells: Any) -> str:
    return msgspec.json.encode(cells).decode().replace("\\u0000", "\\u2400")


_KEEP_LEFT = """INSERT INTO price_import_rejects (import_id, supplier_id, row_no, cells)
    SELECT $1, $2, s.row_no, jsonb_build_object('cells', jsonb_build_object({cells}),
        'reason', x.reason)
    FROM {s} s JOIN (SELECT DISTINCT ON (sku) sku, reason FROM {x} ORDER BY sku, reason) x
        ON x.sku = s.sku
    ORDER BY s.row_no LIMIT $3 ON CONFLICT DO NOTHING"""
_CELLS = ", ".join(
    f"'{name}', CASE WHEN s.cleared & {bit} <> 0 THEN '{DELETE}' ELSE s.{name}::text END"
    for name, bit in BIT_OF.items()
)


async def keep_left_rows(
    connection: Connection, tables: Tables, import_id: UUID, supplier_id: UUID
) -> None:
    """Good rows that are not taken because of their SKU's other rows, or that are held."""
    await connection.execute(
        tables.sql(_KEEP_LEFT.replace("{cells}", _CELLS)), import_id, supplier_id, ERRORS_KEPT_MAX
    )


def ladder_errors(left: list[tuple[int, str]], told: set[int]) -> list[RowError]:
    """An entry for each row that shares its SKU's fate without a fault of its own."""
    return [
        RowError(
            row,
            "sku",
            "ladder_incomplete" if reason == "error" else "ladder_held",
            None,
            "Another row of this SKU is wrong."
            if reason == "error"
            else "Another row of this SKU is held.",
            "error" if reason == "error" else "held",
        )
        for row, reason in left
        if row not in told
    ]
