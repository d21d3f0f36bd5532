"""Where the link of an invitation leads: a name, a password, and in."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, get, post
from litestar.response import Template

from marketplace.accounts.api.common import caller_of
from marketplace.accounts.gate import Gate
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import Acceptance, InvitationFace, Login
from marketplace.accounts.service import colleagues
from marketplace.accounts.service.logins import Doorman
from marketplace.kernel.access import PUBLIC, PUBLIC_ONCE
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Gone, NotFound
from marketplace.kernel.settings import Settings
from web.pages.cookies import login_cookies
from web.pages.render import HOME, go
from web.pages.roles import known_roles, roles_in_order
from web.pages.visit import UNTRIED, Attempt, PublicVisit


class InvitationPages(Controller):
    path = "/invitations"

    @get("/{token:str}", opt=PUBLIC)
    async def invitation(self, public_visit: PublicVisit, clock: Clock, token: str) -> Template:
        try:
            face = await colleagues.preview(public_visit.session, clock, token)
        except (Gone, NotFound) as problem:
            return await _useless(public_visit, problem)
        return await _page(public_visit, token, face)

    @post("/{token:str}", opt=PUBLIC_ONCE)
    async def accept(
        self,
        public_visit: PublicVisit,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
        token: str,
    ) -> Response[Any]:
        """Joins and logs in at once; somebody else who is logged in here is logged out."""
        form = await public_visit.form()
        new = Acceptance(name=form.one("name"), password=form.secret("password"))
        caller = caller_of(public_visit.request)
        try:
            face = await colleagues.preview(public_visit.session, clock, token)
            async with public_visit.trying(form) as attempt:
                await doorman.admit_address(caller.address)
                # A transaction of its own: the login looks for what is committed.
                async with database.transaction(SYSTEM) as joining:
                    await colleagues.accept(joining, clock, passwords, token, new)
        except (Gone, NotFound) as problem:
            return await _useless(public_visit, problem)
        if isinstance(attempt.problem, Gone):
            return await _useless(public_visit, attempt.problem)
        if attempt.problem:
            return await _page(public_visit, token, face, attempt)
        login = Login(email=face.email, password=new.password)
        opened = await doorman.log_in(public_visit.session, login, caller)
        return go(HOME, cookies=login_cookies(opened, gate, settings))


async def _page(
    public_visit: PublicVisit, token: str, face: InvitationFace, attempt: Attempt = UNTRIED
) -> Template:
    return await public_visit.page(
        "invitation.html",
        attempt,
        token=token,
        face=face,
        roles=roles_in_order(face.roles, known_roles(public_visit.fmt.gettext)),
    )


async def _useless(public_visit: PublicVisit, problem: Gone | NotFound) -> Template:
    """A link that does not work any more says what to do next."""
    return await public_visit.page(
        "invitation_gone.html", Attempt.refused(problem), code=problem.code
    )
