"""Taking a file in: piece by piece into PostgreSQL, where any worker finds it and reads it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
from sqlalchemy import text

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, Invalid, TooLarge
from marketplace.kernel.ids import new_id
from marketplace.kernel.statements import Pool
from pricing.imports import service, views
from pricing.imports.packing import packed, unpacked
from pricing.imports.rules import UPLOAD_BYTES_MAX
from pricing.imports.schemas import ImportView
from pricing.imports.threads import in_thread

CHUNK_BYTES = 1 << 20
"""From this size on what has come in is stored; a server hands over far smaller pieces."""
STORING_AT_ONCE = 2
"""Chunks of one upload; one is packed while another is written."""
CHUNKS_AHEAD = 2
"""Chunks that are fetched while one is read."""

_BEGIN = """UPDATE price_imports SET lease_token = :token, bytes_total = 0, bytes_done = 0,
    stages = price_stage_entered('[]', CAST(:stage AS jsonb), :at)
    WHERE id = :id AND state = 'awaiting_upload' RETURNING id"""
# A second sender takes over; what the first one still sends finds another token and is dropped.
# Only the commit that ends the upload waits for the disk; it makes all before it durable too.
_CHUNK = """WITH later AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO price_import_chunks (import_id, supplier_id, n, bytes, packed)
    SELECT $1, supplier_id, $2, $3, $5 FROM price_imports, later
    WHERE id = $1 AND lease_token = $4 AND state = 'awaiting_upload'"""
_END = """UPDATE price_imports SET state = 'reading', lease_token = NULL, due_at = :now,
    bytes_total = :size WHERE id = :id AND lease_token = :token AND state = 'awaiting_upload'
    RETURNING id"""


async def receive(
    database: Database,
    actor: Actor,
    clock: Clock,
    import_id: UUID,
    stream: AsyncIterator[bytes],
    announced_bytes: int | None,
) -> ImportView:
    """Store the stream and hand the upload to the workers. Raises NotFound, Forbidden, Conflict
    (not awaited, or a second sender), TooLarge, Invalid (empty, or another SHA-256 than announced).

    No transaction stays open while the client sends.
    """
    if announced_bytes is not None and announced_bytes > UPLOAD_BYTES_MAX:
        raise _too_large()
    token = new_id()
    async with database.transaction(actor) as session:
        found = await service.own(session, actor, import_id)
        actor.require_capability("supplies")
        now = clock.now().isoformat()
        stage = f'{{"name": "uploading", "started_at": "{now}", "ended_at": null}}'
        begun = await session.execute(
            text(_BEGIN), {"token": token, "id": import_id, "stage": stage, "at": now}
        )
        if begun.one_or_none() is None:
            raise Conflict("wrong_state", f"An upload that is {found.state} takes no file.")
        await session.execute(
            text("DELETE FROM price_import_chunks WHERE import_id = :id"), {"id": import_id}
        )
    size, digest = await _store(database, import_id, token, stream)
    if not size:
        raise Invalid("empty_file", "The file is empty.")
    if found.sha256 is not None and found.sha256 != digest:
        raise Invalid.field("sha256", "sha256_mismatch", f"What arrived has the SHA-256 {digest}.")
    async with database.transaction(actor) as session:
        ended = await session.execute(
            text(_END), {"id": import_id, "token": token, "now": clock.now(), "size": size}
        )
        if ended.one_or_none() is None:
            raise _taken_over()
        return views.import_view(await service.own(session, actor, import_id))


async def _store(
    database: Database, import_id: UUID, token: UUID, stream: AsyncIterator[bytes]
) -> tuple[int, str]:
    """Size and SHA-256 of what was stored."""
    pool = await database.pool()
    digest = hashlib.sha256()
    held: list[bytes] = []
    size = held_size = n = 0
    shrinks = True
    storing: deque[asyncio.Task[None]] = deque()

    async def store(number: int, piece: bytes) -> None:
        nonlocal shrinks
        small = await in_thread(packed, piece) if shrinks else None
        # What is packed already will not shrink further on.
        shrinks = small is not None
        row = (import_id, number, piece if small is None else small, token, small is not None)
        await _write(pool, row)

    try:
        async for data in stream:
            size += len(data)
            if size > UPLOAD_BYTES_MAX:
                raise _too_large()
            digest.update(data)
            held.append(data)
            held_size += len(data)
            if held_size >= CHUNK_BYTES:
                # Chunks are packed and on their way to PostgreSQL while the next one comes in.
                if len(storing) == STORING_AT_ONCE:
                    await storing.popleft()
                storing.append(asyncio.create_task(store(n, b"".join(held))))
                held, held_size = [], 0
                n += 1
        if held_size:
            storing.append(asyncio.create_task(store(n, b"".join(held))))
        while storing:
            await storing.popleft()
    finally:
        for task in storing:
            task.cancel()
        await asyncio.gather(*storing, return_exceptions=True)
    return size, digest.hexdigest()


async def _write(pool: Pool, row: tuple[UUID, int, bytes, UUID, bool]) -> None:
    try:
        done = await pool.execute(_CHUNK, *row)
    except asyncpg.InternalClientError as lost:
        # So the driver answers between the last word of a server that dies and its hanging up.
        raise ConnectionError("The server is going down.") from lost
    if done != "INSERT 0 1":
        raise _taken_over()


async def stored(pool: Pool, import_id: UUID) -> AsyncIterator[bytes]:
    """The file as it came in; its next chunks are fetched while one is read."""

    async def fetch(n: int) -> bytes | None:
        told = "SELECT bytes, packed FROM price_import_chunks WHERE import_id = $1 AND n = $2"
        row = await pool.fetchrow(told, import_id, n)
        if row is None:
            return None
        data: bytes = row["bytes"]
        return await in_thread(unpacked, data) if row["packed"] else data

    coming = deque(asyncio.create_task(fetch(n)) for n in range(CHUNKS_AHEAD))
    n = CHUNKS_AHEAD
    try:
        while (data := await coming.popleft()) is not None:
            coming.append(asyncio.create_task(fetch(n)))
            n += 1
            yield data
    finally:
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)


def _taken_over() -> Conflict:
    return Conflict("upload_taken_over", "The upload was cancelled, or another sender began anew.")


def _too_large() -> TooLarge:
    return TooLarge("too_large", f"A file has at most {UPLOAD_BYTES_MAX >> 20} MiB, packed or not.")
