"""A supplier's question on the page of a tender, and the buyer's answer to everybody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, post

from auctions.tenders import service
from auctions.tenders.schemas.dossier import WORDS_CHARS_MAX, NewAnswer, NewQuestion
from marketplace.kernel.access import allow
from web.pages.render import go
from web.pages.tender_page import tender_page
from web.pages.visit import Visit

FOR_MEMBERS = allow(scope=None, waiting=True)


class QuestionPages(Controller):
    path = "/tenders/{tender_id:uuid}/questions"

    @post("/", opt=FOR_MEMBERS)
    async def ask(self, visit: Visit, tender_id: UUID) -> Response[Any]:
        form = await visit.form()
        async with visit.trying(form, names={"text": "question"}) as attempt:
            new = NewQuestion(text=form.words("question", WORDS_CHARS_MAX))
            await service.ask(visit.session, visit.actor, tender_id, new, visit.now)
            return go(f"/tenders/{tender_id}#questions")
        return await tender_page(visit, tender_id, attempt)

    @post("/{question_id:uuid}/answer", opt=FOR_MEMBERS)
    async def answer(self, visit: Visit, tender_id: UUID, question_id: UUID) -> Response[Any]:
        """Everybody reads it, with the question as the buyer words it."""
        form = await visit.form()
        # The page has a form like this for each question.
        names = {name: f"{name}-{question_id}" for name in ANSWER_FIELDS}
        async with visit.trying(form, names=names) as attempt:
            new = NewAnswer(
                answer=form.words("answer", WORDS_CHARS_MAX),
                question=form.words("question", WORDS_CHARS_MAX),
            )
            await service.answer(visit.session, visit.actor, tender_id, question_id, new, visit.now)
            return go(f"/tenders/{tender_id}#questions")
        typed = {names[name]: form.one(name) for name in ANSWER_FIELDS}
        return await tender_page(visit, tender_id, attempt, form=typed)


ANSWER_FIELDS = ("question", "answer")
