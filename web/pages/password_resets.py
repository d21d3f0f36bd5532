"""A forgotten password: asking for a link, and choosing a new password by it."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, get, post
from litestar.response import Template

from marketplace.accounts.api.common import client_address
from marketplace.accounts.guessing import Guesses
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import NewPassword
from marketplace.accounts.service import password_resets
from marketplace.kernel.access import PUBLIC, PUBLIC_ONCE
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Gone, NotFound
from marketplace.kernel.facts import Facts
from web.pages.render import go
from web.pages.visit import Attempt, PublicVisit


class PasswordResetPages(Controller):
    path = "/password_resets"

    @get("/", opt=PUBLIC)
    async def ask_page(self, public_visit: PublicVisit) -> Template:
        return await public_visit.page("password_reset_ask.html", sent_to="")

    @post("/", opt=PUBLIC_ONCE, status_code=202)
    async def ask(self, public_visit: PublicVisit, clock: Clock, guesses: Guesses) -> Template:
        """The same page for every address, so that nobody learns who has an account."""
        form = await public_visit.form()
        email, address = form.one("email"), client_address(public_visit.request)
        async with public_visit.trying(form) as attempt:
            await password_resets.ask(public_visit.session, clock, guesses, email, address)
            asked = await public_visit.page("password_reset_ask.html", sent_to=email)
            asked.status_code = 202
            return asked
        return await public_visit.page("password_reset_ask.html", attempt, sent_to="")

    @get("/{token:str}", opt=PUBLIC)
    async def choose_page(self, public_visit: PublicVisit, clock: Clock, token: str) -> Template:
        """Looking at the page uses nothing up: mail programs look at links too."""
        try:
            await password_resets.check(public_visit.session, clock, token)
        except (Gone, NotFound) as problem:
            return await _useless(public_visit, problem)
        return await public_visit.page("password_reset.html", token=token)

    @post("/{token:str}", opt=PUBLIC_ONCE)
    async def choose(
        self,
        public_visit: PublicVisit,
        clock: Clock,
        facts: Facts,
        passwords: Passwords,
        revocations: Revocations,
        guesses: Guesses,
        token: str,
    ) -> Response[Any]:
        """The login page comes next: a second factor is still asked for."""
        form, session = await public_visit.form(), public_visit.session
        new = NewPassword(password=form.secret("password"), end_keys=form.one("end_keys") == "on")
        address = client_address(public_visit.request)
        try:
            async with public_visit.trying(form) as attempt:
                await password_resets.use(
                    session, clock, facts, passwords, revocations, guesses, token, new, address
                )
                return go("/login?done=password")
        except NotFound as problem:
            return await _useless(public_visit, problem)
        if isinstance(attempt.problem, Gone):
            return await _useless(public_visit, attempt.problem)
        return await public_visit.page("password_reset.html", attempt, token=token)


async def _useless(public_visit: PublicVisit, problem: Gone | NotFound) -> Template:
    """A link that does not work any more says what to do next."""
    return await public_visit.page(
        "password_reset_gone.html", Attempt.refused(problem), code=problem.code
    )
