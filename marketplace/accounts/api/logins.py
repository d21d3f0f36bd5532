"""Sessions and the own person over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import Cookie
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.api.common import READ, caller_of
from marketplace.accounts.gate import CSRF_COOKIE, DEVICE_COOKIE, SESSION_COOKIE, Gate
from marketplace.accounts.guessing import Guesses
from marketplace.accounts.known_devices import DEVICE_LIFE
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import (
    Login,
    Me,
    PasswordChange,
    Reauthentication,
    RecoveryCodes,
    RecoveryCodesLeft,
    RecoveryRenewal,
    SessionPage,
    TotpCode,
    TotpEnrolment,
    TotpRemoval,
)
from marketplace.accounts.service import entitlements, logins, second_factor, secrets
from marketplace.accounts.service.logins import Doorman
from marketplace.accounts.totp import Totp
from marketplace.kernel.access import PUBLIC_ONCE, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.facts import Facts
from marketplace.kernel.settings import Settings
from marketplace.kernel.statements import Reader

# Kept for an idempotent replay, the codes would stand somewhere after all.
IN_SESSION = allow(scope=None, waiting=True)
SHOWN_ONCE = {"access": msgspec.structs.replace(IN_SESSION["access"], idempotent=False)}
SHOWN_ONCE_TO_VERIFIED = {"access": msgspec.structs.replace(SHOWN_ONCE["access"], verified=True)}


class SessionController(Controller):
    path = "/api/v1/sessions"
    tags = ("accounts",)

    @post(opt=PUBLIC_ONCE | {"problems": (401, 403)})
    async def log_in(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        doorman: Doorman,
        gate: Gate,
        settings: Settings,
        data: Login,
    ) -> Response[Me]:
        """Log in; sets the cookies `session` and `csrf_token`, and `device`, by which later wrong
        passwords from here are told from those of strangers. A former session of this browser ends.
        """
        opened = await doorman.log_in(session, data, caller_of(request))
        seconds = int(opened.lasts.total_seconds())
        return Response(
            opened.me,
            cookies=[
                _cookie(SESSION_COOKIE, opened.token, seconds, settings),
                _cookie(CSRF_COOKIE, gate.csrf_token(opened.token), seconds, settings),
                _cookie(
                    DEVICE_COOKIE,
                    opened.device_cookie,
                    int(DEVICE_LIFE.total_seconds()),
                    settings,
                ),
            ],
        )

    @get(opt=IN_SESSION)
    async def list_sessions(self, session: AsyncSession, clock: Clock, actor: Actor) -> SessionPage:
        """The caller's own sessions that still stand."""
        return await logins.list_sessions(session, clock, actor)

    @delete("/current", status_code=204, opt=IN_SESSION)
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
            cookies=[_cookie(name, "", 0, settings) for name in (SESSION_COOKIE, CSRF_COOKIE)],
        )

    @delete("/{session_id:uuid}", opt=IN_SESSION)
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

    @get(opt=allow(scope=READ, waiting=True), summary="Read who the caller is")
    async def me(self, reader: Reader, actor: Actor, clock: Clock) -> Me:
        """Who the caller is and what it may do."""
        allowed = await entitlements.show(reader, actor.organisation_id, clock.now())
        return msgspec.structs.replace(await logins.me(reader, actor), entitlements=allowed)

    @post("/password", status_code=204, opt=IN_SESSION)
    async def change_password(
        self,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        revocations: Revocations,
        facts: Facts,
        actor: Actor,
        data: PasswordChange,
    ) -> None:
        """Change the own password; every other session ends, and with `end_keys` the API keys."""
        await secrets.change_password(
            session, clock, guesses, passwords, revocations, facts, actor, data
        )

    @post("/reauthenticate", status_code=204, opt=IN_SESSION, summary="Prove who one is once more")
    async def reauthenticate(
        self,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        totp: Totp,
        actor: Actor,
        data: Reauthentication,
    ) -> None:
        """Give the password or a code once more; for 15 minutes this session may then change the
        team, the API keys and the second factor.
        """
        await secrets.reauthenticate(session, clock, guesses, passwords, totp, actor, data)

    @post("/totp", opt=SHOWN_ONCE_TO_VERIFIED)
    async def enrol_totp(self, session: AsyncSession, totp: Totp, actor: Actor) -> TotpEnrolment:
        """Begin a second factor; it counts once a code is confirmed."""
        return await secrets.enrol_totp(session, totp, actor)

    @post("/totp/confirm", status_code=200, opt=SHOWN_ONCE_TO_VERIFIED)
    async def confirm_totp(
        self,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        totp: Totp,
        actor: Actor,
        data: TotpCode,
    ) -> RecoveryCodes:
        """Confirm the second factor with a code of it. Ten recovery codes come with it, once."""
        return await secrets.confirm_totp(session, clock, guesses, totp, actor, data.code)

    @post("/totp/disable", status_code=204, opt=IN_SESSION)
    async def disable_totp(
        self,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        totp: Totp,
        actor: Actor,
        data: TotpRemoval,
    ) -> None:
        """Remove the second factor; needs the password and a code."""
        await secrets.disable_totp(session, clock, guesses, passwords, totp, actor, data)

    @get("/totp/recovery_codes", opt=IN_SESSION)
    async def recovery_codes_left(self, session: AsyncSession, actor: Actor) -> RecoveryCodesLeft:
        """How many recovery codes were not used yet."""
        return RecoveryCodesLeft(left=await second_factor.codes_left(session, actor))

    @post("/totp/recovery_codes", opt=SHOWN_ONCE)
    async def renew_recovery_codes(
        self,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        actor: Actor,
        data: RecoveryRenewal,
    ) -> RecoveryCodes:
        """Ten fresh recovery codes, shown once; the former ones are worth nothing any more."""
        return await secrets.renew_recovery_codes(
            session, clock, guesses, passwords, actor, data.password
        )


def _cookie(name: str, value: str, seconds: int, settings: Settings) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=seconds,
        httponly=name != CSRF_COOKIE,
        secure=settings.secure_cookies,
        samesite="lax",
    )
