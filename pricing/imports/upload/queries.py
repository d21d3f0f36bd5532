"""The stored pieces of an upload, and who may still add to them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.statements import Pool

_BEGIN = text(
    """UPDATE price_imports SET lease_token = :token, bytes_total = 0, bytes_done = 0,
        stages = price_stage_entered('[]', CAST(:stage AS jsonb), :at)
    WHERE id = :id AND state = 'awaiting_upload' RETURNING id"""
)
_DELETE = text("DELETE FROM price_import_chunks WHERE import_id = :id")
# A second sender takes over; what the first one still sends finds another token and is dropped.
# Only the commit that ends the upload waits for the disk; it makes all before it durable too.
_CHUNK = """WITH later AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO price_import_chunks (import_id, supplier_id, n, bytes, packed)
    SELECT $1, supplier_id, $2, $3, $5 FROM price_imports, later
    WHERE id = $1 AND lease_token = $4 AND state = 'awaiting_upload'"""
_END = text(
    """UPDATE price_imports SET state = 'reading', lease_token = NULL, due_at = :now,
        bytes_total = :size WHERE id = :id AND lease_token = :token AND state = 'awaiting_upload'
    RETURNING id"""
)


class Chunk(msgspec.Struct, frozen=True):
    """A piece of a file; `data` may be packed."""

    number: int
    data: bytes
    packed: bool


async def begin(session: AsyncSession, import_id: UUID, token: UUID, now: datetime) -> bool:
    """Whether the upload waits for its file; pieces that came before are forgotten."""
    stage = {"name": "uploading", "started_at": now.isoformat(), "ended_at": None}
    values = {"token": token, "id": import_id, "at": now.isoformat()}
    begun = await session.execute(_BEGIN, values | {"stage": msgspec.json.encode(stage).decode()})
    if begun.one_or_none() is None:
        return False
    await session.execute(_DELETE, {"id": import_id})
    return True


async def add_chunk(pool: Pool, import_id: UUID, token: UUID, chunk: Chunk) -> bool:
    """False when another sender has taken over, or the upload was cancelled."""
    done = await pool.execute(_CHUNK, import_id, chunk.number, chunk.data, token, chunk.packed)
    return bool(done == "INSERT 0 1")


async def end(
    session: AsyncSession, import_id: UUID, token: UUID, size: int, now: datetime
) -> bool:
    """Hand the upload to the workers; False as with `add_chunk`."""
    values = {"id": import_id, "token": token, "now": now, "size": size}
    return (await session.execute(_END, values)).one_or_none() is not None


async def chunk(pool: Pool, import_id: UUID, number: int) -> Chunk | None:
    row = await pool.fetchrow(
        "SELECT bytes, packed FROM price_import_chunks WHERE import_id = $1 AND n = $2",
        import_id,
        number,
    )
    return None if row is None else Chunk(number, row["bytes"], row["packed"])
