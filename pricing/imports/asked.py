"""What an upload is about, as the database knows it: the file to read and the list to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from marketplace.kernel import units
from pricing.imports.compare import Subject
from pricing.imports.dialect import header_hash
from pricing.imports.headers import Mappings
from pricing.imports.opening import Source
from pricing.imports.rules import ReadingOptions


async def subject_of(connection: Any, row: Any) -> Subject:
    found = await connection.fetchrow(
        """SELECT l.list_no, l.supplier_id, l.version, coalesce(v.lines, 0) AS lines,
            coalesce(v.skus, 0) AS skus, coalesce(s.hold_change_percent, 50) AS hold
        FROM price_lists l
        LEFT JOIN price_versions v ON v.list_id = l.id AND v.version = l.version
        LEFT JOIN price_settings s ON s.supplier_id = l.supplier_id
        WHERE l.id = $1""",
        row["list_id"],
    )
    return Subject(
        found["list_no"],
        found["supplier_id"],
        found["version"],
        found["lines"],
        found["skus"],
        row["mode"],
        found["hold"],
        row["accepts_held"],
    )


async def source_of(connection: Any, row: Any) -> Source:
    listed = await connection.fetch("SELECT code FROM units")
    added = {row["code"] for row in listed if units.code_of(row["code"]) is None}
    of_list = await connection.fetchval(
        "SELECT reading::text FROM price_lists WHERE id = $1", row["list_id"]
    )
    return Source(
        row["id"],
        row["supplier_id"],
        row["format"],
        row["mode"],
        units.CODES | added,
        msgspec.json.decode(row["reading"], type=ReadingOptions),
        msgspec.json.decode(of_list, type=ReadingOptions),
    )


async def find_columns(pool: Any, supplier_id: UUID, headers: Sequence[Sequence[str]]) -> Mappings:
    """The mappings a supplier chose for any of these headers."""
    found = await pool.fetch(
        "SELECT header_hash, columns FROM column_mappings"
        " WHERE supplier_id = $1 AND header_hash = ANY($2)",
        supplier_id,
        [header_hash(header) for header in headers],
    )
    return {
        each["header_hash"]: msgspec.json.decode(each["columns"], type=dict[str, str])
        for each in found
    }
