"""Accounts over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.gate import CSRF_COOKIE, SESSION_COOKIE, Gate
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import (
    ApiKeyPage,
    IssuedApiKey,
    Login,
    Me,
    NewApiKey,
    NewRegistration,
    OrganisationPage,
    OrganisationView,
    Reason,
    Registered,
    SessionPage,
)
from marketplace.accounts.service import keys, logins, organisations
from marketplace.accounts.service.logins import Doorman
from marketplace.kernel.access import PUBLIC, PUBLIC_ONCE, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.settings import Settings

READ, WRITE = "accounts:read", "accounts:write"
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


class RegistrationController(Controller):
    path = "/api/v1/registrations"
    tags = ("accounts",)

    @post(opt=PUBLIC)
    async def register(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        clock: Clock,
        passwords: Passwords,
        doorman: Doorman,
        data: NewRegistration,
    ) -> Registered:
        """A new organisation and its first user. Suppliers wait for the operator's approval."""
        await doorman.admit_address(client_address(request))
        return await organisations.register(session, clock, passwords, data)


class SessionController(Controller):
    path = "/api/v1/sessions"
    tags = ("accounts",)

    @post(opt=PUBLIC_ONCE)
    async def log_in(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
        data: Login,
    ) -> Response[Me]:
        """Log in; sets the cookies `session` and `csrf_token`. A former session of this browser
        ends.
        """
        opened = await doorman.log_in(
            session, data, client_address(request), request.cookies.get(SESSION_COOKIE)
        )
        seconds = int(opened.lasts.total_seconds())
        return Response(
            opened.me,
            cookies=[
                _cookie(SESSION_COOKIE, opened.token, seconds, settings),
                _cookie(CSRF_COOKIE, gate.csrf_token(opened.token), seconds, settings),
            ],
        )

    @get(opt=allow(scope=None, waiting=True))
    async def list_sessions(self, session: AsyncSession, clock: Clock, actor: Actor) -> SessionPage:
        """The caller's own sessions that still stand."""
        return await logins.list_sessions(session, clock, actor)

    @delete("/current", status_code=200, opt=allow(scope=None, waiting=True))
    async def log_out(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        settings: Settings,
        actor: Actor,
    ) -> Response[None]:
        """Log out: the session ends everywhere, its sockets close."""
        await logins.end_session(session, clock, revocations, actor, actor.session_id)
        return Response(
            None,
            status_code=204,
            cookies=[_cookie(name, "", 0, settings) for name in (SESSION_COOKIE, CSRF_COOKIE)],
        )

    @delete("/{session_id:uuid}", opt=allow(scope=None, waiting=True))
    async def end_session(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        session_id: UUID,
    ) -> None:
        """End another one of the caller's own sessions, such as on a lost phone."""
        await logins.end_session(session, clock, revocations, actor, session_id)


class MeController(Controller):
    path = "/api/v1/me"
    tags = ("accounts",)

    @get(opt=allow(scope=READ, waiting=True))
    async def me(self, session: AsyncSession, actor: Actor) -> Me:
        """Who the caller is and what it may do."""
        return await logins.me(session, actor)


class ApiKeyController(Controller):
    path = "/api/v1/api_keys"
    tags = ("accounts",)

    @post(opt=allow(scope=WRITE, waiting=True))
    async def issue(
        self, session: AsyncSession, clock: Clock, actor: Actor, data: NewApiKey
    ) -> IssuedApiKey:
        """A key for programs, shown once. It can never do more than its maker can."""
        return await keys.issue(session, clock, actor, data)

    @get(opt=allow(scope=READ, waiting=True))
    async def list_keys(self, session: AsyncSession, actor: Actor) -> ApiKeyPage:
        """The own keys, or all of the organisation for an admin; never the secrets."""
        return await keys.browse(session, actor)

    @delete("/{key_id:uuid}", opt=allow(scope=WRITE, waiting=True))
    async def revoke(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        key_id: UUID,
    ) -> None:
        """Revoke a key; sockets opened with it close."""
        await keys.revoke(session, clock, revocations, actor, key_id)


class OrganisationController(Controller):
    """Whether the caller is the operator is asked in the service: to everybody else a foreign
    organisation does not exist.
    """

    path = "/api/v1/organisations"
    tags = ("accounts",)

    @get(opt=allow(scope=READ, waiting=True))
    async def list_organisations(
        self,
        session: AsyncSession,
        actor: Actor,
        organisation_state: Annotated[str | None, QueryParameter(name="state")] = None,
        cursor: UUID | None = None,
        limit: Limit = 50,
    ) -> OrganisationPage:
        """All of them for the operator, the own one for everybody else; newest first."""
        return await organisations.browse(
            session, actor, state=organisation_state, after=cursor, limit=limit
        )

    @get("/{organisation_id:uuid}", opt=allow(scope=READ, waiting=True))
    async def read_organisation(
        self, session: AsyncSession, actor: Actor, organisation_id: UUID
    ) -> OrganisationView:
        return await organisations.read(session, actor, organisation_id)

    @post("/{organisation_id:uuid}/approve", status_code=200, opt=allow(scope=WRITE, waiting=True))
    async def approve(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        data: Reason | None = None,
    ) -> OrganisationView:
        """Let a waiting supplier in (operator)."""
        reason = data.reason if data else None
        return await organisations.change_state(
            session, clock, revocations, actor, organisation_id, "approve", reason
        )

    @post("/{organisation_id:uuid}/suspend", status_code=200, opt=allow(scope=WRITE, waiting=True))
    async def suspend(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        data: Reason,
    ) -> OrganisationView:
        """Lock an organisation out, at once and with a reason (operator)."""
        return await organisations.change_state(
            session, clock, revocations, actor, organisation_id, "suspend", data.reason
        )

    @post(
        "/{organisation_id:uuid}/reinstate", status_code=200, opt=allow(scope=WRITE, waiting=True)
    )
    async def reinstate(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        data: Reason,
    ) -> OrganisationView:
        """End a suspension, with a reason (operator)."""
        return await organisations.change_state(
            session, clock, revocations, actor, organisation_id, "reinstate", data.reason
        )


CONTROLLERS = [
    RegistrationController,
    SessionController,
    MeController,
    ApiKeyController,
    OrganisationController,
]


def client_address(request: Request[Any, Any, Any]) -> str:
    """The peer's address; behind a trusted proxy the server has put the client's there already."""
    return request.client.host if request.client else "unknown"


def _cookie(name: str, value: str, seconds: int, settings: Settings) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=seconds,
        httponly=name == SESSION_COOKIE,
        secure=settings.secure_cookies,
        samesite="lax",
    )
