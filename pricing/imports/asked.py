"""What an upload is about, as the database knows it: the file to read and the list to change."""

from __future__ import annotations

from typing import Any

import msgspec

from marketplace.kernel import units
from pricing.imports.compare import Subject
from pricing.imports.intake import Source


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
    return Source(
        row["id"],
        row["supplier_id"],
        row["format"],
        row["mode"],
        None if row["columns"] is None else msgspec.json.decode(row["columns"]),
        units.CODES | added,
    )
