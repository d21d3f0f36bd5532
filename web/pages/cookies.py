"""The cookies of a login, as every page that logs somebody in or out sets them."""

from __future__ import annotations

from litestar.datastructures import Cookie

from marketplace.accounts.gate import CSRF_COOKIE, DEVICE_COOKIE, SESSION_COOKIE, Gate
from marketplace.accounts.known_devices import DEVICE_LIFE
from marketplace.accounts.service.logins import Opened
from marketplace.kernel.settings import Settings


def login_cookies(opened: Opened, gate: Gate, settings: Settings) -> list[Cookie]:
    seconds = int(opened.lasts.total_seconds())
    return [
        cookie(SESSION_COOKIE, opened.token, seconds, settings),
        cookie(CSRF_COOKIE, gate.csrf_token(opened.token), seconds, settings),
        cookie(DEVICE_COOKIE, opened.device_cookie, int(DEVICE_LIFE.total_seconds()), settings),
    ]


def logout_cookies(settings: Settings) -> list[Cookie]:
    return [cookie(name, "", 0, settings) for name in (SESSION_COOKIE, CSRF_COOKIE)]


def cookie(name: str, value: str, seconds: int, settings: Settings) -> Cookie:
    """Scripts may read all but what a login is known by."""
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=seconds,
        httponly=name in {SESSION_COOKIE, DEVICE_COOKIE},
        secure=settings.secure_cookies,
        samesite="lax",
    )
