"""API keys: made, listed, revoked. The secret is shown once and stored as a hash.

A key can make keys that reach no further and live no longer than itself; they end with it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries, rules
from marketplace.accounts.models import ApiKey
from marketplace.accounts.revocation import Revocations, Revoked
from marketplace.accounts.schemas import ApiKeyPage, ApiKeyView, IssuedApiKey, NewApiKey
from marketplace.accounts.service import audit
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from marketplace.kernel.ids import new_id, new_token, token_hash

_PREFIX_BYTES = rules.PREFIX_CHARS * 3 // 4


async def issue(session: AsyncSession, clock: Clock, actor: Actor, new: NewApiKey) -> IssuedApiKey:
    """A key that acts as its maker, narrowed to `scopes`; one made by a key expires with it at the
    latest. Raises Invalid, Conflict (too many).
    """
    now = clock.now()
    parent = await queries.api_key(session, actor.api_key_id) if actor.api_key_id else None
    expires_at = _expiry(new, parent)
    errors = rules.scope_errors(new.scopes, actor.scopes)
    errors += rules.text_errors("name", new.name, rules.NAME_CHARS_MAX)
    if new.expires_at is not None and new.expires_at.tzinfo is None:
        errors.append(FieldError("expires_at", "malformed", "A time carries its zone, such as Z."))
    elif new.expires_at is not None and new.expires_at <= now:
        errors.append(FieldError("expires_at", "in_the_past", "The key would be expired already."))
    elif parent is not None and _outlives(expires_at, parent):
        message = "It would outlive the key that makes it."
        errors.append(FieldError("expires_at", "outlives_its_maker", message))
    if errors:
        raise Invalid("invalid", "The key has wrong fields.", errors=errors)
    mine = await queries.live_api_keys(
        session, actor.organisation_id, actor.user_id, rules.API_KEYS_MAX
    )
    if len(mine) >= rules.API_KEYS_MAX:
        raise Conflict("too_many_api_keys", f"Revoke one first: you have {rules.API_KEYS_MAX}.")
    prefix, secret = new_token(_PREFIX_BYTES), new_token()
    key = ApiKey(
        id=new_id(),
        organisation_id=actor.organisation_id,
        user_id=actor.user_id,
        name=new.name.strip(),
        prefix=prefix,
        secret_hash=token_hash(secret),
        scopes=sorted(set(new.scopes)),
        lineage=[*parent.lineage, parent.id] if parent else [],
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    audit.record(
        session, now, "api_key_issued", actor.organisation_id, actor=actor, subject_id=key.id
    )
    return IssuedApiKey(
        id=key.id,
        prefix=prefix,
        key=f"{prefix}.{secret}",
        scopes=key.scopes,
        expires_at=expires_at,
    )


async def browse(session: AsyncSession, actor: Actor) -> ApiKeyPage:
    """The own keys; an admin sees the whole organisation's."""
    found = await queries.live_api_keys(
        session,
        actor.organisation_id,
        None if actor.has_role("admin") else actor.user_id,
        rules.API_KEYS_MAX * 10,
    )
    return ApiKeyPage(items=[_view(key) for key in found])


async def revoke(
    session: AsyncSession, clock: Clock, revocations: Revocations, actor: Actor, key_id: UUID
) -> None:
    """The own one; an admin any of the organisation. The keys made with it end too. Raises
    NotFound.
    """
    key = await queries.api_key(session, key_id)
    if key is None or key.organisation_id != actor.organisation_id or key.revoked_at is not None:
        raise NotFound("API key")
    if key.user_id != actor.user_id:
        actor.require_role("admin")
    line = or_(ApiKey.id == key.id, ApiKey.lineage.contains([key.id]))
    await _end(session, clock.now(), revocations, actor, line)


async def revoke_own(
    session: AsyncSession, now: datetime, revocations: Revocations, actor: Actor
) -> None:
    """All of the caller's own keys, such as after a changed password."""
    await _end(session, now, revocations, actor, ApiKey.user_id == actor.user_id)


async def _end(
    session: AsyncSession,
    now: datetime,
    revocations: Revocations,
    actor: Actor,
    condition: ColumnElement[bool],
) -> None:
    for key_id in await queries.revoke_keys(session, condition, now):
        audit.record(
            session, now, "api_key_revoked", actor.organisation_id, actor=actor, subject_id=key_id
        )
        revocations.announce(session, Revoked(api_key_id=key_id))


def _expiry(new: NewApiKey, parent: ApiKey | None) -> datetime | None:
    return parent.expires_at if new.expires_at is None and parent is not None else new.expires_at


def _outlives(expires_at: datetime | None, parent: ApiKey) -> bool:
    return parent.expires_at is not None and (expires_at is None or expires_at > parent.expires_at)


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        made_with=key.lineage[-1] if key.lineage else None,
    )
