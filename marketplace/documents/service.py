"""Files are stored in chunks, version by version. Who may do what with the files of a subject is
settled by the feature that owns the subject before it calls these functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.documents import queries, rules
from marketplace.documents.models import Document, DocumentChunk
from marketplace.documents.schemas import DocumentView
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, Invalid, NotFound, TooLarge
from marketplace.kernel.ids import new_id


class Upload(msgspec.Struct, frozen=True):
    """A file on its way in, as its sender declares it: nothing is checked yet."""

    name: str
    media_type: str
    content: AsyncIterator[bytes]


async def add(
    session: AsyncSession,
    actor: Actor,
    subject: str,
    subject_id: UUID,
    upload: Upload,
    now: datetime,
    *,
    versions_max: int,
    internal: bool = False,
    part_id: UUID | None = None,
) -> Document:
    """A new version of the file of that name of the actor's organisation; the subject takes
    `versions_max` versions of files. Never holds more than a chunk. Raises Invalid, Conflict,
    TooLarge.
    """
    name, media_type = rules.check_name(upload.name), rules.check_type(upload.media_type)
    if len(await queries.documents(session, subject, subject_id)) >= versions_max:
        raise Conflict("too_many_documents", f"At most {versions_max} versions of files.")
    own = actor.organisation_id
    row = Document(
        id=new_id(),
        subject=subject,
        subject_id=subject_id,
        part_id=part_id,
        organisation_id=own,
        name=name,
        version=await queries.newest_version(session, subject_id, own, name) + 1,
        media_type=media_type,
        # Not known before the last byte; the chunks need the row to be there.
        size_bytes=1,
        sha256="0" * 64,
        internal=internal,
        author_id=actor.user_id,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    row.size_bytes, row.sha256 = await _store(session, row, upload.content)
    await session.flush()
    return row


async def _store(
    session: AsyncSession, row: Document, content: AsyncIterator[bytes]
) -> tuple[int, str]:
    """(size, SHA-256) of what was written, in chunks."""
    digest, size, position, buffer = hashlib.sha256(), 0, 0, bytearray()
    async for piece in content:
        size += len(piece)
        if size > rules.BYTES_MAX:
            raise TooLarge("document_too_large", f"At most {rules.BYTES_MAX} bytes.")
        digest.update(piece)
        buffer += piece
        while len(buffer) >= rules.CHUNK_BYTES:
            await _store_chunk(session, row, position, bytes(buffer[: rules.CHUNK_BYTES]))
            del buffer[: rules.CHUNK_BYTES]
            position += 1
    if buffer:
        await _store_chunk(session, row, position, bytes(buffer))
    if size == 0:
        raise Invalid.field("content", "empty", "The file is empty.")
    return size, digest.hexdigest()


async def _store_chunk(session: AsyncSession, row: Document, position: int, content: bytes) -> None:
    if position == 0:
        rules.check_start(row.media_type, content)
    await session.execute(
        insert(DocumentChunk).values(document_id=row.id, position=position, content=content)
    )


async def get(session: AsyncSession, subject_id: UUID, document_id: UUID) -> Document:
    """A version the caller may see, of that subject. Raises NotFound."""
    row = await queries.document(session, document_id)
    if row is None or row.subject_id != subject_id:
        raise NotFound("document")
    return row


async def content(database: Database, actor: Actor, document_id: UUID) -> AsyncIterator[bytes]:
    """A transaction for each chunk: a slow reader must not keep one open."""
    position = 0
    while True:
        async with database.transaction(actor) as session:
            chunk = await queries.chunk(session, document_id, position)
        if chunk is None:
            return
        yield chunk
        position += 1


def view(row: Document) -> DocumentView:
    return DocumentView(
        id=row.id,
        name=row.name,
        version=row.version,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        internal=row.internal,
        created_at=row.created_at,
    )
