"""Between the password and the code of a login: a sealed note that the password was right, so that
nobody types it twice. It opens nothing without a fresh code.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import timedelta
from uuid import UUID

import msgspec

from marketplace.accounts.models import User
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Unauthenticated
from marketplace.kernel.ids import token_hash
from marketplace.kernel.sealing import NotSealedHere, Sealer

TICKET_LIFE = timedelta(minutes=5)
TICKET_CHARS_MAX = 1_000
_CONTEXT = b"login"


class CodeNeeded(Unauthenticated):
    """The password is right; `ticket` stands for it when the code comes."""

    def __init__(self, ticket: str) -> None:
        super().__init__("totp_required", "Send the code of your authenticator too.")
        self.ticket = ticket


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`password` is a hash of the stored hash: a changed password makes the ticket worthless."""

    user_id: UUID
    email_normal: str
    password: bytes
    until_us: int

    def fits(self, user: User) -> bool:
        return hmac.compare_digest(self.password, token_hash(user.password_hash))


class Tickets:
    """Nothing is stored: a ticket is sealed with the house's key."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def issue(self, user: User) -> str:
        """Good for TICKET_LIFE."""
        ticket = Ticket(
            user_id=user.id,
            email_normal=user.email_normal,
            password=token_hash(user.password_hash),
            until_us=self._clock.now_us() + TICKET_LIFE // timedelta(microseconds=1),
        )
        sealed = self._sealer.seal(msgspec.json.encode(ticket), _CONTEXT)
        return urlsafe_b64encode(sealed).decode()

    def read(self, text: str) -> Ticket | None:
        """None for an expired one and for anything that is not ours."""
        if len(text) > TICKET_CHARS_MAX:
            return None
        try:
            plain = self._sealer.open(urlsafe_b64decode(text.encode()), _CONTEXT)
        except (Error, NotSealedHere, ValueError):
            return None
        ticket = msgspec.json.decode(plain, type=Ticket)
        return ticket if ticket.until_us > self._clock.now_us() else None
