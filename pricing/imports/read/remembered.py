"""What was said of one file and helps to read the next: columns by header, the rest by list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from marketplace.kernel.statements import Source
from pricing.imports.read import queries
from pricing.imports.read.dialect import header_hash
from pricing.imports.rules import REMEMBERED, ReadingOptions


def options_json(given: ReadingOptions) -> str:
    """What a list remembers of these options."""
    options: Mapping[str, str | int | None] = {name: getattr(given, name) for name in REMEMBERED}
    return msgspec.json.encode({name: value for name, value in options.items() if value}).decode()


async def remember(
    source: Source,
    supplier_id: UUID,
    list_id: UUID,
    given: ReadingOptions,
    header: Sequence[str],
    now: datetime,
) -> None:
    """After a file was read as its uploader said."""
    if given.columns:
        columns = msgspec.json.encode(given.columns).decode()
        await queries.remember_columns(source, supplier_id, header_hash(header), columns, now)
    options = options_json(given)
    if options != "{}":
        await queries.remember_options(source, supplier_id, list_id, options)
