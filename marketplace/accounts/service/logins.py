"""Logging in and out, and the list of one's own sessions."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries, rules
from marketplace.accounts.guessing import Guesses, account_of
from marketplace.accounts.known_devices import KnownDevices
from marketplace.accounts.models import Session, User
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations, Revoked
from marketplace.accounts.schemas import (
    Login,
    Me,
    OwnOrganisation,
    SessionPage,
    SessionView,
    UserView,
)
from marketplace.accounts.service import second_factor
from marketplace.accounts.tickets import CodeNeeded, Tickets
from marketplace.accounts.totp import Totp
from marketplace.kernel.actor import EVERY_SCOPE, SHUT_OUT, Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Forbidden, NotFound, Unauthenticated
from marketplace.kernel.ids import new_id, new_token, token_hash
from marketplace.kernel.statements import Source

SESSIONS_SHOWN_MAX = 100
_TOO_LATE = "It took too long. Log in once more."


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """From where somebody logs in. `device` as in `devices.device_name`, `device_cookie` as in
    `known_devices`, `session_token` of the session that this browser has so far.
    """

    address: str
    device: str = ""
    device_cookie: str | None = None
    session_token: str | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A new session. `token` goes into the cookie and is known nowhere else; so does
    `device_cookie`, which outlives the session.
    """

    token: str
    lasts: timedelta
    device_cookie: str
    me: Me


class Doorman:
    """What a login needs beside the database; one per process."""

    def __init__(
        self,
        clock: Clock,
        guesses: Guesses,
        devices: KnownDevices,
        passwords: Passwords,
        totp: Totp,
        tickets: Tickets,
    ) -> None:
        self._clock = clock
        self._guesses = guesses
        self._devices = devices
        self._passwords = passwords
        self._totp = totp
        self._tickets = tickets

    async def admit_address(self, address: str) -> None:
        """Count one attempt of an address that is not logged in. Raises TooFast, Unavailable."""
        await self._guesses.admit_address(address)

    async def log_in(self, session: AsyncSession, login: Login, caller: Caller) -> Opened:
        """A new session with a new token; the caller's former one ends.

        Raises Unauthenticated (`wrong_credentials`, `totp_wrong`), CodeNeeded, Forbidden
        (`organisation_suspended`), TooFast, Unavailable.
        """
        await self.admit_address(caller.address)
        email = rules.normal_email(login.email)
        account = account_of(email)
        device = self._devices.known_for(caller.device_cookie, account)
        guess = await self._guesses.password(account, caller.address, device)
        found = await self._find(session, email)
        password_hash = found.password_hash if found else None
        right = await self._passwords.matches(
            password_hash, login.password, known=device is not None
        )
        if not right or found is None:
            raise Unauthenticated("wrong_credentials", "The address or the password is wrong.")
        await set_scope(session, SYSTEM)
        user = await queries.user_for_update(session, found.id)
        # The password may have changed while it was checked.
        if user is None or user.password_hash != password_hash or user.disabled_at is not None:
            raise Unauthenticated("wrong_credentials", "The address or the password is wrong.")
        await self._guesses.forgive(guess)
        if user.totp_confirmed_at is not None:
            if login.totp is None:
                raise CodeNeeded(self._tickets.issue(user))
            await self._check_code(session, user, login.totp, caller)
        if self._passwords.outdated(user.password_hash):
            user.password_hash = await self._passwords.hash(login.password)
        return await self._enter(session, user, caller)

    async def enter_code(
        self, session: AsyncSession, shown: str, code: str, caller: Caller
    ) -> Opened:
        """The second step of a login that raised CodeNeeded: its ticket and a code of the
        authenticator or a recovery code.

        Raises Unauthenticated (`login_expired`, `totp_wrong`), Forbidden, TooFast, Unavailable.
        """
        await self.admit_address(caller.address)
        ticket = self._tickets.read(shown)
        if ticket is None:
            raise Unauthenticated("login_expired", _TOO_LATE)
        await set_scope(session, SYSTEM)
        user = await queries.user_for_update(session, ticket.user_id)
        if user is None or user.disabled_at is not None or not ticket.fits(user):
            raise Unauthenticated("login_expired", _TOO_LATE)
        if user.totp_confirmed_at is not None:
            await self._check_code(session, user, code, caller)
        return await self._enter(session, user, caller)

    async def _check_code(
        self, session: AsyncSession, user: User, code: str, caller: Caller
    ) -> None:
        account = account_of(user.email_normal)
        device = self._devices.known_for(caller.device_cookie, account)
        guess = await self._guesses.code(account, caller.address, device)
        await second_factor.require(session, self._totp, user, code, self._clock.now())
        await self._guesses.forgive(guess)

    async def _enter(self, session: AsyncSession, user: User, caller: Caller) -> Opened:
        if caller.session_token is not None:
            await self._end_former(session, caller.session_token)
        return await self._open(session, user, caller)

    async def _find(self, session: AsyncSession, email: str) -> User | None:
        """The user, detached; no transaction stays open while the password is checked."""
        await set_scope(session, SYSTEM)
        user = await queries.user_by_email(session, email)
        if user is not None:
            session.expunge(user)
        await session.rollback()
        return user

    async def _open(self, session: AsyncSession, user: User, caller: Caller) -> Opened:
        organisation = await queries.organisation(session, user.organisation_id)
        assert organisation is not None, "a user belongs to an organisation"
        if organisation.state in SHUT_OUT:
            raise Forbidden("organisation_suspended", "Your organisation is suspended or retired.")
        token, now = new_token(), self._clock.now()
        session.add(
            Session(
                id=new_id(),
                organisation_id=organisation.id,
                user_id=user.id,
                token_hash=token_hash(token),
                created_at=now,
                last_seen_at=now,
                expires_at=now + rules.SESSION_ABSOLUTE,
                verified_at=now,
                device=caller.device,
                address=caller.address,
            )
        )
        me = Me(
            user=UserView(id=user.id, name=user.name, email=user.email),
            organisation=OwnOrganisation(
                id=organisation.id,
                name=organisation.name,
                capabilities=sorted(organisation.capabilities),
                state=organisation.state,
            ),
            roles=await queries.roles(session, user.id, organisation.id),
            scopes=[EVERY_SCOPE],
            operator=organisation.operator,
        )
        account = account_of(user.email_normal)
        return Opened(
            token=token,
            lasts=rules.SESSION_ABSOLUTE,
            device_cookie=self._devices.remember(caller.device_cookie, account),
            me=me,
        )

    async def _end_former(self, session: AsyncSession, token: str) -> None:
        await session.execute(
            update(Session)
            .where(Session.token_hash == token_hash(token), Session.ended_at.is_(None))
            .values(ended_at=self._clock.now())
        )


async def me(source: Source, actor: Actor) -> Me:
    found = await queries.user_at_home(source, actor.user_id)
    assert found is not None, "an actor exists"
    return Me(
        user=UserView(id=found.user_id, name=found.user_name, email=found.email),
        organisation=OwnOrganisation(
            id=found.organisation_id,
            name=found.organisation_name,
            capabilities=sorted(found.capabilities),
            state=found.state,
        ),
        roles=sorted(actor.roles),
        scopes=[EVERY_SCOPE] if actor.scopes is None else sorted(actor.scopes),
        operator=actor.operator,
    )


async def list_sessions(session: AsyncSession, clock: Clock, actor: Actor) -> SessionPage:
    """The caller's own logins that still stand."""
    found = await queries.live_sessions(session, actor.user_id, SESSIONS_SHOWN_MAX)
    now = clock.now()
    return SessionPage(
        items=[
            SessionView(
                id=each.id,
                device=each.device,
                address=each.address,
                created_at=each.created_at,
                last_seen_at=each.last_seen_at,
                expires_at=rules.session_ends_at(each.last_seen_at, each.expires_at),
                current=each.id == actor.session_id,
            )
            for each in found
            if rules.session_ends_at(each.last_seen_at, each.expires_at) > now
        ]
    )


async def end_session(
    session: AsyncSession,
    clock: Clock,
    revocations: Revocations,
    actor: Actor,
    session_id: UUID | None,
) -> None:
    """End one of the caller's own sessions. Raises NotFound."""
    ended = await session.execute(
        update(Session)
        .where(Session.id == session_id, Session.user_id == actor.user_id)
        .where(Session.ended_at.is_(None))
        .values(ended_at=clock.now())
        .returning(Session.id)
    )
    if session_id is None or ended.first() is None:
        raise NotFound("session")
    revocations.announce(session, Revoked(session_id=session_id))
