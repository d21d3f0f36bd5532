"""The second step of a login: a code of the authenticator, or a recovery code in its place.

Ten recovery codes are made together, shown once and stored hashed; each is good once. A plain hash
is enough, for a code is 80 random bits.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from datetime import datetime

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.accounts.models import RecoveryCode, User
from marketplace.accounts.schemas import RecoveryCodes
from marketplace.accounts.service import audit
from marketplace.accounts.totp import Totp
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Unauthenticated
from marketplace.kernel.ids import token_hash

CODES = 10
CODE_BYTES, CODE_CHARS, GROUP_CHARS = 10, 16, 4
TYPED_CHARS_MAX = 64


async def require(session: AsyncSession, totp: Totp, user: User, code: str, now: datetime) -> None:
    """For a `user` that is locked and has a second factor. Raises Unauthenticated."""
    if not await passes(session, totp, user, code, now):
        raise Unauthenticated("totp_wrong", "The code is wrong or was used already.")


async def passes(session: AsyncSession, totp: Totp, user: User, code: str, now: datetime) -> bool:
    """Whether `code` is right, of either kind; it is spent then."""
    return totp.use(user, code) or await _spend(session, user, code, now)


async def make_codes(
    session: AsyncSession, user: User, actor: Actor, now: datetime
) -> RecoveryCodes:
    """Fresh codes for a `user` that is locked; the former ones are worth nothing any more."""
    await forget_codes(session, user)
    codes = [_new_code() for _ in range(CODES)]
    rows = [
        {
            "user_id": user.id,
            "code_hash": _hash(user, _bare(code)),
            "organisation_id": user.organisation_id,
            "created_at": now,
        }
        for code in codes
    ]
    await session.execute(insert(RecoveryCode), rows)
    audit.record(session, now, "recovery_codes_made", user.organisation_id, actor=actor)
    return RecoveryCodes(codes=codes)


async def forget_codes(session: AsyncSession, user: User) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


async def codes_left(session: AsyncSession, actor: Actor) -> int:
    """How many of the caller's own codes were not used yet."""
    return await queries.recovery_codes_left(session, actor.user_id)


async def _spend(session: AsyncSession, user: User, typed: str, now: datetime) -> bool:
    code = _bare(typed) if len(typed) <= TYPED_CHARS_MAX else ""
    if len(code) != CODE_CHARS:
        return False
    spent = await session.execute(
        update(RecoveryCode)
        .where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(user, code))
        .where(RecoveryCode.used_at.is_(None))
        .values(used_at=now)
        .returning(RecoveryCode.user_id)
    )
    if spent.first() is None:
        return False
    audit.record(session, now, "recovery_code_used", user.organisation_id, subject_id=user.id)
    return True


def _new_code() -> str:
    """Small letters and the digits 2 to 7, which nobody mixes up: `abcd-efgh-2345-6723`."""
    text = b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + GROUP_CHARS] for at in range(0, CODE_CHARS, GROUP_CHARS))


def _bare(typed: str) -> str:
    """As people type it: with or without dashes and blanks, in any case."""
    return "".join(character for character in typed.lower() if character.isalnum())


def _hash(user: User, code: str) -> bytes:
    return token_hash(f"{user.id}:{code}")
