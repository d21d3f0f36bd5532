"""The own password and second factor. Only a browser session may change them, never an API key."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.accounts.guessing import Guesses
from marketplace.accounts.models import Session, User
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations, Revoked
from marketplace.accounts.schemas import (
    PasswordChange,
    Reauthentication,
    RecoveryCodes,
    TotpEnrolment,
    TotpRemoval,
)
from marketplace.accounts.service import audit, keys, password_resets, second_factor
from marketplace.accounts.totp import Totp
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import set_scope
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.facts import Facts


async def change_password(
    session: AsyncSession,
    clock: Clock,
    guesses: Guesses,
    passwords: Passwords,
    revocations: Revocations,
    facts: Facts,
    actor: Actor,
    change: PasswordChange,
) -> None:
    """All other sessions of the user end, and with `end_keys` the API keys. Raises Invalid."""
    user = await _verified(session, guesses, passwords, actor, "current", change.current)
    if errors := await passwords.errors("new", change.new, user.email, user.name):
        raise Invalid("invalid", "The new password is not good.", errors=errors)
    password_hash = await passwords.hash(change.new)
    user = await _locked(session, actor, user.password_hash)
    user.password_hash, now = password_hash, clock.now()
    ended = await session.scalars(
        update(Session)
        .where(Session.user_id == actor.user_id, Session.ended_at.is_(None))
        .where(Session.id != actor.session_id)
        .values(ended_at=now)
        .returning(Session.id)
    )
    audit.record(session, now, "password_changed", actor.organisation_id, actor=actor)
    await facts.publish(session, password_resets.changed(user, now))
    for session_id in ended.all():
        revocations.announce(session, Revoked(session_id=session_id))
    if change.end_keys:
        await keys.revoke_own(session, now, revocations, actor)


async def reauthenticate(
    session: AsyncSession,
    clock: Clock,
    guesses: Guesses,
    passwords: Passwords,
    totp: Totp,
    actor: Actor,
    shown: Reauthentication,
) -> None:
    """The caller gives the password or a code once more; for VERIFIED_LIFE the session may do what
    needs it. Raises Invalid, TooFast, Unavailable.
    """
    if shown.password is not None and shown.code is None:
        await _verified(session, guesses, passwords, actor, "password", shown.password)
        await set_scope(session, actor)
    elif shown.code is not None and shown.password is None:
        user = await _locked(session, actor)
        if user.totp_confirmed_at is None:
            message = "You have no second factor; send the password."
            raise Invalid.field("code", "totp_not_enabled", message)
        await _check_code(session, clock, guesses, totp, actor, user, shown.code)
    else:
        raise Invalid.field("password", "one_of_two", "Send the password or a code, one of them.")
    await session.execute(
        update(Session).where(Session.id == actor.session_id).values(verified_at=clock.now())
    )


async def has_totp(session: AsyncSession, actor: Actor) -> bool:
    """Whether a login of the caller needs a code."""
    user = await queries.user(session, actor.user_id)
    assert user is not None, "an actor exists"
    return user.totp_confirmed_at is not None


async def pending_totp(session: AsyncSession, totp: Totp, actor: Actor) -> TotpEnrolment | None:
    """What `enrol_totp` gave, until it is confirmed: after a mistyped code it is needed again."""
    user = await queries.user(session, actor.user_id)
    assert user is not None, "an actor exists"
    found = totp.pending(user)
    return TotpEnrolment(secret=found[0], uri=found[1]) if found else None


async def enrol_totp(session: AsyncSession, totp: Totp, actor: Actor) -> TotpEnrolment:
    """A fresh secret, shown once; an unconfirmed former one is replaced. Raises Conflict."""
    user = await _locked(session, actor)
    if user.totp_confirmed_at is not None:
        raise Conflict("totp_enabled", "A second factor is in use; disable it first.")
    secret, uri = totp.enrol(user)
    return TotpEnrolment(secret=secret, uri=uri)


async def confirm_totp(
    session: AsyncSession, clock: Clock, guesses: Guesses, totp: Totp, actor: Actor, code: str
) -> RecoveryCodes:
    """From now on a login needs a code; recovery codes come with it. Raises Conflict, Invalid
    (`totp_wrong`), TooFast.
    """
    user = await _locked(session, actor)
    if user.totp_sealed is None or user.totp_confirmed_at is not None:
        raise Conflict("totp_not_enrolled", "There is no second factor to confirm.")
    guess = await guesses.in_session("code", actor.session_id)
    if not totp.use(user, code):
        raise Invalid.field("code", "totp_wrong", "The code is wrong.")
    await guesses.forgive(guess)
    user.totp_confirmed_at = clock.now()
    audit.record(
        session, user.totp_confirmed_at, "totp_enabled", actor.organisation_id, actor=actor
    )
    return await second_factor.make_codes(session, user, actor, user.totp_confirmed_at)


async def disable_totp(
    session: AsyncSession,
    clock: Clock,
    guesses: Guesses,
    passwords: Passwords,
    totp: Totp,
    actor: Actor,
    removal: TotpRemoval,
) -> None:
    """Needs the password and a fresh code or a recovery code. Raises Conflict, Invalid."""
    user = await _verified(session, guesses, passwords, actor, "password", removal.password)
    user = await _locked(session, actor, user.password_hash)
    if user.totp_confirmed_at is None:
        raise Conflict("totp_not_enabled", "There is no second factor to disable.")
    await _check_code(session, clock, guesses, totp, actor, user, removal.code)
    user.totp_sealed = user.totp_confirmed_at = None
    await second_factor.forget_codes(session, user)
    audit.record(session, clock.now(), "totp_disabled", actor.organisation_id, actor=actor)


async def renew_recovery_codes(
    session: AsyncSession,
    clock: Clock,
    guesses: Guesses,
    passwords: Passwords,
    actor: Actor,
    password: str,
) -> RecoveryCodes:
    """Ten fresh ones in place of all the former. Raises Conflict (`totp_not_enabled`), Invalid."""
    user = await _verified(session, guesses, passwords, actor, "password", password)
    user = await _locked(session, actor, user.password_hash)
    if user.totp_confirmed_at is None:
        raise Conflict("totp_not_enabled", "Recovery codes come with a second factor.")
    return await second_factor.make_codes(session, user, actor, clock.now())


async def _check_code(
    session: AsyncSession,
    clock: Clock,
    guesses: Guesses,
    totp: Totp,
    actor: Actor,
    user: User,
    code: str,
) -> None:
    """For a `user` that is locked. Raises Invalid (`totp_wrong`), TooFast."""
    guess = await guesses.in_session("code", actor.session_id)
    if not await second_factor.passes(session, totp, user, code, clock.now()):
        raise Invalid.field("code", "totp_wrong", "The code is wrong or was used already.")
    await guesses.forgive(guess)


async def _verified(
    session: AsyncSession,
    guesses: Guesses,
    passwords: Passwords,
    actor: Actor,
    field: str,
    password: str,
) -> User:
    """The own user, detached, whose password this is; no transaction stays open meanwhile. Raises
    Invalid (`wrong_password`), TooFast, Unavailable.
    """
    guess = await guesses.in_session("password", actor.session_id)
    user = await queries.user(session, actor.user_id)
    assert user is not None, "an actor exists"
    session.expunge(user)
    await session.rollback()
    if not await passwords.matches(user.password_hash, password, known=True):
        raise Invalid.field(field, "wrong_password", "This is not the present password.")
    await guesses.forgive(guess)
    return user


async def _locked(session: AsyncSession, actor: Actor, password_hash: str | None = None) -> User:
    """The own user, locked. Raises Conflict when the password is no longer `password_hash`."""
    await set_scope(session, actor)
    user = await queries.user_for_update(session, actor.user_id)
    assert user is not None, "an actor exists"
    if password_hash is not None and user.password_hash != password_hash:
        raise Conflict("password_changed", "The password was changed meanwhile.")
    return user
