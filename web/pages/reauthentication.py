"""Asking once more who it is, before a session changes the team, the keys or the second factor.

The page that asks (`problem.py`) carries the fields of the form that was refused. When the answer
is right, 307 makes the browser post them again to where they belong: nobody types a form twice.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Controller, Response, post
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.guessing import Guesses
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import Reauthentication
from marketplace.accounts.service import secrets
from marketplace.accounts.totp import Totp
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Problem
from web.pages.forms import posted_fields, read_form
from web.pages.render import AnyRequest, own_path, page

# The names begin like this so that they meet no field of the form that is carried along.
ACTION, SECRET = "reauthenticate.action", "reauthenticate.secret"
_CODE = re.compile(r"\d{6}", re.ASCII)


class ReauthenticationPage(Controller):
    @post("/reauthenticate", opt=allow(scope=None, waiting=True))
    async def confirm(
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
        action = own_path(form.one(ACTION))
        try:
            shown = _shown(form.secret(SECRET))
            await secrets.reauthenticate(session, clock, guesses, passwords, totp, actor, shown)
        except Problem as problem:
            fields = posted_fields(request.scope) or []
            return page(
                request,
                "reauthenticate.html",
                status=problem.status,
                action=action,
                fields=[(name, text) for name, text in fields if name not in {ACTION, SECRET}],
                errors={SECRET: problem.errors[0].message} if problem.errors else {},
                problem=None if problem.errors else problem,
            )
        return Redirect(action, status_code=307)


def _shown(typed: str) -> Reauthentication:
    """Six digits are a code: no password is so short."""
    digits = "".join(typed.split())
    if _CODE.fullmatch(digits):
        return Reauthentication(code=digits)
    return Reauthentication(password=typed)
