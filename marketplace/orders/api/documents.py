"""Documents of orders over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.documents.api import BODY_BYTES_MAX, read_upload, send_document
from marketplace.kernel.access import allow, sends, takes
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.orders.schemas import OrderDocument, OrderDocumentPage
from marketplace.orders.service import dossier

READ, WRITE = "orders:read", "orders:write"


class DocumentController(Controller):
    path = "/api/v1/orders/{order_id:uuid}/documents"
    tags = ("orders",)

    @get("/", opt=allow(scope=READ), summary="List documents of an order")
    async def list_documents(
        self, session: AsyncSession, actor: Actor, order_id: UUID
    ) -> OrderDocumentPage:
        """Every version of every file the caller may see."""
        return await dossier.list_documents(session, actor, order_id)

    @post(
        "/",
        opt=allow(scope=WRITE) | takes("*/*"),
        request_max_body_size=BODY_BYTES_MAX,
        summary="Add a document to an order",
    )
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
    ) -> OrderDocument:
        """The request's body is the file, its Content-Type the file's type. With `claim_id` it is
        evidence.
        """
        upload, now = read_upload(request, name), clock.now()
        return await dossier.add_document(
            session, actor, order_id, upload, now, internal=internal, claim_id=claim_id
        )

    @get(
        "/{document_id:uuid}",
        opt=allow(scope=READ) | sends("*/*"),
        summary="Get a document of an order",
    )
    async def get_document(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        order_id: UUID,
        document_id: UUID,
    ) -> Stream:
        """The file itself; `ETag` is its SHA-256."""
        found = await dossier.get_document(session, actor, order_id, document_id)
        return send_document(database, actor, found)

    @post("/{document_id:uuid}/accept", status_code=200, opt=allow(scope=WRITE))
    async def accept_document(
        self, session: AsyncSession, actor: Actor, clock: Clock, order_id: UUID, document_id: UUID
    ) -> OrderDocument:
        """The other side's stamp on this version."""
        return await dossier.stamp_document(session, actor, order_id, document_id, clock.now())
