"""The own logins, password and second factor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template
from markupsafe import Markup

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
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import set_scope
from marketplace.kernel.facts import Facts
from web.pages.render import go
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_VERIFIED = allow(scope=None, waiting=True, verified=True)
DONE = frozenset(["password", "on", "off", "codes", "ended"])
FEW_CODES = 3
QUIET_ZONE = 4
"""Modules of light around a QR code that its standard (ISO/IEC 18004) asks for."""


class SecurityPages(Controller):
    path = "/security"

    @get("/", opt=FOR_MEMBERS)
    async def overview(self, visit: Visit, clock: Clock, done: str = "") -> Template:
        return await _page(visit, clock, done=done)

    @post("/sessions/{session_id:uuid}/end", opt=FOR_MEMBERS)
    async def end_session(
        self, visit: Visit, clock: Clock, revocations: Revocations, session_id: UUID
    ) -> Redirect:
        await logins.end_session(visit.session, clock, revocations, visit.actor, session_id)
        return go("/security?done=ended")

    @post("/password", opt=FOR_MEMBERS)
    async def change_password(
        self,
        visit: Visit,
        clock: Clock,
        guesses: Guesses,
        passwords: Passwords,
        revocations: Revocations,
        facts: Facts,
    ) -> Response[Any]:
        form = await visit.form()
        change = PasswordChange(
            current=form.secret("current"),
            new=form.secret("new"),
            end_keys=bool(form.one("end_keys")),
        )
        async with visit.trying(form) as attempt:
            await secrets.change_password(
                visit.session, clock, guesses, passwords, revocations, facts, visit.actor, change
            )
            return go("/security?done=password")
        return await _page(visit, clock, attempt)

    @post("/totp", opt=FOR_VERIFIED, status_code=200)
    async def enrol(self, visit: Visit, clock: Clock, totp: Totp) -> Response[Any]:
        """The page with the secret on it; nothing counts before a code of it is confirmed."""
        async with visit.trying() as attempt:
            enrolment = await secrets.enrol_totp(visit.session, totp, visit.actor)
            await visit.session.flush()
            return await _page(visit, clock, enrolment=enrolment)
        return await _page(visit, clock, attempt)

    @post("/totp/confirm", opt=FOR_VERIFIED, status_code=200)
    async def confirm(
        self, visit: Visit, clock: Clock, guesses: Guesses, totp: Totp
    ) -> Response[Any]:
        """The page with the recovery codes on it; only their hashes are stored."""
        form = await visit.form()
        async with visit.trying(form) as attempt:
            code = form.digits("code")
            codes = await secrets.confirm_totp(
                visit.session, clock, guesses, totp, visit.actor, code
            )
            await visit.session.flush()
            return await _page(visit, clock, done="on", codes=codes)
        enrolment = await secrets.pending_totp(visit.session, totp, visit.actor)
        return await _page(visit, clock, attempt, enrolment=enrolment)

    @post("/totp/codes", opt=FOR_MEMBERS, status_code=200)
    async def renew_codes(
        self, visit: Visit, clock: Clock, guesses: Guesses, passwords: Passwords
    ) -> Response[Any]:
        """Ten fresh recovery codes; the former ones are worth nothing any more."""
        form = await visit.form()
        async with visit.trying(form) as attempt:
            codes = await secrets.renew_recovery_codes(
                visit.session, clock, guesses, passwords, visit.actor, form.secret("password")
            )
            await visit.session.flush()
            return await _page(visit, clock, done="codes", codes=codes)
        return await _page(visit, clock, attempt, about="codes")

    @post("/totp/off", opt=FOR_MEMBERS)
    async def switch_off(
        self, visit: Visit, clock: Clock, guesses: Guesses, passwords: Passwords, totp: Totp
    ) -> Response[Any]:
        form = await visit.form()
        removal = TotpRemoval(password=form.secret("password"), code=form.digits("code"))
        async with visit.trying(form) as attempt:
            await secrets.disable_totp(
                visit.session, clock, guesses, passwords, totp, visit.actor, removal
            )
            return go("/security?done=off")
        return await _page(visit, clock, attempt)


async def _page(
    visit: Visit,
    clock: Clock,
    attempt: Attempt = UNTRIED,
    *,
    done: str = "",
    enrolment: TotpEnrolment | None = None,
    codes: RecoveryCodes | None = None,
    about: str = "",
) -> Template:
    """`about` says which of two forms with a password `attempt` is of."""
    # Checking a password ends the transaction, and the scope with it.
    await set_scope(visit.session, visit.actor)
    return await visit.page(
        "security.html",
        attempt,
        sessions=(await logins.list_sessions(visit.session, clock, visit.actor)).items,
        totp_on=await secrets.has_totp(visit.session, visit.actor),
        enrolment=enrolment,
        qr=_qr_code(enrolment.uri) if enrolment else None,
        codes=codes.codes if codes else [],
        codes_left=await second_factor.codes_left(visit.session, visit.actor),
        few_codes=FEW_CODES,
        about=about,
        done=done if done in DONE else "",
        # A password is never shown again.
        form={},
    )


def _qr_code(uri: str) -> Markup:
    """Dark on light in every theme: scanners want it so. Only paths and numbers, nothing typed."""
    code = segno.make(uri, error="m", micro=False)
    options = {"dark": "#000", "light": "#fff", "svgclass": None, "lineclass": None}
    return Markup(code.svg_inline(border=QUIET_ZONE, omitsize=True, **options))  # noqa: S704
