"""Time-based one-time codes (RFC 6238): six digits, 30 seconds, each good for one use."""

from __future__ import annotations

import hmac

import pyotp

from marketplace.accounts.models import User
from marketplace.kernel.clock import Clock
from marketplace.kernel.sealing import Sealer

STEP_S = 30
DRIFT_STEPS = 1


class Totp:
    """Makes, seals and checks secrets; the user row must be locked by the caller, so that one code
    cannot serve twice.
    """

    def __init__(self, sealer: Sealer, clock: Clock, issuer: str) -> None:
        self._sealer = sealer
        self._clock = clock
        self._issuer = issuer

    def enrol(self, user: User) -> tuple[str, str]:
        """A fresh secret (base 32) and its `otpauth:` address; it counts once it is confirmed."""
        secret = pyotp.random_base32()
        user.totp_sealed = self._sealer.seal(secret.encode(), user.id.bytes)
        user.totp_confirmed_at = None
        return self._shown(user, secret)

    def pending(self, user: User) -> tuple[str, str] | None:
        """The secret and its address again, while they wait for their first code."""
        if user.totp_sealed is None or user.totp_confirmed_at is not None:
            return None
        return self._shown(user, self._sealer.open(user.totp_sealed, user.id.bytes).decode())

    def use(self, user: User, code: str) -> bool:
        """Whether `code` is right now, or one step off; a used step never serves again."""
        if user.totp_sealed is None:
            return False
        secret = self._sealer.open(user.totp_sealed, user.id.bytes).decode()
        generator = pyotp.TOTP(secret)
        current = self._clock.now_us() // (STEP_S * 1_000_000)
        for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
            right = hmac.compare_digest(generator.generate_otp(step).encode(), code.encode())
            if right and step > user.totp_last_step:
                user.totp_last_step = step
                return True
        return False

    def _shown(self, user: User, secret: str) -> tuple[str, str]:
        uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=self._issuer)
        return secret, uri
