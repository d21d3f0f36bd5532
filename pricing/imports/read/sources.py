"""What an upload is about, as the database knows it: the file to read, and how."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from marketplace.kernel import units
from marketplace.kernel.statements import Connection, Pool
from pricing.imports.lease.queries import Upload
from pricing.imports.read import queries
from pricing.imports.read.dialect import header_hash
from pricing.imports.read.headers import Mappings
from pricing.imports.read.opening import Source
from pricing.imports.rules import ReadingOptions


async def source_of(connection: Connection, upload: Upload) -> Source:
    listed = await queries.unit_codes(connection)
    return Source(
        import_id=upload.id,
        supplier_id=upload.supplier_id,
        format=upload.format,
        mode=upload.mode,
        units=units.CODES | {code for code in listed if units.code_of(code) is None},
        given=msgspec.json.decode(upload.reading, type=ReadingOptions),
        remembered=await queries.remembered_options(connection, upload.list_id),
    )


async def find_columns(pool: Pool, supplier_id: UUID, headers: Sequence[Sequence[str]]) -> Mappings:
    """The mappings a supplier chose for any of these headers."""
    hashes = [header_hash(header) for header in headers]
    return await queries.remembered_columns(pool, supplier_id, hashes)
