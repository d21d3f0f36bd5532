"""Landing, login, logout, registration and the appearance: pages for everybody."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template

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
from marketplace.kernel.settings import Settings
from web.pages.cookies import cookie, login_cookies, logout_cookies
from web.pages.forms import Form
from web.pages.render import HOME, THEME_COOKIE, THEMES, go, own_path
from web.pages.visit import UNTRIED, Attempt, PublicVisit, Visit

THEME_SECONDS = 365 * 24 * 3600
CAPABILITY = {"supplier": "supplies", "buyer": "buys"}
_TAKEN = {"organisation_exists": "organisation.tax_id", "email_taken": "user.email"}
_TRY_AGAIN = frozenset(["totp_wrong", "too_fast"])

Kind = Literal["supplier", "buyer"]


class EntranceController(Controller):
    @get("/", opt=PUBLIC)
    async def landing(
        self, public_visit: PublicVisit, visitor: Actor | None
    ) -> Template | Redirect:
        return await _landing(public_visit) if visitor is None else go(HOME)

    @get("/login", opt=PUBLIC)
    async def login_page(
        self,
        public_visit: PublicVisit,
        visitor: Actor | None,
        next: str = "",
        done: str = "",
    ) -> Template | Redirect:
        target = own_path(next, HOME)
        if visitor is not None:
            return go(target)
        return await _landing(public_visit, target=target, done=done)

    @post("/login", opt=PUBLIC_ONCE)
    async def log_in(
        self, public_visit: PublicVisit, doorman: Doorman, gate: Gate, settings: Settings
    ) -> Response[Any]:
        form = await public_visit.form()
        login = Login(email=form.one("email"), password=form.secret("password"))
        target, caller = own_path(form.one("next"), HOME), caller_of(public_visit.request)
        async with public_visit.trying(form) as attempt:
            try:
                opened = await doorman.log_in(public_visit.session, login, caller)
            except CodeNeeded as needed:
                return await public_visit.page("login_code.html", next=target, ticket=needed.ticket)
            return go(target, cookies=login_cookies(opened, gate, settings))
        return await _landing(public_visit, attempt, target=target)

    @get("/login/code", opt=PUBLIC)
    async def code_page(self) -> Redirect:
        """The page of the code comes with a ticket; who reloads it begins again."""
        return go("/login")

    @post("/login/code", opt=PUBLIC_ONCE)
    async def enter_code(
        self, public_visit: PublicVisit, doorman: Doorman, gate: Gate, settings: Settings
    ) -> Response[Any]:
        """The second step of a login, for people who have a second factor."""
        form = await public_visit.form()
        target, ticket = own_path(form.one("next"), HOME), form.one("ticket")
        field = "recovery" if form.one("recovery") else "totp"
        caller = caller_of(public_visit.request)
        async with public_visit.trying(form, codes=dict.fromkeys(_TRY_AGAIN, field)) as attempt:
            code = form.digits(field)
            opened = await doorman.enter_code(public_visit.session, ticket, code, caller)
            return go(target, cookies=login_cookies(opened, gate, settings))
        if field not in attempt.errors:
            return await _landing(public_visit, attempt, target=target)
        # A code is typed anew, never shown again.
        return await public_visit.page(
            "login_code.html", attempt, form={}, next=target, ticket=ticket
        )

    @post("/logout", opt=allow(scope=None, waiting=True))
    async def log_out(
        self, visit: Visit, clock: Clock, revocations: Revocations, settings: Settings
    ) -> Redirect:
        actor = visit.actor
        await logins.end_session(visit.session, clock, revocations, actor, actor.session_id)
        return go("/", cookies=logout_cookies(settings))

    @get("/register/{kind:str}", opt=PUBLIC)
    async def registration_page(self, public_visit: PublicVisit, kind: Kind) -> Template:
        return await public_visit.page("register.html", kind=kind)

    @post("/register/{kind:str}", opt=PUBLIC_ONCE)
    async def register(
        self,
        public_visit: PublicVisit,
        kind: Kind,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
    ) -> Response[Any]:
        """Registers and logs in at once: nobody types a new password twice in a row."""
        form = await public_visit.form()
        new, request = _registration(kind, form), public_visit.request
        async with public_visit.trying(form, codes=_TAKEN) as attempt:
            await doorman.admit_address(client_address(request))
            # A transaction of its own: the login looks for what is committed.
            async with database.transaction(SYSTEM) as registering:
                await organisations.register(registering, clock, passwords, new)
        if attempt.problem:
            return await public_visit.page("register.html", attempt, kind=kind)
        login = Login(email=new.user.email, password=new.user.password)
        opened = await doorman.log_in(public_visit.session, login, caller_of(request))
        return go(HOME, cookies=login_cookies(opened, gate, settings))

    @post("/theme", opt=PUBLIC_ONCE)
    async def theme(self, public_visit: PublicVisit, settings: Settings) -> Redirect:
        form = await public_visit.form()
        chosen = form.one("theme") if form.one("theme") in THEMES else "auto"
        chosen_cookie = cookie(THEME_COOKIE, chosen, THEME_SECONDS, settings)
        return go(own_path(form.one("back")), cookies=[chosen_cookie])


async def _landing(
    public_visit: PublicVisit, attempt: Attempt = UNTRIED, *, target: str = "", done: str = ""
) -> Template:
    """`done` is `password` right after a new one was chosen."""
    return await public_visit.page("landing.html", attempt, done=done, next=target)


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
