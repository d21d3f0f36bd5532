"""The own logins, password and second factor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.guessing import Guesses
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import (
    PasswordChange,
    RecoveryCodes,
    TotpEnrolment,
    TotpRemoval,
)
from marketplace.accounts.service import logins, second_factor, secrets
from marketplace.accounts.totp import Totp
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import set_scope
from marketplace.kernel.errors import Problem
from marketplace.kernel.facts import Facts
from web.pages.forms import read_form
from web.pages.render import AnyRequest, field_errors, go, page, viewer_of

FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_VERIFIED = allow(scope=None, waiting=True, verified=True)
DONE = frozenset(["password", "on", "off", "codes", "ended"])
FEW_CODES = 3
QUIET_ZONE = 4
"""Modules of light around a QR code that its standard (ISO/IEC 18004) asks for."""


class SecurityPages(Controller):
    path = "/security"

    @get("/", opt=FOR_MEMBERS)
    async def overview(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        done: str = "",
    ) -> Template:
        return await _page(request, session, clock, actor, done=done)

    @post("/sessions/{session_id:uuid}/end", opt=FOR_MEMBERS)
    async def end_session(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        session_id: UUID,
    ) -> Redirect:
        await logins.end_session(session, clock, revocations, actor, session_id)
        return go("/security?done=ended")

    @post("/password", opt=FOR_MEMBERS)
    async def change_password(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        revocations: Revocations,
        facts: Facts,
        actor: Actor,
    ) -> Response[Any]:
        form = await read_form(request)
        change = PasswordChange(
            current=form.secret("current"),
            new=form.secret("new"),
            end_keys=bool(form.one("end_keys")),
        )
        try:
            await secrets.change_password(
                session, clock, guesses, passwords, revocations, facts, actor, change
            )
        except Problem as problem:
            return await _page(request, session, clock, actor, problem=problem)
        return go("/security?done=password")

    @post("/totp", opt=FOR_VERIFIED, status_code=200)
    async def enrol(
        self, request: AnyRequest, session: AsyncSession, clock: Clock, totp: Totp, actor: Actor
    ) -> Response[Any]:
        """The page with the secret on it; nothing counts before a code of it is confirmed."""
        try:
            enrolment = await secrets.enrol_totp(session, totp, actor)
            await session.flush()
        except Problem as problem:
            return await _page(request, session, clock, actor, problem=problem)
        return await _page(request, session, clock, actor, enrolment=enrolment)

    @post("/totp/confirm", opt=FOR_VERIFIED, status_code=200)
    async def confirm(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        totp: Totp,
        actor: Actor,
    ) -> Response[Any]:
        """The page with the recovery codes on it; only their hashes are stored."""
        form = await read_form(request)
        try:
            code = form.digits("code")
            codes = await secrets.confirm_totp(session, clock, guesses, totp, actor, code)
        except Problem as problem:
            enrolment = await secrets.pending_totp(session, totp, actor)
            return await _page(request, session, clock, actor, problem=problem, enrolment=enrolment)
        await session.flush()
        return await _page(request, session, clock, actor, done="on", codes=codes)

    @post("/totp/codes", opt=FOR_MEMBERS, status_code=200)
    async def renew_codes(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        actor: Actor,
    ) -> Response[Any]:
        """Ten fresh recovery codes; the former ones are worth nothing any more."""
        form = await read_form(request)
        try:
            codes = await secrets.renew_recovery_codes(
                session, clock, guesses, passwords, actor, form.secret("password")
            )
            await session.flush()
        except Problem as problem:
            return await _page(request, session, clock, actor, problem=problem, about="codes")
        return await _page(request, session, clock, actor, done="codes", codes=codes)

    @post("/totp/off", opt=FOR_MEMBERS)
    async def switch_off(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        totp: Totp,
        actor: Actor,
    ) -> Response[Any]:
        form = await read_form(request)
        removal = TotpRemoval(password=form.secret("password"), code=form.digits("code"))
        try:
            await secrets.disable_totp(session, clock, guesses, passwords, totp, actor, removal)
        except Problem as problem:
            return await _page(request, session, clock, actor, problem=problem)
        return go("/security?done=off")


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    clock: Clock,
    actor: Actor,
    *,
    done: str = "",
    problem: Problem | None = None,
    enrolment: TotpEnrolment | None = None,
    codes: RecoveryCodes | None = None,
    about: str = "",
) -> Template:
    """`about` says which of two forms with a password `problem` is of."""
    # Checking a password ends the transaction, and the scope with it.
    await set_scope(session, actor)
    errors = field_errors(problem) if problem else {}
    return page(
        request,
        "security.html",
        viewer=await viewer_of(session, actor),
        status=problem.status if problem else 200,
        sessions=(await logins.list_sessions(session, clock, actor)).items,
        totp_on=await secrets.has_totp(session, actor),
        enrolment=enrolment,
        qr=_qr_code(enrolment.uri) if enrolment else None,
        codes=codes.codes if codes else [],
        codes_left=await second_factor.codes_left(session, actor),
        few_codes=FEW_CODES,
        about=about,
        done=done if done in DONE else "",
        errors=errors,
        problem=problem if problem and not errors else None,
    )


def _qr_code(uri: str) -> Markup:
    """Dark on light in every theme: scanners want it so. Only paths and numbers, nothing typed."""
    code = segno.make(uri, error="m", micro=False)
    options = {"dark": "#000", "light": "#fff", "svgclass": None, "lineclass": None}
    return Markup(code.svg_inline(border=QUIET_ZONE, omitsize=True, **options))  # noqa: S704
