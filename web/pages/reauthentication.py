"""Asking once more who it is, before a session changes the team, the keys or the second factor.

The page that asks (`problem.py`) carries the fields of the form that was refused. When the answer
is right, 307 makes the browser post them again to where they belong: nobody types a form twice.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Controller, Response, post
from litestar.response import Redirect

from marketplace.accounts.guessing import Guesses
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import Reauthentication
from marketplace.accounts.service import secrets
from marketplace.accounts.totp import Totp
from marketplace.kernel.access import allow
from marketplace.kernel.clock import Clock
from web.pages.forms import posted_fields
from web.pages.render import own_path
from web.pages.visit import Visit

# The names begin like this so that they meet no field of the form that is carried along.
ACTION, SECRET = "reauthenticate.action", "reauthenticate.secret"
_CODE = re.compile(r"\d{6}", re.ASCII)


class ReauthenticationPage(Controller):
    @post("/reauthenticate", opt=allow(scope=None, waiting=True))
    async def confirm(
        self, visit: Visit, clock: Clock, guesses: Guesses, passwords: Passwords, totp: Totp
    ) -> Response[Any]:
        form = await visit.form()
        action = own_path(form.one(ACTION))
        names = {"password": SECRET, "code": SECRET}
        async with visit.trying(form, names=names) as attempt:
            shown = _shown(form.secret(SECRET))
            await secrets.reauthenticate(
                visit.session, clock, guesses, passwords, totp, visit.actor, shown
            )
            return Redirect(action, status_code=307)
        fields = posted_fields(visit.request.scope) or []
        return await visit.page(
            "reauthenticate.html",
            attempt,
            # As where it is asked first: nothing leads away from the question.
            viewer=None,
            action=action,
            fields=[(name, text) for name, text in fields if name not in {ACTION, SECRET}],
            form={},
        )


def _shown(typed: str) -> Reauthentication:
    """Six digits are a code: no password is so short."""
    digits = "".join(typed.split())
    if _CODE.fullmatch(digits):
        return Reauthentication(code=digits)
    return Reauthentication(password=typed)
