"""Landing, login, logout, registration and the appearance: pages for everybody."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.api.common import caller_of, client_address
from marketplace.accounts.gate import Gate
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import Login, NewOrganisation, NewRegistration, NewUser
from marketplace.accounts.service import logins, organisations
from marketplace.accounts.service.logins import Doorman
from marketplace.accounts.tickets import CodeNeeded
from marketplace.kernel.access import PUBLIC, PUBLIC_ONCE, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Forbidden, Problem
from marketplace.kernel.settings import Settings
from web.pages.cookies import cookie, login_cookies, logout_cookies
from web.pages.forms import Form, read_form
from web.pages.render import (
    THEME_COOKIE,
    THEMES,
    AnyRequest,
    field_errors,
    go,
    own_path,
    page,
)

HOME = "/auctions"
THEME_SECONDS = 365 * 24 * 3600
CAPABILITY = {"supplier": "supplies", "buyer": "buys"}
_TAKEN = {"organisation_exists": "organisation.tax_id", "email_taken": "user.email"}
_TRY_AGAIN = frozenset(["totp_wrong", "too_fast"])

Kind = Literal["supplier", "buyer"]


class EntranceController(Controller):
    @get("/", opt=PUBLIC)
    async def landing(self, request: AnyRequest, visitor: Actor | None) -> Template | Redirect:
        return _landing(request) if visitor is None else go(HOME)

    @get("/login", opt=PUBLIC)
    async def login_page(
        self,
        request: AnyRequest,
        visitor: Actor | None,
        next: str = "",
        done: str = "",
    ) -> Template | Redirect:
        target = own_path(next, HOME)
        return _landing(request, target=target, done=done) if visitor is None else go(target)

    @post("/login", opt=PUBLIC_ONCE)
    async def log_in(
        self,
        request: AnyRequest,
        session: AsyncSession,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
    ) -> Response[Any]:
        require_own_page(request, gate)
        form = await read_form(request)
        login = Login(email=form.one("email"), password=form.secret("password"))
        target = own_path(form.one("next"), HOME)
        try:
            opened = await doorman.log_in(session, login, caller_of(request))
        except CodeNeeded as needed:
            return page(request, "login_code.html", next=target, ticket=needed.ticket)
        except Problem as problem:
            return _landing(request, target=target, form=form, problem=problem)
        return go(target, cookies=login_cookies(opened, gate, settings))

    @get("/login/code", opt=PUBLIC)
    async def code_page(self) -> Redirect:
        """The page of the code comes with a ticket; who reloads it begins again."""
        return go("/login")

    @post("/login/code", opt=PUBLIC_ONCE)
    async def enter_code(
        self,
        request: AnyRequest,
        session: AsyncSession,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
    ) -> Response[Any]:
        """The second step of a login, for whoever has a second factor."""
        require_own_page(request, gate)
        form = await read_form(request)
        target, ticket = own_path(form.one("next"), HOME), form.one("ticket")
        field = "recovery" if form.one("recovery") else "totp"
        try:
            code = form.digits(field)
            opened = await doorman.enter_code(session, ticket, code, caller_of(request))
        except Problem as problem:
            if problem.code not in _TRY_AGAIN:
                return _landing(request, target=target, problem=problem)
            return page(
                request,
                "login_code.html",
                status=problem.status,
                next=target,
                ticket=ticket,
                errors={field: problem.detail},
            )
        return go(target, cookies=login_cookies(opened, gate, settings))

    @post("/logout", opt=allow(scope=None, waiting=True))
    async def log_out(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        settings: Settings,
    ) -> Redirect:
        await logins.end_session(session, clock, revocations, actor, actor.session_id)
        return go("/", cookies=logout_cookies(settings))

    @get("/register/{kind:str}", opt=PUBLIC)
    async def registration_page(self, request: AnyRequest, kind: Kind) -> Template:
        return page(request, "register.html", kind=kind)

    @post("/register/{kind:str}", opt=PUBLIC_ONCE)
    async def register(
        self,
        request: AnyRequest,
        kind: Kind,
        database: Database,
        session: AsyncSession,
        clock: Clock,
        passwords: Passwords,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
    ) -> Response[Any]:
        """Registers and logs in at once: nobody types a new password twice in a row."""
        require_own_page(request, gate)
        form = await read_form(request)
        new = _registration(kind, form)
        try:
            await doorman.admit_address(client_address(request))
            # A transaction of its own: the login looks for what is committed.
            async with database.transaction(SYSTEM) as registering:
                await organisations.register(registering, clock, passwords, new)
        except Problem as problem:
            errors = field_errors(problem)
            if problem.code in _TAKEN:
                errors = {_TAKEN[problem.code]: problem.detail}
            return page(
                request,
                "register.html",
                status=problem.status,
                kind=kind,
                form=form.typed(),
                errors=errors,
                problem=None if errors else problem,
            )
        login = Login(email=new.user.email, password=new.user.password)
        opened = await doorman.log_in(session, login, caller_of(request))
        return go(HOME, cookies=login_cookies(opened, gate, settings))

    @post("/theme", opt=PUBLIC_ONCE)
    async def theme(self, request: AnyRequest, gate: Gate, settings: Settings) -> Redirect:
        require_own_page(request, gate)
        form = await read_form(request)
        chosen = form.one("theme") if form.one("theme") in THEMES else "auto"
        chosen_cookie = cookie(THEME_COOKIE, chosen, THEME_SECONDS, settings)
        return go(own_path(form.one("back")), cookies=[chosen_cookie])


def _landing(
    request: AnyRequest,
    *,
    target: str = "",
    form: Form | None = None,
    problem: Problem | None = None,
    done: str = "",
) -> Template:
    """`done` is `password` right after a new one was chosen."""
    return page(
        request,
        "landing.html",
        done=done,
        status=200 if problem is None else problem.status,
        next=target,
        form=form.typed() if form else {},
        problem=problem,
    )


def _registration(kind: Kind, form: Form) -> NewRegistration:
    return NewRegistration(
        organisation=NewOrganisation(
            name=form.one("organisation.name"),
            country=form.one("organisation.country").upper(),
            tax_id=form.one("organisation.tax_id"),
            capabilities=[CAPABILITY[kind]],
        ),
        user=NewUser(
            name=form.one("user.name"),
            email=form.one("user.email"),
            password=form.secret("user.password"),
        ),
    )


def require_own_page(request: AnyRequest, gate: Gate) -> None:
    """Forms before a login have no token to show; their Origin is what tells them from foreign
    ones. Raises Forbidden.
    """
    if not gate.same_origin(request.scope["headers"], request.scope["scheme"]):
        raise Forbidden("origin_foreign", "This form was sent from another site.")
