"""Every SELECT of accounts, and the two writes a login leaves behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import (
    ApiKey,
    AuditEntry,
    ColleagueInvitation,
    Membership,
    Organisation,
    PasswordReset,
    RecoveryCode,
    RoleGrant,
    Session,
    User,
)
from marketplace.kernel.pages import Page, Sorting
from marketplace.kernel.statements import Row, Source, Statement


class LoginRow(msgspec.Struct, frozen=True, kw_only=True):
    """A login with the powers its user has at this moment. `scopes` is None for a session."""

    login_id: UUID
    user_id: UUID
    organisation_id: UUID
    roles: list[str]
    capabilities: list[str]
    state: str
    operator: bool
    disabled_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    scopes: list[str] | None
    secret_hash: bytes
    modules: list[str] | None = None
    verified_at: datetime | None = None


class PublicOrganisation(msgspec.Struct, frozen=True, kw_only=True):
    """What every organisation may know of every other."""

    id: UUID
    name: str
    country: str
    capabilities: list[str]
    state: str


class AtHome(msgspec.Struct, frozen=True, kw_only=True):
    """A user with its organisation."""

    user_id: UUID
    user_name: str
    email: str
    organisation_id: UUID
    organisation_name: str
    capabilities: list[str]
    state: str


class RoleHolder(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a person holds a role without a break (None: no more), and its sponsors: who
    invited it, and who gave it the role.
    """

    held_since: datetime | None
    sponsors: frozenset[UUID]


_POWERS = """u.id AS user_id, o.id AS organisation_id, o.capabilities, o.state, o.operator,
    u.disabled_at, ARRAY(SELECT m.role FROM memberships m
        WHERE m.user_id = u.id AND m.organisation_id = o.id) AS roles,
    (SELECT e.modules FROM organisation_entitlements e WHERE e.organisation_id = o.id) AS modules"""
_SESSION = f"""SELECT {_POWERS}, s.id AS login_id, s.ended_at, s.expires_at,
        s.last_seen_at AS last_used_at, s.verified_at, NULL::text[] AS scopes,
        s.token_hash AS secret_hash
    FROM sessions s JOIN users u ON u.id = s.user_id
        JOIN organisations o ON o.id = s.organisation_id
    WHERE """  # noqa: S608  # constants only
# A key made with another one ends with it, whenever and however that one ends.
_KEY = f"""SELECT {_POWERS}, k.id AS login_id, line.ended_at, line.expires_at,
        k.last_used_at, k.scopes, k.secret_hash
    FROM api_keys k JOIN users u ON u.id = k.user_id
        JOIN organisations o ON o.id = k.organisation_id
        CROSS JOIN LATERAL (SELECT min(l.revoked_at) AS ended_at, min(l.expires_at) AS expires_at
            FROM api_keys l WHERE l.id = ANY (k.lineage || k.id)) line
    WHERE """  # noqa: S608  # constants only
_USER = f"""SELECT {_POWERS}, u.id AS login_id, NULL::timestamptz AS ended_at,
        NULL::timestamptz AS expires_at, NULL::timestamptz AS last_used_at,
        NULL::text[] AS scopes, ''::bytea AS secret_hash
    FROM users u JOIN organisations o ON o.id = u.organisation_id
    WHERE u.id = :key"""  # noqa: S608  # constants only
_SESSION_BY_HASH = Statement(_SESSION + "s.token_hash = :key")
_SESSION_BY_ID = Statement(_SESSION + "s.id = :key")
_KEY_BY_PREFIX, _KEY_BY_ID = Statement(_KEY + "k.prefix = :key"), Statement(_KEY + "k.id = :key")
_USER_BY_ID = Statement(_USER)
_AT_HOME = Statement(
    """SELECT u.id AS user_id, u.name AS user_name, u.email, o.id AS organisation_id,
        o.name AS organisation_name, o.capabilities, o.state
    FROM users u JOIN organisations o ON o.id = u.organisation_id WHERE u.id = :key"""
)
_DIRECTORY = Statement(
    "SELECT id, name, country, capabilities, state FROM organisation_directory(:ids) ORDER BY name"
)


async def session_login_by_hash(source: Source, token_hash: bytes) -> LoginRow | None:
    return _login(await _SESSION_BY_HASH.row(source, key=token_hash))


async def session_login_by_id(source: Source, session_id: UUID) -> LoginRow | None:
    return _login(await _SESSION_BY_ID.row(source, key=session_id))


async def key_login_by_prefix(source: Source, prefix: str) -> LoginRow | None:
    return _login(await _KEY_BY_PREFIX.row(source, key=prefix))


async def key_login_by_id(source: Source, key_id: UUID) -> LoginRow | None:
    return _login(await _KEY_BY_ID.row(source, key=key_id))


async def user_login(source: Source, user_id: UUID) -> LoginRow | None:
    return _login(await _USER_BY_ID.row(source, key=user_id))


async def touch_session(session: AsyncSession, session_id: UUID, now: datetime) -> None:
    await session.execute(update(Session).where(Session.id == session_id).values(last_seen_at=now))


async def touch_key(session: AsyncSession, key_id: UUID, now: datetime) -> None:
    await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now))


async def public_organisations(
    source: Source, ids: Iterable[UUID]
) -> dict[UUID, PublicOrganisation]:
    """Names of any organisations by id, in any scope; unknown ids are missing from the answer."""
    rows = await _DIRECTORY.rows(source, ids=list(ids))
    return {row["id"]: PublicOrganisation(**row) for row in rows}


async def organisation(
    session: AsyncSession, organisation_id: UUID, *, lock: bool = False
) -> Organisation | None:
    return await session.get(
        Organisation, organisation_id, with_for_update=lock, populate_existing=lock
    )


async def operator_exists(session: AsyncSession) -> bool:
    query = select(Organisation.id).where(Organisation.operator.is_(True)).limit(1)
    return (await session.scalars(query)).first() is not None


ORGANISATIONS = Sorting(
    Organisation.id,
    created_at=Organisation.id,
    name=Organisation.name,
    country=Organisation.country,
    state=Organisation.state,
)
AUDIT = Sorting(AuditEntry.id, default="-at", at=AuditEntry.id, what=AuditEntry.what)


async def organisations(
    session: AsyncSession, *, state: str | None, page: Page
) -> Sequence[Organisation]:
    """One more than the page holds when there are more."""
    query = page.of(select(Organisation))
    if state is not None:
        query = query.where(Organisation.state == state)
    return (await session.scalars(query)).all()


async def user(session: AsyncSession, user_id: UUID) -> User | None:
    return await session.get(User, user_id)


async def user_at_home(source: Source, user_id: UUID) -> AtHome | None:
    """A user with its organisation, in one question: every page asks it."""
    row = await _AT_HOME.row(source, key=user_id)
    return None if row is None else AtHome(**row)


async def user_for_update(session: AsyncSession, user_id: UUID) -> User | None:
    query = select(User).where(User.id == user_id).with_for_update()
    return (await session.scalars(query.execution_options(populate_existing=True))).first()


async def user_by_email(session: AsyncSession, email_normal: str) -> User | None:
    return (await session.scalars(select(User).where(User.email_normal == email_normal))).first()


async def roles(session: AsyncSession, user_id: UUID, organisation_id: UUID) -> list[str]:
    query = select(Membership.role).where(
        tuple_(Membership.user_id, Membership.organisation_id) == (user_id, organisation_id)
    )
    return list((await session.scalars(query.order_by(Membership.role))).all())


async def sponsors(session: AsyncSession, user_id: UUID, roles: Iterable[str]) -> frozenset[UUID]:
    """Who invited this person, and who gave it one of `roles` that it holds."""
    granted = select(RoleGrant.granted_by).where(
        RoleGrant.user_id == user_id, RoleGrant.role.in_(list(roles)), RoleGrant.ended_at.is_(None)
    )
    invited = select(User.invited_by).where(User.id == user_id)
    found = await session.scalars(invited.union(granted))
    return frozenset(sponsor for sponsor in found.all() if sponsor is not None)


async def role_holders(
    session: AsyncSession, organisation_id: UUID, roles: Iterable[str], after: datetime
) -> dict[UUID, RoleHolder]:
    """Who in the organisation holds one of `roles`, or has held one after that moment."""
    query = (
        select(
            User.id,
            User.invited_by,
            func.array_agg(RoleGrant.granted_by),
            func.min(RoleGrant.granted_at).filter(RoleGrant.ended_at.is_(None)),
        )
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(User.organisation_id == organisation_id, RoleGrant.role.in_(list(roles)))
        .where(or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > after))
        .group_by(User.id)
    )
    return {
        user_id: RoleHolder(
            held_since=since, sponsors=frozenset(each for each in [invited_by, *granted] if each)
        )
        for user_id, invited_by, granted, since in await session.execute(query)
    }


async def live_sessions(session: AsyncSession, user_id: UUID, limit: int) -> Sequence[Session]:
    query = select(Session).where(Session.user_id == user_id, Session.ended_at.is_(None))
    return (await session.scalars(query.order_by(Session.id.desc()).limit(limit))).all()


async def recovery_codes_left(session: AsyncSession, user_id: UUID) -> int:
    query = select(func.count()).select_from(RecoveryCode)
    query = query.where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return (await session.scalars(query)).one()


async def live_api_keys(
    session: AsyncSession, organisation_id: UUID, user_id: UUID | None, limit: int
) -> Sequence[ApiKey]:
    """The organisation's keys that were not revoked, or only those one user made."""
    query = select(ApiKey).where(
        ApiKey.organisation_id == organisation_id, ApiKey.revoked_at.is_(None)
    )
    if user_id is not None:
        query = query.where(ApiKey.user_id == user_id)
    return (await session.scalars(query.order_by(ApiKey.id.desc()).limit(limit))).all()


async def api_key(session: AsyncSession, key_id: UUID) -> ApiKey | None:
    return await session.get(ApiKey, key_id)


async def revoke_keys(
    session: AsyncSession, condition: ColumnElement[bool], now: datetime
) -> list[UUID]:
    """End the live keys of this condition; their ids."""
    ended = await session.scalars(
        update(ApiKey)
        .where(condition, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.id)
    )
    return list(ended.all())


async def unsent_resets(session: AsyncSession, limit: int) -> Sequence[PasswordReset]:
    """Locked; those that another worker is at are left out."""
    query = select(PasswordReset).where(PasswordReset.token_hash.is_(None))
    query = query.order_by(PasswordReset.asked_at).limit(limit)
    return (await session.scalars(query.with_for_update(skip_locked=True))).all()


async def reset_by_hash(
    session: AsyncSession, token_hash: bytes, *, lock: bool = False
) -> PasswordReset | None:
    query = select(PasswordReset).where(PasswordReset.token_hash == token_hash)
    return (await session.scalars(query.with_for_update() if lock else query)).first()


async def invitation_by_hash(
    session: AsyncSession, token_hash: bytes, *, lock: bool = False
) -> ColleagueInvitation | None:
    query = select(ColleagueInvitation).where(ColleagueInvitation.token_hash == token_hash)
    return (await session.scalars(query.with_for_update() if lock else query)).first()


async def invitations(
    session: AsyncSession, organisation_id: UUID, limit: int
) -> Sequence[ColleagueInvitation]:
    query = select(ColleagueInvitation).where(
        ColleagueInvitation.organisation_id == organisation_id
    )
    return (await session.scalars(query.order_by(ColleagueInvitation.id.desc()).limit(limit))).all()


async def members(
    session: AsyncSession, organisation_id: UUID, limit: int
) -> list[tuple[User, list[str]]]:
    """Users with their roles, by name."""
    of_one = (
        select(func.array_agg(aggregate_order_by(Membership.role, Membership.role)))
        .where(Membership.user_id == User.id, Membership.organisation_id == organisation_id)
        .scalar_subquery()
    )
    query = select(User, of_one).where(User.organisation_id == organisation_id)
    rows = await session.execute(query.order_by(User.name, User.id).limit(limit))
    return [(user, list(roles or [])) for user, roles in rows]


async def members_of(
    session: AsyncSession, organisation_ids: Collection[UUID], limit: int
) -> dict[UUID, list[tuple[User, list[str]]]]:
    """As `members`, of several organisations: at most `limit` of each."""
    held = (
        select(func.array_agg(aggregate_order_by(Membership.role, Membership.role)))
        .where(Membership.user_id == User.id, Membership.organisation_id == User.organisation_id)
        .scalar_subquery()
    )
    query = select(User, held).where(User.organisation_id.in_(organisation_ids))
    found: dict[UUID, list[tuple[User, list[str]]]] = {}
    for user, roles in await session.execute(query.order_by(User.name, User.id)):
        people = found.setdefault(user.organisation_id, [])
        if len(people) < limit:
            people.append((user, list(roles or [])))
    return found


async def admins_for_update(session: AsyncSession, organisation_id: UUID) -> list[UUID]:
    """Locked, so that two admins cannot take each other's role away at the same moment."""
    query = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organisation_id == organisation_id, Membership.role == "admin")
        .where(User.disabled_at.is_(None))
        .order_by(Membership.user_id)
        .with_for_update(of=Membership)
    )
    return list((await session.scalars(query)).all())


async def audit_entries(
    session: AsyncSession, *, organisation_id: UUID | None, page: Page
) -> Sequence[AuditEntry]:
    """Of one organisation, or of all that the scope may see."""
    query = page.of(select(AuditEntry))
    if organisation_id is not None:
        query = query.where(AuditEntry.organisation_id == organisation_id)
    return (await session.scalars(query)).all()


def _login(row: Row | None) -> LoginRow | None:
    return None if row is None else LoginRow(**row)
