"""A supplier's question on the page of a tender, and the buyer's answer to everybody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import service
from auctions.tenders.schemas.dossier import WORDS_CHARS_MAX, NewAnswer, NewQuestion
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Invalid
from web.pages.forms import read_form
from web.pages.render import AnyRequest, field_errors, go
from web.pages.tender_page import tender_page

FOR_MEMBERS = allow(scope=None, waiting=True)


class QuestionPages(Controller):
    path = "/tenders/{tender_id:uuid}/questions"

    @post("/", opt=FOR_MEMBERS)
    async def ask(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
    ) -> Response[Any]:
        form = await read_form(request)
        try:
            new = NewQuestion(text=form.words("question", WORDS_CHARS_MAX))
        except Invalid as problem:
            errors = field_errors(problem)
            return await tender_page(
                request, session, actor, clock, tender_id, problem, form=form.typed(), errors=errors
            )
        await service.ask(session, actor, tender_id, new, clock.now())
        return go(f"/tenders/{tender_id}#questions")

    @post("/{question_id:uuid}/answer", opt=FOR_MEMBERS)
    async def answer(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        tender_id: UUID,
        question_id: UUID,
    ) -> Response[Any]:
        """Everybody reads it, with the question as the buyer words it."""
        form = await read_form(request)
        try:
            new = NewAnswer(
                answer=form.words("answer", WORDS_CHARS_MAX),
                question=form.words("question", WORDS_CHARS_MAX),
            )
        except Invalid as problem:
            # The page has a form like this for each question.
            errors = field_errors(problem, {n: f"{n}-{question_id}" for n in ANSWER_FIELDS})
            typed = {f"{name}-{question_id}": form.one(name) for name in ANSWER_FIELDS}
            return await tender_page(
                request, session, actor, clock, tender_id, problem, form=typed, errors=errors
            )
        await service.answer(session, actor, tender_id, question_id, new, clock.now())
        return go(f"/tenders/{tender_id}#questions")


ANSWER_FIELDS = ("question", "answer")
