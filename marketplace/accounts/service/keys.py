"""API keys: made, listed, revoked. The secret is shown once and stored as a hash."""

from __future__ import annotations

from uuid import UUID

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
    """A key that acts as its maker, narrowed to `scopes`. Raises Invalid, Conflict (too many)."""
    now = clock.now()
    errors = rules.scope_errors(new.scopes, actor.scopes)
    errors += rules.text_errors("name", new.name, rules.NAME_CHARS_MAX)
    if new.expires_at is not None and new.expires_at.tzinfo is None:
        errors.append(FieldError("expires_at", "malformed", "A time carries its zone, such as Z."))
    elif new.expires_at is not None and new.expires_at <= now:
        errors.append(FieldError("expires_at", "in_the_past", "The key would be expired already."))
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
        created_at=now,
        expires_at=new.expires_at,
    )
    session.add(key)
    audit.record(
        session, now, "api_key_issued", actor.organisation_id, actor=actor, subject_id=key.id
    )
    return IssuedApiKey(id=key.id, prefix=prefix, key=f"{prefix}.{secret}")


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
    """The own one; an admin any of the organisation. Raises NotFound."""
    key = await queries.api_key(session, key_id)
    if key is None or key.organisation_id != actor.organisation_id or key.revoked_at is not None:
        raise NotFound("API key")
    if key.user_id != actor.user_id:
        actor.require_role("admin")
    key.revoked_at = clock.now()
    audit.record(
        session,
        key.revoked_at,
        "api_key_revoked",
        actor.organisation_id,
        actor=actor,
        subject_id=key.id,
    )
    revocations.announce(session, Revoked(api_key_id=key.id))


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
