"""What was said of one file and helps to read the next: columns by header, the rest by list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from pricing.imports.dialect import header_hash
from pricing.imports.rules import REMEMBERED, ReadingOptions
from pricing.imports.staging import Connection

REMEMBER_COLUMNS = """INSERT INTO column_mappings (supplier_id, header_hash, columns, used_at)
    VALUES ({supplier}, {header}, CAST({columns} AS jsonb), {now})
    ON CONFLICT (supplier_id, header_hash)
    DO UPDATE SET columns = excluded.columns, used_at = excluded.used_at"""
REMEMBER_OPTIONS = """UPDATE price_lists SET reading = reading || CAST({options} AS jsonb)
    WHERE id = {list} AND supplier_id = {supplier}"""


def options_json(given: ReadingOptions) -> str:
    """What a list remembers of these options."""
    told: Mapping[str, str | int | None] = {name: getattr(given, name) for name in REMEMBERED}
    return msgspec.json.encode({name: value for name, value in told.items() if value}).decode()


async def remember(
    connection: Connection,
    supplier_id: UUID,
    list_id: UUID,
    given: ReadingOptions,
    header: Sequence[str],
    now: datetime,
) -> None:
    """After a file was read as its uploader said."""
    if given.columns:
        told = REMEMBER_COLUMNS.format(supplier="$1", header="$2", columns="$3", now="$4")
        columns = msgspec.json.encode(given.columns).decode()
        await connection.execute(told, supplier_id, header_hash(header), columns, now)
    options = options_json(given)
    if options != "{}":
        told = REMEMBER_OPTIONS.format(options="$1", list="$2", supplier="$3")
        await connection.execute(told, options, list_id, supplier_id)
