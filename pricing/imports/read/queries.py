"""What reading asks the database: the list and how its files are read, and rows known already."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from marketplace.kernel.statements import Connection, Source, Statement
from pricing.imports.compare.report import Subject
from pricing.imports.rules import Mode, ReadingOptions

_CURSOR_ROWS = 8_192


class Current(NamedTuple):
    """What a list shows: no upload before the first version."""

    list_no: int
    import_id: UUID | None
    lines: int


async def subject_of(
    connection: Connection, list_id: UUID, mode: Mode, *, accepts_held: bool
) -> Subject:
    row = await connection.fetchrow(
        """SELECT l.list_no, l.supplier_id, l.version, coalesce(v.lines, 0) AS lines,
            coalesce(v.skus, 0) AS skus, coalesce(s.hold_change_percent, 50) AS hold
        FROM price_lists l
        LEFT JOIN price_versions v ON v.list_id = l.id AND v.version = l.version
        LEFT JOIN price_settings s ON s.supplier_id = l.supplier_id
        WHERE l.id = $1""",
        list_id,
    )
    return Subject(
        list_no=row["list_no"],
        supplier_id=row["supplier_id"],
        version=row["version"],
        lines=row["lines"],
        skus=row["skus"],
        mode=mode,
        hold_change_percent=row["hold"],
        accepts_held=accepts_held,
    )


async def unit_codes(connection: Connection) -> list[str]:
    """Codes that the operator loaded."""
    return [row["code"] for row in await connection.fetch("SELECT code FROM units")]


async def remembered_options(connection: Connection, list_id: UUID) -> ReadingOptions:
    text: str = await connection.fetchval(
        "SELECT reading::text FROM price_lists WHERE id = $1", list_id
    )
    return msgspec.json.decode(text, type=ReadingOptions)


_COLUMNS = Statement(
    """SELECT header_hash, columns::text AS columns FROM column_mappings
    WHERE supplier_id = :supplier AND header_hash = ANY(:headers)"""
)
_REMEMBER_COLUMNS = Statement(
    """INSERT INTO column_mappings (supplier_id, header_hash, columns, used_at)
    VALUES (:supplier, :header, CAST(:columns AS jsonb), :now)
    ON CONFLICT (supplier_id, header_hash)
    DO UPDATE SET columns = excluded.columns, used_at = excluded.used_at"""
)
_REMEMBER_OPTIONS = Statement(
    """UPDATE price_lists SET reading = reading || CAST(:options AS jsonb)
    WHERE id = :list AND supplier_id = :supplier"""
)


async def remembered_columns(
    source: Source, supplier_id: UUID, headers: Sequence[bytes]
) -> Mapping[bytes, Mapping[str, str]]:
    """Column mappings of a supplier by the hashes of their headers."""
    rows = await _COLUMNS.rows(source, supplier=supplier_id, headers=list(headers))
    return {
        row["header_hash"]: msgspec.json.decode(row["columns"], type=dict[str, str]) for row in rows
    }


async def remember_columns(
    source: Source, supplier_id: UUID, header: bytes, columns: str, now: datetime
) -> None:
    """`columns` as JSON."""
    values = {"supplier": supplier_id, "header": header, "columns": columns, "now": now}
    await _REMEMBER_COLUMNS.run(source, **values)


async def remember_options(source: Source, supplier_id: UUID, list_id: UUID, options: str) -> None:
    """`options` as JSON; what they leave out stays."""
    await _REMEMBER_OPTIONS.run(source, options=options, list=list_id, supplier=supplier_id)


async def known_parts(
    connection: Connection, list_id: UUID, reading: str
) -> AsyncGenerator[bytes, None]:
    """Stored fingerprints of the current version, none unless it was read in the same way. One
    snapshot: an upload that publishes meanwhile takes no part of it away.
    """
    async with connection.transaction():
        async for (part,) in connection.cursor(
            """SELECT f.fingerprints FROM price_lists l
            JOIN price_versions v ON v.list_id = l.id AND v.version = l.version
            JOIN price_import_fingerprints f ON f.import_id = v.import_id
            WHERE l.id = $1 AND f.reading = $2 AND v.reverts IS NULL ORDER BY f.n""",
            list_id,
            reading,
            prefetch=1,
        ):
            yield part


async def current_of(connection: Connection, list_id: UUID) -> Current | None:
    row = await connection.fetchrow(
        """SELECT l.list_no, v.import_id, v.lines FROM price_lists l
        JOIN price_versions v ON v.list_id = l.id AND v.version = l.version WHERE l.id = $1""",
        list_id,
    )
    return None if row is None else Current(*row)


async def forget_parts(connection: Connection, list_id: UUID) -> None:
    """Of every version: those of older ones are of no more use."""
    await connection.execute(
        """DELETE FROM price_import_fingerprints f USING price_imports i
        WHERE f.import_id = i.id AND i.list_id = $1""",
        list_id,
    )


async def keep_part(
    connection: Connection, import_id: UUID, supplier_id: UUID, reading: str, n: int, part: bytes
) -> None:
    await connection.execute(
        """INSERT INTO price_import_fingerprints (import_id, supplier_id, reading, n, fingerprints)
        VALUES ($1, $2, $3, $4, $5)""",
        import_id,
        supplier_id,
        reading,
        n,
        part,
    )


async def fingerprints_differ(connection: Connection, list_no: int) -> bool:
    """Whether every current line has a fingerprint that no other one has."""
    return bool(
        await connection.fetchval(
            "SELECT count(*) = count(DISTINCT fingerprint) FROM price_lines"
            " WHERE list_no = $1 AND until IS NULL",
            list_no,
        )
    )


async def fingerprints_of_lines(connection: Connection, list_no: int) -> AsyncIterator[int]:
    """Of the current ones, within a transaction."""
    async for (fingerprint,) in connection.cursor(
        "SELECT fingerprint FROM price_lines WHERE list_no = $1 AND until IS NULL",
        list_no,
        prefetch=_CURSOR_ROWS,
    ):
        yield fingerprint
