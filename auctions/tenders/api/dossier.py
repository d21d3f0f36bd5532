"""Documents, questions and addenda over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import service
from auctions.tenders.schemas.dossier import (
    AddendumPage,
    NewAddendum,
    NewAnswer,
    NewQuestion,
    QuestionPage,
    QuestionView,
)
from auctions.tenders.sending import Desk
from marketplace.documents.api import BODY_BYTES_MAX, read_upload, send_document
from marketplace.documents.schemas import DocumentPage, DocumentView
from marketplace.kernel.access import allow, sends, takes
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database

READ, WRITE = "tenders:read", "tenders:write"


class DossierController(Controller):
    path = "/api/v1/tenders/{tender_id:uuid}"
    tags = ("tenders",)

    @get("/documents", opt=allow(scope=READ), summary="List documents of a tender")
    async def list_documents(
        self, session: AsyncSession, actor: Actor, tender_id: UUID
    ) -> DocumentPage:
        """Every version of every file the caller may see."""
        return await service.list_documents(session, actor, tender_id)

    @post(
        "/documents",
        opt=allow(scope=WRITE) | takes("*/*"),
        request_max_body_size=BODY_BYTES_MAX,
        summary="Add a document to a tender",
    )
    async def add_document(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
        name: str,
        internal: bool = False,
    ) -> DocumentView:
        """The request's body is the file, its Content-Type the file's type."""
        upload, now = read_upload(request, name), clock.now()
        return await service.add_document(session, actor, tender_id, upload, now, internal=internal)

    @get(
        "/documents/{document_id:uuid}",
        opt=allow(scope=READ) | sends("*/*"),
        summary="Get a document of a tender",
    )
    async def get_document(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        tender_id: UUID,
        document_id: UUID,
    ) -> Stream:
        """The file itself; `ETag` is its SHA-256."""
        found = await service.get_document(session, actor, tender_id, document_id)
        return send_document(database, actor, found)

    @get("/questions", opt=allow(scope=READ))
    async def list_questions(
        self, session: AsyncSession, actor: Actor, tender_id: UUID
    ) -> QuestionPage:
        """All for the buyer; the answered ones and the own for a supplier."""
        return await service.list_questions(session, actor, tender_id)

    @post("/questions", opt=allow(scope=WRITE))
    async def ask_question(
        self, session: AsyncSession, actor: Actor, clock: Clock, tender_id: UUID, data: NewQuestion
    ) -> QuestionView:
        """Ask the buyer. The others read the answer, never who asked."""
        return await service.ask(session, actor, tender_id, data, clock.now())

    @post("/questions/{question_id:uuid}/answer", opt=allow(scope=WRITE))
    async def answer_question(
        self,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
        question_id: UUID,
        data: NewAnswer,
    ) -> QuestionPage:
        """Answer for everybody."""
        return await service.answer(session, actor, tender_id, question_id, data, clock.now())

    @get("/addenda", opt=allow(scope=READ))
    async def list_addenda(
        self, session: AsyncSession, actor: Actor, tender_id: UUID
    ) -> AddendumPage:
        """What changed after publication."""
        return await service.list_addenda(session, actor, tender_id)

    @post("/addenda", opt=allow(scope=WRITE))
    async def add_addendum(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        clock: Clock,
        books: Books,
        tender_id: UUID,
        data: NewAddendum,
    ) -> AddendumPage:
        """Change the published tender, visibly."""
        desk = Desk(database, books, clock)
        return await service.add_addendum(session, actor, tender_id, data, desk, clock.now())
