"""A new password for whoever forgot it, by a single-use link in a mail.

Asking stores the address and nothing else, whether it has an account or not, so that neither the
answer nor its time tells strangers who is registered. A worker looks the address up and writes the
mail.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries, rules
from marketplace.accounts.facts import PasswordChanged, PasswordResetAsked
from marketplace.accounts.gate import current_actor
from marketplace.accounts.guessing import Guesses, account_of
from marketplace.accounts.models import PasswordReset, Session, User
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations, Revoked
from marketplace.accounts.schemas import NewPassword
from marketplace.accounts.service import audit, keys
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Gone, Invalid, NotFound
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import UserId, new_id, new_token, token_hash

BATCH_MAX = 50
"""Resets that one run of the job prepares: each is a few statements."""


async def ask(
    session: AsyncSession, clock: Clock, guesses: Guesses, email: str, address: str
) -> None:
    """Somebody at `address` says that the account of `email` is theirs. Raises Invalid (no e-mail
    address), TooFast, Unavailable.
    """
    if errors := rules.email_errors("email", email):
        raise Invalid("invalid", "This is no e-mail address.", errors=errors)
    await guesses.admit_address(address)
    email_normal = rules.normal_email(email)
    # Silence for the one who asks too often: the last links still work.
    if not await guesses.may_mail(account_of(email_normal)):
        return
    await set_scope(session, SYSTEM)
    session.add(PasswordReset(id=new_id(), email_normal=email_normal, asked_at=clock.now()))


async def send_links(session: AsyncSession, facts: Facts, clock: Clock) -> int:
    """Write the mails of those who asked; how many rows were done. The session is in the system
    scope. Idempotent, and safe on several workers at once.
    """
    asked = await queries.unsent_resets(session, BATCH_MAX)
    for reset in asked:
        user = await queries.user_by_email(session, reset.email_normal)
        if user is None or user.disabled_at is not None:
            await session.delete(reset)
            continue
        token = new_token()
        reset.user_id, reset.token_hash = user.id, token_hash(token)
        await facts.publish(
            session,
            PasswordResetAsked(
                reset_id=reset.id,
                organisation_id=user.organisation_id,
                user_id=user.id,
                email=user.email,
                path=f"/password_resets/{token}",
                at=clock.now(),
            ),
        )
    return len(asked)


async def check(session: AsyncSession, clock: Clock, token: str) -> None:
    """Whether the link can be used. Raises NotFound, Gone (`reset_used`, `reset_expired`)."""
    await set_scope(session, SYSTEM)
    _checked(await queries.reset_by_hash(session, token_hash(token)), clock.now())


async def use(
    session: AsyncSession,
    clock: Clock,
    facts: Facts,
    passwords: Passwords,
    revocations: Revocations,
    guesses: Guesses,
    token: str,
    new: NewPassword,
    address: str,
) -> None:
    """The link's one use. All sessions of the user end, all other links, and with `end_keys` the
    API keys. The second factor stays. Raises NotFound, Gone, Invalid, TooFast, Unavailable.
    """
    await guesses.admit_address(address)
    await set_scope(session, SYSTEM)
    reset = _checked(await queries.reset_by_hash(session, token_hash(token)), clock.now())
    user = await _user_of(session, reset)
    well_known = (user.email, user.name)
    # No row stays locked while the password is hashed; the link is asked for again afterwards.
    await session.rollback()
    if errors := await passwords.errors("password", new.password, *well_known):
        raise Invalid("invalid", "The new password is not good.", errors=errors)
    password_hash = await passwords.hash(new.password)
    await set_scope(session, SYSTEM)
    now = clock.now()
    found = await queries.reset_by_hash(session, token_hash(token), lock=True)
    user = await _user_of(session, _checked(found, now))
    user.password_hash = password_hash
    await session.execute(
        update(PasswordReset)
        .where(PasswordReset.user_id == user.id, PasswordReset.used_at.is_(None))
        .values(used_at=now)
    )
    await _end_logins(session, now, revocations, user, end_keys=new.end_keys)
    audit.record(session, now, "password_reset", user.organisation_id, subject_id=user.id)
    await facts.publish(session, changed(user, now))
    await guesses.forget_strangers(account_of(user.email_normal), address)


async def sweep(session: AsyncSession, now: datetime) -> None:
    """Forget what is of no use any more; whoever comes late reads that the link has expired."""
    before = now - rules.RESETS_REMEMBERED
    await session.execute(delete(PasswordReset).where(PasswordReset.asked_at < before))


def changed(user: User, now: datetime) -> PasswordChanged:
    """The fact that tells the owner."""
    return PasswordChanged(
        organisation_id=user.organisation_id, user_id=user.id, email=user.email, at=now
    )


async def _end_logins(
    session: AsyncSession, now: datetime, revocations: Revocations, user: User, *, end_keys: bool
) -> None:
    ended = await session.scalars(
        update(Session)
        .where(Session.user_id == user.id, Session.ended_at.is_(None))
        .values(ended_at=now)
        .returning(Session.id)
    )
    for session_id in ended.all():
        revocations.announce(session, Revoked(session_id=session_id))
    if end_keys:
        actor = await current_actor(session, UserId(user.id))
        assert actor is not None, "the user was asked for just now"
        await keys.revoke_own(session, now, revocations, actor)


async def _user_of(session: AsyncSession, reset: PasswordReset) -> User:
    assert reset.user_id is not None, "a link was sent to somebody"
    user = await queries.user_for_update(session, reset.user_id)
    if user is None or user.disabled_at is not None:
        raise Gone("reset_void", "This account does not exist any more.")
    return user


def _checked(reset: PasswordReset | None, now: datetime) -> PasswordReset:
    if reset is None:
        raise NotFound("password reset")
    if reset.used_at is not None:
        raise Gone("reset_used", "This link was used already, or a later one was.")
    if reset.asked_at + rules.RESET_LIFE <= now:
        raise Gone("reset_expired", "This link has expired; ask for another one.")
    return reset
