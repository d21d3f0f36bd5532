"""Stored answers: the same key and body get the same answer, written with the work they answer.

The row is inserted in the transaction of the request itself, so an answer is kept exactly when its
work is. Answers may hold secrets (a new API key is shown once), so they are sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.sealing import Sealer

KEPT = timedelta(hours=24)
KEY_CHARS_MAX = 255
_NOBODY = UUID(int=0)

_FIND = text(
    "SELECT body_hash, status, answer_sealed, expires_at FROM idempotency_keys"
    " WHERE (organisation_id, caller_id, key, method, path)"
    " = (:organisation_id, :caller_id, :key, :method, :path)"
)
_KEEP = text(
    "INSERT INTO idempotency_keys (organisation_id, caller_id, key, method, path, body_hash,"
    " status, answer_sealed, created_at, expires_at) VALUES (:organisation_id, :caller_id, :key,"
    " :method, :path, :body_hash, :status, :answer_sealed, :created_at, :expires_at)"
    " ON CONFLICT (organisation_id, caller_id, key, method, path) DO UPDATE SET"
    " body_hash = excluded.body_hash, status = excluded.status,"
    " answer_sealed = excluded.answer_sealed, created_at = excluded.created_at,"
    " expires_at = excluded.expires_at"
)
_SWEEP = text("DELETE FROM idempotency_keys WHERE expires_at < :now")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies a repeated request: who asks, the client's key, where, and with what body.

    An API key repeats only its own requests: a narrow one must not be given what a wider one, or
    its maker's session, was shown once.
    """

    actor: Actor | None
    key: str
    method: str
    path: str
    body_hash: bytes

    def place(self) -> dict[str, object]:
        return {
            "organisation_id": self.actor.organisation_id if self.actor else _NOBODY,
            "caller_id": (self.actor.api_key_id or self.actor.user_id) if self.actor else _NOBODY,
            "key": self.key,
            "method": self.method,
            "path": self.path,
        }

    def context(self) -> bytes:
        return stored_context(self.place())


def stored_context(place: Mapping[str, object]) -> bytes:
    """What a stored answer is sealed with: the columns of its key."""
    names = ("organisation_id", "caller_id", "key", "method", "path")
    return "\n".join(str(place[name]) for name in names).encode()


class Answer(msgspec.Struct, frozen=True):
    """A stored answer as it goes out again."""

    status: int
    media_type: str
    body: bytes


class Answers:
    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    async def find(self, session: AsyncSession, asked: Asked) -> Answer | None:
        """None when this is the first time; the key is then held until the transaction ends.

        Raises Conflict (`still_running`) and Invalid (`idempotency_key_reused`).
        """
        if not 0 < len(asked.key) <= KEY_CHARS_MAX:
            raise Invalid.field(
                "Idempotency-Key", "malformed", f"A key has 1 to {KEY_CHARS_MAX} characters."
            )
        await self._open(session, asked)
        digest = sha256(asked.context()).digest()
        lock = int.from_bytes(digest[:8], "big", signed=True)
        taken = await session.scalar(
            text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": lock}
        )
        if not taken:
            raise Conflict("still_running", "The same request is still being worked on.")
        row = (await session.execute(_FIND, asked.place())).mappings().first()
        await self._close(session, asked)
        if row is None or row["expires_at"] <= self._clock.now():
            return None
        if row["body_hash"] != asked.body_hash:
            raise Invalid("idempotency_key_reused", "This key was used with another body.")
        opened = self._sealer.open(row["answer_sealed"], asked.context())
        return msgspec.msgpack.decode(opened, type=Answer)

    async def keep(self, session: AsyncSession, asked: Asked, answer: Answer) -> None:
        """Remember `answer` for KEPT."""
        now = self._clock.now()
        await self._open(session, asked)
        await session.execute(
            _KEEP,
            asked.place()
            | {
                "body_hash": asked.body_hash,
                "status": answer.status,
                "answer_sealed": self._sealer.seal(msgspec.msgpack.encode(answer), asked.context()),
                "created_at": now,
                "expires_at": now + KEPT,
            },
        )

    async def _open(self, session: AsyncSession, asked: Asked) -> None:
        if asked.actor is None:
            await set_scope(session, SYSTEM)

    async def _close(self, session: AsyncSession, asked: Asked) -> None:
        if asked.actor is None:
            await set_scope(session, None)


async def sweep(session: AsyncSession, clock: Clock) -> None:
    """Delete what expired. The session must be in the system scope."""
    await session.execute(_SWEEP, {"now": clock.now()})
