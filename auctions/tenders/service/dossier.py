"""What stands around a tender: documents, questions and answers, addenda."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries, rules
from auctions.tenders.models import (
    Tender,
    TenderAddendum,
    TenderAnswer,
    TenderQuestion,
)
from auctions.tenders.rules import HIDDEN, TenderState
from auctions.tenders.schemas.dossier import (
    AddendumPage,
    AddendumView,
    NewAddendum,
    NewAnswer,
    NewQuestion,
    QuestionPage,
    QuestionView,
)
from auctions.tenders.sending import Desk
from auctions.tenders.service import notices
from auctions.tenders.service.starts import move_starts
from auctions.tenders.service.views import own_tender, parties, visible_tender
from marketplace.documents import queries as document_queries
from marketplace.documents import service as documents
from marketplace.documents.queries import BY_NAME
from marketplace.documents.schemas import DocumentPage, DocumentView
from marketplace.documents.service import Upload
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kernel.ids import new_id

RUNNING = (TenderState.PUBLISHED, TenderState.OPENED, TenderState.IN_AUCTION)
WRITABLE = (TenderState.DRAFT, *RUNNING, TenderState.AWARDING)
DOCUMENTS_MAX = 500
QUESTIONS_MAX = 200


async def add_document(
    session: AsyncSession,
    actor: Actor,
    tender_id: UUID,
    upload: Upload,
    now: datetime,
    *,
    internal: bool,
) -> DocumentView:
    """A new version of the buyer's file of that name. After publication an addendum says so, unless
    it is internal. Raises NotFound, Forbidden, Conflict, Invalid, TooLarge.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    actor.require_role("procurement_officer")
    rules.require_state(tender.state, *WRITABLE, doing="given documents")
    row = await documents.add(
        session,
        actor,
        "tender",
        tender_id,
        upload,
        now,
        versions_max=DOCUMENTS_MAX,
        internal=internal,
    )
    if not internal and tender.state not in HIDDEN:
        after = f"{row.name} ({row.version})"
        change = {"field": "documents", "before": None, "after": after}
        text = f"Document {row.name}, version {row.version}."
        await _add(session, tender, actor, text, [change], now)
    return documents.view(row)


async def list_documents(session: AsyncSession, actor: Actor, tender_id: UUID) -> DocumentPage:
    """By name, the newest version of each first. Raises NotFound."""
    await visible_tender(session, actor, tender_id)
    rows = await document_queries.documents(session, "tender", tender_id, BY_NAME)
    return DocumentPage([documents.view(row) for row in rows])


async def get_document(
    session: AsyncSession, actor: Actor, tender_id: UUID, document_id: UUID
) -> DocumentView:
    """Raises NotFound."""
    tender = await visible_tender(session, actor, tender_id)
    row = await documents.get(session, tender_id, document_id)
    if row.internal and tender.buyer_id != actor.organisation_id:
        raise NotFound("document")
    return documents.view(row)


async def ask(
    session: AsyncSession, actor: Actor, tender_id: UUID, new: NewQuestion, now: datetime
) -> QuestionView:
    """A supplier asks; only the buyer learns who. Raises NotFound, Forbidden, Conflict."""
    tender = await visible_tender(session, actor, tender_id)
    if tender.buyer_id == actor.organisation_id:
        raise Forbidden("own_tender", "A buyer asks no questions in its own tender.")
    actor.require_capability("supplies")
    actor.require_role(*queries.BIDDER_ROLES)
    rules.require_state(tender.state, *RUNNING, doing="asked about")
    if len(await queries.questions(session, tender_id)) >= QUESTIONS_MAX:
        raise Conflict("too_many_questions", f"At most {QUESTIONS_MAX} questions each.")
    row = TenderQuestion(
        id=new_id(),
        tender_id=tender_id,
        buyer_id=tender.buyer_id,
        organisation_id=actor.organisation_id,
        asked_by=actor.user_id,
        text=new.text,
        asked_at=now,
    )
    session.add(row)
    await session.flush()
    return QuestionView(row.id, row.text, None, row.asked_at, None, mine=True)


async def answer(
    session: AsyncSession,
    actor: Actor,
    tender_id: UUID,
    question_id: UUID,
    new: NewAnswer,
    now: datetime,
) -> QuestionPage:
    """One answer for everybody. Raises NotFound, Forbidden, Conflict (answered already)."""
    tender = await own_tender(session, actor, tender_id, lock=True)
    actor.require_role("procurement_officer")
    question = await queries.question(session, question_id)
    if question is None or question.tender_id != tender_id:
        raise NotFound("question")
    rules.require_state(tender.state, *RUNNING, TenderState.AWARDING, doing="explained")
    if any(row.question_id == question_id for row in await queries.answers(session, tender_id)):
        raise Conflict("already_answered", "Everybody has read the answer; add an addendum.")
    session.add(
        TenderAnswer(
            id=new_id(),
            question_id=question_id,
            tender_id=tender_id,
            buyer_id=tender.buyer_id,
            question=new.question or question.text,
            answer=new.answer,
            answered_by=actor.user_id,
            answered_at=now,
        )
    )
    await session.flush()
    await notices.question_answered(session, tender, question_id, question.organisation_id, now)
    return await list_questions(session, actor, tender_id)


async def list_questions(session: AsyncSession, actor: Actor, tender_id: UUID) -> QuestionPage:
    """The buyer: all, with who asked. A supplier: the answered and its own. Raises NotFound."""
    tender = await visible_tender(session, actor, tender_id)
    mine = tender.buyer_id == actor.organisation_id
    asked = {row.id: row for row in await queries.questions(session, tender_id)}
    answered = {row.question_id: row for row in await queries.answers(session, tender_id)}
    names = await parties(session, {row.organisation_id for row in asked.values()} if mine else ())
    items = []
    for key in sorted(asked.keys() | answered.keys()):
        question, reply = asked.get(key), answered.get(key)
        items.append(
            QuestionView(
                id=key,
                question=reply.question if reply else question.text if question else "",
                answer=reply.answer if reply else None,
                asked_at=question.asked_at if question else None,
                answered_at=reply.answered_at if reply else None,
                mine=question is not None and not mine,
                asked_by=names[question.organisation_id] if question and mine else None,
            )
        )
    return QuestionPage(items)


async def add_addendum(
    session: AsyncSession,
    actor: Actor,
    tender_id: UUID,
    new: NewAddendum,
    desk: Desk,
    now: datetime,
) -> AddendumPage:
    """A change after publication, visible to all. Raises NotFound, Forbidden, Conflict, Invalid."""
    tender = await own_tender(session, actor, tender_id, lock=True)
    actor.require_role("procurement_officer")
    rules.require_state(tender.state, *RUNNING, TenderState.AWARDING, doing="given an addendum")
    changes: list[dict[str, Any]] = []
    for name in ("title", "description"):
        value = getattr(new, name)
        if value is not UNSET and value != getattr(tender, name):
            changes.append({"field": name, "before": getattr(tender, name), "after": value})
            setattr(tender, name, value)
    if new.delivery is not UNSET:
        before = tender.terms.get("delivery", {})
        after = before | msgspec.to_builtins(new.delivery)
        if after != before:
            changes.append({"field": "delivery", "before": before, "after": after})
            tender.terms = tender.terms | {"delivery": after}
    if new.offers_due_at is not UNSET:
        changes.append(_postpone(tender, new.offers_due_at, now))
    if new.lots:
        changes += await move_starts(session, tender, new.lots, new.text, now)
        desk.move_starts_later(session, tender_id)
    await _add(session, tender, actor, new.text, changes, now)
    await notices.addendum_published(session, tender, tender.addenda_count, now)
    return await list_addenda(session, actor, tender_id)


def _postpone(tender: Tender, due_at: datetime, now: datetime) -> dict[str, Any]:
    before = tender.offers_due_at
    if before is None or tender.state != TenderState.PUBLISHED or now >= before:
        raise Conflict("offers_closed", "There is no last minute of sealed offers to move.")
    if due_at <= before:
        message = "The last minute may only move later."
        raise Invalid.field("offers_due_at", "not_later", message)
    tender.offers_due_at = due_at
    field = {"field": "offers_due_at", "before": before, "after": due_at}
    return {key: msgspec.to_builtins(value) for key, value in field.items()}


async def _add(
    session: AsyncSession,
    tender: Tender,
    actor: Actor,
    text: str,
    changes: list[dict[str, Any]],
    now: datetime,
) -> None:
    """The caller holds the tender's row, so numbers have no gaps."""
    tender.addenda_count += 1
    tender.updated_at = now
    session.add(
        TenderAddendum(
            tender_id=tender.id,
            number=tender.addenda_count,
            buyer_id=tender.buyer_id,
            text=text,
            changes=changes,
            author_id=actor.user_id,
            created_at=now,
        )
    )
    await session.flush()


async def list_addenda(session: AsyncSession, actor: Actor, tender_id: UUID) -> AddendumPage:
    """Raises NotFound."""
    await visible_tender(session, actor, tender_id)
    rows = await queries.addenda(session, tender_id)
    return AddendumPage([AddendumView(r.number, r.text, r.changes, r.created_at) for r in rows])
