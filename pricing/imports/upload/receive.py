"""Taking a file in: piece by piece into PostgreSQL, where any worker finds it and reads it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, Invalid, TooLarge
from marketplace.kernel.ids import new_id
from marketplace.kernel.statements import Pool
from pricing.imports import service, views
from pricing.imports.rules import UPLOAD_BYTES_MAX
from pricing.imports.schemas import ImportView
from pricing.imports.threads import in_thread
from pricing.imports.upload import queries
from pricing.imports.upload.packing import packed, unpacked
from pricing.imports.upload.queries import Chunk

CHUNK_BYTES = 1 << 20
"""From this size on what has come in is stored; a server hands over far smaller pieces."""
STORING_AT_ONCE = 2
"""Chunks of one upload; one is packed while another is written."""
CHUNKS_AHEAD = 2
"""Chunks that are fetched while one is read."""


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
        if not await queries.begin(session, import_id, token, clock.now()):
            raise Conflict("wrong_state", f"An upload that is {found.state} takes no file.")
    size, digest = await _store(database, import_id, token, stream)
    if not size:
        raise Invalid("empty_file", "The file is empty.")
    if found.sha256 is not None and found.sha256 != digest:
        raise Invalid.field("sha256", "sha256_mismatch", f"What arrived has the SHA-256 {digest}.")
    async with database.transaction(actor) as session:
        if not await queries.end(session, import_id, token, size, clock.now()):
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
        data = piece if small is None else small
        await _write(pool, import_id, token, Chunk(number, data, small is not None))

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


async def _write(pool: Pool, import_id: UUID, token: UUID, chunk: Chunk) -> None:
    try:
        stored = await queries.add_chunk(pool, import_id, token, chunk)
    except asyncpg.InternalClientError as lost:
        # So the driver answers between the last word of a server that dies and its hanging up.
        raise ConnectionError("The server is going down.") from lost
    if not stored:
        raise _taken_over()


async def stored_file(pool: Pool, import_id: UUID) -> AsyncIterator[bytes]:
    """The file as it came in; its next chunks are fetched while one is read."""

    async def fetch(n: int) -> bytes | None:
        found = await queries.chunk(pool, import_id, n)
        if found is None:
            return None
        return await in_thread(unpacked, found.data) if found.packed else found.data

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
