"""Documents of orders over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow, sends, takes
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.files import DOCUMENT_BYTES_MAX
from marketplace.orders import queries
from marketplace.orders.schemas import DocumentPage, DocumentView
from marketplace.orders.service import dossier

READ, WRITE = "orders:read", "orders:write"


class DocumentController(Controller):
    path = "/api/v1/orders/{order_id:uuid}/documents"
    tags = ("orders",)

    @get("/", opt=allow(scope=READ))
    async def list_documents(
        self, session: AsyncSession, actor: Actor, order_id: UUID
    ) -> DocumentPage:
        """Every version of every file the caller may see."""
        return await dossier.list_documents(session, actor, order_id)

    @post("/", opt=allow(scope=WRITE) | takes("*/*"), request_max_body_size=DOCUMENT_BYTES_MAX + 1)
    async def add_document(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        order_id: UUID,
        name: str,
        internal: bool = False,
        claim_id: UUID | None = None,
    ) -> DocumentView:
        """The request's body is the file, its Content-Type the file's type. With `claim_id` it is
        evidence.
        """
        return await dossier.add_document(
            session,
            actor,
            order_id,
            name,
            request.headers.get("content-type", ""),
            request.stream(),
            clock.now(),
            internal=internal,
            claim_id=claim_id,
        )

    @get("/{document_id:uuid}", opt=allow(scope=READ) | sends("*/*"))
    async def get_document(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        order_id: UUID,
        document_id: UUID,
    ) -> Stream:
        """The file itself; `ETag` is its SHA-256."""
        found = await dossier.find_document(session, actor, order_id, document_id)
        return Stream(
            _content(database, actor, found.id),
            media_type=found.media_type,
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
                "Content-Length": str(found.size_bytes),
                "ETag": f'"{found.sha256}"',
            },
        )

    @post("/{document_id:uuid}/accept", status_code=200, opt=allow(scope=WRITE))
    async def accept_document(
        self, session: AsyncSession, actor: Actor, clock: Clock, order_id: UUID, document_id: UUID
    ) -> DocumentView:
        """The other side's stamp on this version."""
        return await dossier.stamp_document(session, actor, order_id, document_id, clock.now())


async def _content(database: Database, actor: Actor, document_id: UUID) -> AsyncIterator[bytes]:
    """A transaction for each chunk: a slow reader must not keep one open."""
    position = 0
    while True:
        async with database.transaction(actor) as session:
            chunk = await queries.document_chunk(session, document_id, position)
        if chunk is None:
            return
        yield chunk
        position += 1
