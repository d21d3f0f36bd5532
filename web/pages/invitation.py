"""Where the link of an invitation leads: a name, a password, and in."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.api.common import caller_of
from marketplace.accounts.gate import Gate
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import Acceptance, InvitationFace, Login
from marketplace.accounts.service import colleagues
from marketplace.accounts.service.logins import Doorman
from marketplace.kernel.access import PUBLIC, PUBLIC_ONCE
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Gone, NotFound, Problem
from marketplace.kernel.settings import Settings
from web.pages.cookies import login_cookies
from web.pages.entrance import HOME, require_own_page
from web.pages.forms import Form, read_form
from web.pages.render import AnyRequest, field_errors, go, language_of, page
from web.pages.roles import known_roles, roles_in_order


class InvitationPages(Controller):
    path = "/invitations"

    @get("/{token:str}", opt=PUBLIC)
    async def invitation(
        self, request: AnyRequest, session: AsyncSession, clock: Clock, token: str
    ) -> Template:
        try:
            face = await colleagues.preview(session, clock, token)
        except (Gone, NotFound) as problem:
            return _useless(request, problem)
        return _page(request, token, face)

    @post("/{token:str}", opt=PUBLIC_ONCE)
    async def accept(
        self,
        request: AnyRequest,
        database: Database,
        session: AsyncSession,
        clock: Clock,
        passwords: Passwords,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
        token: str,
    ) -> Response[Any]:
        """Joins and logs in at once; whoever is logged in here as somebody else is logged out."""
        require_own_page(request, gate)
        form = await read_form(request)
        new = Acceptance(name=form.one("name"), password=form.secret("password"))
        caller = caller_of(request)
        try:
            face = await colleagues.preview(session, clock, token)
        except (Gone, NotFound) as problem:
            return _useless(request, problem)
        try:
            await doorman.admit_address(caller.address)
            # A transaction of its own: the login looks for what is committed.
            async with database.transaction(SYSTEM) as joining:
                await colleagues.accept(joining, clock, passwords, token, new)
        except (Gone, NotFound) as problem:
            return _useless(request, problem)
        except Problem as problem:
            return _page(request, token, face, form=form, problem=problem)
        login = Login(email=face.email, password=new.password)
        opened = await doorman.log_in(session, login, caller)
        return go(HOME, cookies=login_cookies(opened, gate, settings))


def _page(
    request: AnyRequest,
    token: str,
    face: InvitationFace,
    *,
    form: Form | None = None,
    problem: Problem | None = None,
) -> Template:
    errors = field_errors(problem) if problem else {}
    return page(
        request,
        "invitation.html",
        status=problem.status if problem else 200,
        token=token,
        face=face,
        roles=roles_in_order(face.roles, known_roles(language_of(request).gettext)),
        form=form.typed() if form else {},
        errors=errors,
        problem=problem if problem and not errors else None,
    )


def _useless(request: AnyRequest, problem: Problem) -> Template:
    """A link that does not work any more says what to do next."""
    return page(request, "invitation_gone.html", status=problem.status, code=problem.code)
