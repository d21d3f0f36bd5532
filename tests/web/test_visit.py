"""A form that is refused comes back: nothing written, errors at their fields, what was typed."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from tests.people import NewPerson
from tests.web.test_catalogue_pages import fields_of
from tests.web.test_tender_page import FORM, words
from web.pages.forms import Form
from web.pages.visit import UNTRIED, Attempt

TYPED = Form({"title": ["Pumps "], "step": [""]})


def refusal(*fields: str) -> Invalid:
    errors = [FieldError(name, "required", f"{name} is missing.") for name in fields]
    return Invalid("invalid", "Some fields need another look.", errors=errors)


async def test_errors_stand_at_their_fields_with_what_was_typed() -> None:
    async with Attempt(form=TYPED, names={"lots[0].step": "step"}, lists=["roles"]) as attempt:
        raise refusal("lots[0].step", "roles")
    assert attempt.status == 422
    assert attempt.errors == {"step": "lots[0].step is missing.", "roles": "roles is missing."}
    assert attempt.typed == {"title": "Pumps", "step": "", "roles": []}
    assert attempt.box is None


async def test_an_error_of_a_field_that_is_not_on_the_page_stands_in_the_box() -> None:
    async with Attempt(form=TYPED) as attempt:
        raise refusal("title", "lots[0].step")
    assert attempt.box is not None
    assert "lots[0].step is missing." in attempt.box["detail"]


async def test_a_problem_may_be_about_one_field() -> None:
    async with Attempt(form=TYPED, codes={"taken": "title"}) as attempt:
        raise Conflict("taken", "This title is taken.")
    assert (attempt.status, attempt.errors) == (409, {"title": "This title is taken."})
    assert attempt.box is None


async def test_what_is_not_there_has_no_page_to_show_again() -> None:
    with pytest.raises(NotFound):
        async with Attempt(form=TYPED):
            raise NotFound("order")


def test_a_page_shown_for_the_first_time_has_nothing_to_say() -> None:
    assert (UNTRIED.status, UNTRIED.typed, UNTRIED.errors, UNTRIED.box) == (200, {}, {}, None)


async def test_after_a_refusal_the_page_reads_on_for_the_same_reader(database: Database) -> None:
    async with database.session(SYSTEM) as session:
        await session.execute(
            text("INSERT INTO units (code, name, list_version) VALUES ('ZZZ', 'Z', '1')")
        )
        async with Attempt(session) as attempt:
            with pytest.raises(DBAPIError):
                await session.execute(text("SELECT 1 / 0"))
            raise Conflict("wrong_state", "Too late.")
        assert attempt.problem is not None
        assert await session.scalar(text("SELECT current_setting('app.scope')")) == "system"
        left = await session.scalar(text("SELECT count(*) FROM units WHERE code = 'ZZZ'"))
        assert left == 0


async def test_a_refused_key_comes_back_as_it_was_typed(new_supplier: NewPerson) -> None:
    person = await new_supplier()
    page = await person.client.get("/keys", headers=FORM)
    typed = fields_of(page.text) | {
        "name": "Nightly import",
        "scopes": "prices:write",
        "expires_at": "2001-01-01",
    }
    refused = await person.client.post("/keys", data=typed, headers=FORM)
    assert refused.status_code == 422
    assert 'id="expires_at-error"' in refused.text
    assert fields_of(refused.text)["name"] == "Nightly import"
    assert "Nightly import" not in words((await person.client.get("/keys", headers=FORM)).text)
