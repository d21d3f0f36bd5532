"""A forgotten password: asking for a link, and choosing a new password by it."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.api.common import client_address
from marketplace.accounts.gate import Gate
from marketplace.accounts.guessing import Guesses
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import NewPassword
from marketplace.accounts.service import password_resets
from marketplace.kernel.access import PUBLIC, PUBLIC_ONCE
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Gone, NotFound, Problem
from marketplace.kernel.facts import Facts
from web.pages.entrance import require_own_page
from web.pages.forms import read_form
from web.pages.render import AnyRequest, field_errors, go, page


class PasswordResetPages(Controller):
    path = "/password_resets"

    @get("/", opt=PUBLIC)
    async def ask_page(self, request: AnyRequest) -> Template:
        return page(request, "password_reset_ask.html", sent_to="")

    @post("/", opt=PUBLIC_ONCE, status_code=202)
    async def ask(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        gate: Gate,
    ) -> Template:
        """The same page for every address, so that nobody learns who has an account."""
        require_own_page(request, gate)
        form = await read_form(request)
        email = form.one("email")
        try:
            await password_resets.ask(session, clock, guesses, email, client_address(request))
        except Problem as problem:
            return _form(request, "password_reset_ask.html", problem, form=form.typed(), sent_to="")
        return page(request, "password_reset_ask.html", status=202, sent_to=email)

    @get("/{token:str}", opt=PUBLIC)
    async def choose_page(
        self, request: AnyRequest, session: AsyncSession, clock: Clock, token: str
    ) -> Template:
        """Looking at the page uses nothing up: mail programs look at links too."""
        try:
            await password_resets.check(session, clock, token)
        except (Gone, NotFound) as problem:
            return _useless(request, problem)
        return page(request, "password_reset.html", token=token)

    @post("/{token:str}", opt=PUBLIC_ONCE)
    async def choose(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        facts: Facts,
        passwords: Passwords,
        revocations: Revocations,
        guesses: Guesses,
        gate: Gate,
        token: str,
    ) -> Response[Any]:
        """The login page comes next: a second factor is still asked for."""
        require_own_page(request, gate)
        form = await read_form(request)
        new = NewPassword(password=form.secret("password"), end_keys=form.one("end_keys") == "on")
        address = client_address(request)
        try:
            await password_resets.use(
                session, clock, facts, passwords, revocations, guesses, token, new, address
            )
        except (Gone, NotFound) as problem:
            return _useless(request, problem)
        except Problem as problem:
            return _form(request, "password_reset.html", problem, form=form.typed(), token=token)
        return go("/login?done=password")


def _form(request: AnyRequest, name: str, problem: Problem, **values: Any) -> Template:
    errors = field_errors(problem)
    return page(
        request,
        name,
        status=problem.status,
        errors=errors,
        problem=None if errors else problem,
        **values,
    )


def _useless(request: AnyRequest, problem: Problem) -> Template:
    """A link that does not work any more says what to do next."""
    return page(request, "password_reset_gone.html", status=problem.status, code=problem.code)
