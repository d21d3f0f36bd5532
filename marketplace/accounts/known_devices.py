"""Browsers in which somebody has logged in before, by a sealed cookie.

Guesses from such a browser are counted apart from those of strangers, so that nobody can keep the
owner of an account out by guessing (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). The cookie opens nothing: it only says whose tries these are.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import timedelta

import msgspec

from marketplace.kernel.clock import Clock
from marketplace.kernel.ids import new_token
from marketplace.kernel.sealing import NotSealedHere, Sealer

DEVICE_LIFE = timedelta(days=180)
"""From the last login."""
ACCOUNTS_MAX = 8
"""Accounts remembered in one browser: the shifts at a shared computer. The cookie stays small."""
_COOKIE_CHARS_MAX = 2_000
_ID_BYTES = 12
_CONTEXT = b"device"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """`accounts` are those of `guessing.account_of`, the last one first."""

    id: str
    accounts: list[str]
    until_us: int


class KnownDevices:
    """Nothing is stored on the server."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def known_for(self, cookie: str | None, account: str) -> str | None:
        """The id of the browser, if `account` has logged in there before."""
        device = self._read(cookie)
        return device.id if device is not None and account in device.accounts else None

    def remember(self, cookie: str | None, account: str) -> str:
        """The new cookie, after a login of `account`."""
        device = self._read(cookie)
        others = [each for each in device.accounts if each != account] if device else []
        known = Device(
            id=device.id if device else new_token(_ID_BYTES),
            accounts=[account, *others][:ACCOUNTS_MAX],
            until_us=self._clock.now_us() + DEVICE_LIFE // timedelta(microseconds=1),
        )
        sealed = self._sealer.seal(msgspec.json.encode(known), _CONTEXT)
        return urlsafe_b64encode(sealed).decode()

    def _read(self, cookie: str | None) -> Device | None:
        """None for an expired one and for anything that was not sealed here."""
        if cookie is None or len(cookie) > _COOKIE_CHARS_MAX:
            return None
        try:
            plain = self._sealer.open(urlsafe_b64decode(cookie.encode()), _CONTEXT)
        except (Error, NotSealedHere, ValueError):
            return None
        device = msgspec.json.decode(plain, type=Device)
        return device if device.until_us > self._clock.now_us() else None
