"""Who is calling: from the headers of a request or of a WebSocket handshake to an Actor."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import TypeVar
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.accounts.rules import SEEN_GRAIN, VERIFIED_LIFE, session_ends_at
from marketplace.kernel.actor import SHUT_OUT, Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Forbidden, Unavailable
from marketplace.kernel.ids import OrganisationId, UserId, token_hash
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.outages import is_outage
from marketplace.kernel.sealing import derived_key, secrets_of
from marketplace.kernel.settings import Settings
from marketplace.kernel.statements import Source

SESSION_COOKIE = "session"
CSRF_COOKIE = "csrf_token"
DEVICE_COOKIE = "device"
BEARER_CACHE_S = 1.0
BEARER_CACHE_MAX = 4_096
TOKEN_CHARS_MAX = 128
ANSWER_TIMEOUT_S = 5

RawHeaders = Iterable[tuple[bytes, bytes]]
_Key = TypeVar("_Key", str, bytes, UUID)

_log = structlog.get_logger(__name__)


class Credentials(msgspec.Struct, frozen=True):
    """What a caller presents; a bearer header wins over cookies."""

    bearer: str | None
    session_token: str | None
    csrf_header: str | None
    origin: str | None
    host: str | None


def read_credentials(headers: RawHeaders) -> Credentials:
    """From raw ASGI headers, of HTTP and WebSocket scopes alike."""
    found: dict[bytes, str] = {
        name.lower(): value.decode("latin-1")
        for name, value in headers
        if name.lower() in {b"authorization", b"cookie", b"x-csrf-token", b"origin", b"host"}
    }
    kind, _, bearer = found.get(b"authorization", "").partition(" ")
    return Credentials(
        bearer=bearer.strip() if kind.lower() == "bearer" else None,
        session_token=_cookies(found.get(b"cookie", "")).get(SESSION_COOKIE),
        csrf_header=found.get(b"x-csrf-token"),
        origin=found.get(b"origin"),
        host=found.get(b"host"),
    )


class Gate:
    """One per process. Sessions are looked up in PostgreSQL each time; an API key's answer is kept
    for BEARER_CACHE_S, which is how late a revoked key is noticed on another node at most.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._csrf_keys = [derived_key(each, "csrf") for each in secrets_of(settings.secret)]
        self._bearers: dict[bytes, tuple[float, Actor]] = {}

    async def authenticate(self, headers: RawHeaders) -> Actor | None:
        """None for nobody: no credentials, wrong, expired or revoked ones. A suspended
        organisation's people are still recognised; what they may do is for the caller to say
        (`actor.state`).
        """
        shown = read_credentials(headers)
        if shown.bearer is not None:
            return await self._by_key(shown.bearer)
        if shown.session_token is not None:
            return await self._by_session(shown.session_token)
        return None

    async def still_valid(self, actor: Actor) -> bool:
        """Whether the login behind `actor` stands and its organisation is not suspended; asks
        PostgreSQL.
        """
        if actor.session_id is not None:
            now = self._session_actor(
                await self._login(queries.session_login_by_id, actor.session_id)
            )
        elif actor.api_key_id is not None:
            now = self._key_actor(await self._login(queries.key_login_by_id, actor.api_key_id))
        else:
            return False
        return now is not None and now.state not in SHUT_OUT

    def csrf_token(self, session_token: str) -> str:
        """Bound to the session, so there is nothing to store and a planted cookie is worthless."""
        return _csrf_token(self._csrf_keys[0], session_token)

    def check_browser_write(self, headers: RawHeaders, scheme: str) -> None:
        """For an unsafe call by session cookie: same-origin `Origin` and the token. Raises
        Forbidden.
        """
        shown = read_credentials(headers)
        if shown.bearer is not None or shown.session_token is None:
            return
        if shown.origin is None or not self._is_own(shown.origin, scheme, shown.host):
            raise Forbidden("origin_missing_or_foreign", "A write by cookie needs the own Origin.")
        given = (shown.csrf_header or "").encode()
        expected = [_csrf_token(key, shown.session_token) for key in self._csrf_keys]
        if not any(hmac.compare_digest(given, each.encode()) for each in expected):
            raise Forbidden(
                "csrf_token_wrong", f"Send X-CSRF-Token with the value of the cookie {CSRF_COOKIE}."
            )

    def same_origin(self, headers: RawHeaders, scheme: str) -> bool:
        """Whether `Origin` is ours, or absent (no browser). `scheme` is that of the scope."""
        shown = read_credentials(headers)
        return shown.origin is None or self._is_own(shown.origin, scheme, shown.host)

    def forget(self) -> None:
        """Drop what is remembered of API keys; called when a login ends."""
        self._bearers.clear()

    def _is_own(self, origin: str, scheme: str, host: str | None) -> bool:
        # No page can forge Host, so equality with it proves the same site even when the public
        # address is not configured (a laptop, a test). Behind a proxy that rewrites Host it is.
        secure = scheme in {"https", "wss"}
        return origin in {self._settings.origin, f"{'https' if secure else 'http'}://{host}"}

    async def _by_key(self, bearer: str) -> Actor | None:
        prefix, dot, secret = bearer.partition(".")
        if not dot or len(bearer) > TOKEN_CHARS_MAX:
            return None
        remembered = token_hash(bearer)
        if (known := self._bearers.get(remembered)) and known[0] > self._clock.monotonic():
            return known[1]
        row = await self._login(queries.key_login_by_prefix, prefix)
        actor = self._key_actor(row)
        if row is None or actor is None:
            return None
        if not hmac.compare_digest(row.secret_hash, token_hash(secret)):
            return None
        if self._is_due(row.last_used_at):
            async with self._database.transaction(SYSTEM) as session:
                await queries.touch_key(session, row.login_id, self._clock.now())
        self._remember(remembered, actor)
        return actor

    async def _by_session(self, token: str) -> Actor | None:
        if len(token) > TOKEN_CHARS_MAX:
            return None
        row = await self._login(queries.session_login_by_hash, token_hash(token))
        actor = self._session_actor(row)
        if row is not None and actor is not None and self._is_due(row.last_used_at):
            async with self._database.transaction(SYSTEM) as session:
                await queries.touch_session(session, row.login_id, self._clock.now())
        return actor

    async def _login(
        self, find: Callable[[Source, _Key], Awaitable[queries.LoginRow | None]], key: _Key
    ) -> queries.LoginRow | None:
        """In one round trip: each request begins with it. Raises Unavailable, which whoever asks by
        HTTP or by WebSocket knows how to tell.
        """
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await find(await self._database.pool(steady=True), key)
        except Exception as error:
            if not is_outage(error):
                raise
            OUTAGES.failed(error, where="looking at a login")
            raise Unavailable from error

    def _key_actor(self, row: queries.LoginRow | None) -> Actor | None:
        if row is None or row.ended_at is not None or row.disabled_at is not None:
            return None
        if row.expires_at is not None and row.expires_at <= self._clock.now():
            return None
        return _actor(row, api_key_id=row.login_id)

    def _session_actor(self, row: queries.LoginRow | None) -> Actor | None:
        if row is None or row.ended_at is not None or row.disabled_at is not None:
            return None
        assert row.expires_at is not None, "a session always expires"
        assert row.last_used_at is not None, "a session is used when it is made"
        assert row.verified_at is not None, "a session begins with a password"
        now = self._clock.now()
        if session_ends_at(row.last_used_at, row.expires_at) <= now:
            return None
        verified = now - row.verified_at < VERIFIED_LIFE
        return _actor(row, session_id=row.login_id, verified=verified)

    def _is_due(self, seen_at: datetime | None) -> bool:
        return seen_at is None or self._clock.now() - seen_at >= SEEN_GRAIN

    def _remember(self, bearer_hash: bytes, actor: Actor) -> None:
        while len(self._bearers) >= BEARER_CACHE_MAX:
            del self._bearers[next(iter(self._bearers))]
        self._bearers.pop(bearer_hash, None)
        self._bearers[bearer_hash] = (self._clock.monotonic() + BEARER_CACHE_S, actor)


def _csrf_token(key: bytes, session_token: str) -> str:
    return hmac.new(key, session_token.encode(), sha256).hexdigest()


async def current_actor(session: AsyncSession, user_id: UserId) -> Actor | None:
    """A user's powers of this moment without any login behind them; for jobs that act for people.
    The session must be in the system scope.
    """
    row = await queries.user_login(session, user_id)
    return None if row is None or row.disabled_at is not None else _actor(row)


def _actor(
    row: queries.LoginRow,
    *,
    session_id: UUID | None = None,
    api_key_id: UUID | None = None,
    verified: bool = False,
) -> Actor:
    return Actor(
        user_id=UserId(row.user_id),
        organisation_id=OrganisationId(row.organisation_id),
        roles=frozenset(row.roles),
        capabilities=frozenset(row.capabilities),
        state=row.state,
        operator=row.operator,
        scopes=None if row.scopes is None else frozenset(row.scopes),
        modules=None if row.modules is None else frozenset(row.modules),
        session_id=session_id,
        api_key_id=api_key_id,
        verified=verified,
    )


def _cookies(header: str) -> Mapping[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}
