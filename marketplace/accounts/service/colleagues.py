"""Inviting colleagues by a single-use link, and who belongs to an organisation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries, rules
from marketplace.accounts.facts import ColleagueInvited
from marketplace.accounts.models import ApiKey, ColleagueInvitation, Session, User
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations, Revoked
from marketplace.accounts.schemas import (
    Acceptance,
    InvitationFace,
    InvitationPage,
    InvitationView,
    IssuedInvitation,
    MemberPage,
    MemberView,
    NewColleague,
    NewUser,
    UserView,
)
from marketplace.accounts.service import audit, entitlements, organisations
from marketplace.accounts.service.roles import give, resume, suspend, take
from marketplace.kernel.actor import EVERY_SCOPE, Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_id, new_token, token_hash

SHOWN_MAX = 500
OPEN_INVITATIONS_MAX = 200


async def invite(
    session: AsyncSession, clock: Clock, facts: Facts, actor: Actor, new: NewColleague
) -> tuple[IssuedInvitation, str]:
    """A link into the caller's own organisation, with roles the caller may give. It goes out by
    mail; the path beside the answer is for the page of the person who invites, never for a program.

    Raises Forbidden (`scope_missing`), Invalid, Conflict (`too_many_invitations`, `no_seat`).
    """
    _require_full_reach(actor)
    grantable = rules.grantable_roles(actor.roles, actor.capabilities)
    errors = rules.email_errors("email", new.email) + rules.role_errors(new.roles, grantable)
    if errors:
        raise Invalid("invalid", "The invitation has wrong fields.", errors=errors)
    now = clock.now()
    pending = await queries.invitations(session, actor.organisation_id, SHOWN_MAX)
    if sum(_is_open(each, now) for each in pending) >= OPEN_INVITATIONS_MAX:
        raise Conflict("too_many_invitations", f"{OPEN_INVITATIONS_MAX} invitations are open.")
    await entitlements.take_seat(session, actor.organisation_id, now)
    token = new_token()
    invitation = ColleagueInvitation(
        id=new_id(),
        organisation_id=actor.organisation_id,
        token_hash=token_hash(token),
        email=new.email.strip(),
        roles=sorted(set(new.roles)),
        invited_by=actor.user_id,
        created_at=now,
        expires_at=now + rules.INVITATION_LIFE,
    )
    session.add(invitation)
    audit.record(
        session,
        now,
        "colleague_invited",
        actor.organisation_id,
        actor=actor,
        subject_id=invitation.id,
    )
    path = f"/invitations/{token}"
    await facts.publish(session, await _invited(session, actor, invitation, path))
    issued = IssuedInvitation(
        id=invitation.id,
        email=invitation.email,
        roles=invitation.roles,
        expires_at=invitation.expires_at,
    )
    return issued, path


async def preview(session: AsyncSession, clock: Clock, token: str) -> InvitationFace:
    """What the link stands for, while it can be used. Raises NotFound, Gone as `accept` does."""
    await set_scope(session, SYSTEM)
    found = await queries.invitation_by_hash(session, token_hash(token))
    invitation = _checked(found, clock.now())
    roles = await _still_grantable(session, invitation)
    home = await queries.user_at_home(session, invitation.invited_by)
    assert home is not None, "an inviter is never deleted"
    return InvitationFace(
        organisation_name=home.organisation_name,
        inviter_name=home.user_name,
        email=invitation.email,
        roles=sorted(roles),
        expires_at=invitation.expires_at,
    )


async def accept(
    session: AsyncSession, clock: Clock, passwords: Passwords, token: str, new: Acceptance
) -> UserView:
    """The link's one use: a user with the roles it carries, as far as the inviter may still give
    them. Raises NotFound, Gone (`invitation_used`, `invitation_expired`), Invalid, Conflict.
    """
    await set_scope(session, SYSTEM)
    found = await queries.invitation_by_hash(session, token_hash(token))
    email = _checked(found, clock.now()).email
    # No row stays locked while the password is hashed; the link is asked for again afterwards.
    await session.rollback()
    errors = rules.person_errors("", new.name, email)
    errors += await passwords.errors("password", new.password, email, new.name)
    if errors:
        raise Invalid("invalid", "The colleague has wrong fields.", errors=errors)
    password_hash = await passwords.hash(new.password)
    await set_scope(session, SYSTEM)
    now = clock.now()
    found = await queries.invitation_by_hash(session, token_hash(token), lock=True)
    # It holds a seat from when it was sent, so accepting it needs no further one.
    invitation = _checked(found, now)
    user = NewUser(name=new.name, email=email, password=new.password)
    view = await organisations.add_user(
        session,
        now,
        invitation.organisation_id,
        user,
        password_hash,
        await _still_grantable(session, invitation),
        invited_by=invitation.invited_by,
    )
    invitation.accepted_at, invitation.accepted_by = now, view.id
    audit.record(
        session, now, "invitation_accepted", invitation.organisation_id, subject_id=view.id
    )
    return view


async def browse(session: AsyncSession, actor: Actor) -> InvitationPage:
    """The organisation's invitations, newest first."""
    found = await queries.invitations(session, actor.organisation_id, SHOWN_MAX)
    return InvitationPage(
        items=[
            InvitationView(
                id=each.id,
                email=each.email,
                roles=each.roles,
                created_at=each.created_at,
                expires_at=each.expires_at,
                accepted_at=each.accepted_at,
            )
            for each in found
        ]
    )


async def withdraw(session: AsyncSession, actor: Actor, invitation_id: UUID) -> None:
    """Take an open invitation back. Raises NotFound."""
    gone = await session.execute(
        delete(ColleagueInvitation)
        .where(ColleagueInvitation.id == invitation_id)
        .where(ColleagueInvitation.organisation_id == actor.organisation_id)
        .where(ColleagueInvitation.accepted_at.is_(None))
        .returning(ColleagueInvitation.id)
    )
    if gone.first() is None:
        raise NotFound("invitation")


async def members(session: AsyncSession, actor: Actor) -> MemberPage:
    """Everybody in the caller's organisation with their roles, by name."""
    rows = await queries.members(session, actor.organisation_id, SHOWN_MAX)
    return MemberPage(
        items=[
            MemberView(
                id=user.id,
                name=user.name,
                email=user.email,
                roles=roles,
                disabled=user.disabled_at is not None,
                disabled_at=user.disabled_at,
            )
            for user, roles in rows
        ]
    )


async def change_roles(
    session: AsyncSession, clock: Clock, actor: Actor, user_id: UUID, roles: list[str]
) -> MemberView:
    """Replace a colleague's roles; both the old and the new ones must be the caller's to give.
    Nobody gives a role to itself.

    Raises Forbidden (`scope_missing`, `own_roles`), NotFound, Invalid, Conflict (`last_admin`).
    """
    _require_full_reach(actor)
    user = await _colleague(session, actor, user_id)
    before = await queries.roles(session, user_id, actor.organisation_id)
    grantable = rules.grantable_roles(actor.roles, actor.capabilities)
    errors = rules.role_errors(roles, grantable)
    if errors or not grantable.issuperset(before):
        errors = errors or rules.role_errors(before, grantable)
        raise Invalid("invalid", "These roles are not yours to give or take.", errors=errors)
    if user_id == actor.user_id and not set(before).issuperset(roles):
        raise Forbidden("own_roles", "Another administrator must give you a role.")
    if "admin" in before and "admin" not in roles:
        await _not_the_last_admin(session, actor, user_id)
    now = clock.now()
    # What stays was given by somebody else before, so it is left as it is.
    gone, added = set(before) - set(roles), set(roles) - set(before)
    await take(session, now, user_id, actor.organisation_id, gone)
    await give(session, now, user_id, actor.organisation_id, added, actor.user_id)
    audit.record(
        session,
        now,
        "roles_changed",
        actor.organisation_id,
        actor=actor,
        subject_id=user_id,
        reason=", ".join(sorted(set(roles))),
    )
    return MemberView(
        id=user.id,
        name=user.name,
        email=user.email,
        roles=sorted(set(roles)),
        disabled=user.disabled_at is not None,
    )


async def disable(
    session: AsyncSession, clock: Clock, revocations: Revocations, actor: Actor, user_id: UUID
) -> None:
    """A colleague leaves: logins and keys end at once. Raises NotFound, Conflict (`last_admin`)."""
    user = await _colleague(session, actor, user_id)
    roles = await queries.roles(session, user_id, actor.organisation_id)
    if "admin" in roles:
        await _not_the_last_admin(session, actor, user_id)
    user.disabled_at = now = clock.now()
    await session.execute(
        update(Session)
        .where(Session.user_id == user_id, Session.ended_at.is_(None))
        .values(ended_at=now)
    )
    await queries.revoke_keys(session, ApiKey.user_id == user_id, now)
    await suspend(session, now, user_id)
    audit.record(
        session, now, "user_disabled", actor.organisation_id, actor=actor, subject_id=user_id
    )
    revocations.announce(session, Revoked(user_id=user_id))


async def enable(session: AsyncSession, clock: Clock, actor: Actor, user_id: UUID) -> None:
    """A colleague who was removed comes back, with the password, the second factor and the roles of
    before; ended logins and revoked keys stay so. Raises NotFound, Conflict (`not_removed`,
    `no_seat`).
    """
    user = await queries.user_for_update(session, user_id)
    if user is None or user.organisation_id != actor.organisation_id:
        raise NotFound("colleague")
    if user.disabled_at is None:
        raise Conflict("not_removed", "This colleague is not removed.")
    now = clock.now()
    await entitlements.take_seat(session, actor.organisation_id, now)
    user.disabled_at = None
    await resume(session, now, user_id, actor.organisation_id, actor.user_id)
    audit.record(
        session, now, "user_enabled", actor.organisation_id, actor=actor, subject_id=user_id
    )


def _require_full_reach(actor: Actor) -> None:
    """Roles are powers of whole logins, so a key that may do only some things gives none. Raises
    Forbidden.
    """
    actor.require_scope(EVERY_SCOPE)


async def _invited(
    session: AsyncSession, actor: Actor, invitation: ColleagueInvitation, path: str
) -> ColleagueInvited:
    home = await queries.user_at_home(session, actor.user_id)
    assert home is not None, "an actor exists"
    return ColleagueInvited(
        invitation_id=invitation.id,
        organisation_id=home.organisation_id,
        organisation_name=home.organisation_name,
        inviter_id=home.user_id,
        inviter_name=home.user_name,
        email=invitation.email,
        path=path,
        at=invitation.created_at,
    )


async def _colleague(session: AsyncSession, actor: Actor, user_id: UUID) -> User:
    user = await queries.user_for_update(session, user_id)
    if user is None or user.organisation_id != actor.organisation_id or user.disabled_at:
        raise NotFound("colleague")
    return user


async def _not_the_last_admin(session: AsyncSession, actor: Actor, user_id: UUID) -> None:
    admins = await queries.admins_for_update(session, actor.organisation_id)
    if set(admins) <= {user_id}:
        raise Conflict("last_admin", "An organisation keeps at least one administrator.")


async def _still_grantable(
    session: AsyncSession, invitation: ColleagueInvitation
) -> frozenset[str]:
    """The invited roles; Gone when the inviter has left or could no longer give them."""
    inviter = await queries.user_login(session, invitation.invited_by)
    assert inviter is not None, "an inviter is never deleted"
    grantable = rules.grantable_roles(inviter.roles, inviter.capabilities)
    if inviter.disabled_at is not None or not grantable.issuperset(invitation.roles):
        raise Gone("invitation_void", "Whoever invited you may not do so any more.")
    return frozenset(invitation.roles)


def _checked(invitation: ColleagueInvitation | None, now: datetime) -> ColleagueInvitation:
    if invitation is None:
        raise NotFound("invitation")
    if invitation.accepted_at is not None:
        raise Gone("invitation_used", "This invitation was used already.")
    if invitation.expires_at <= now:
        raise Gone("invitation_expired", "This invitation has expired; ask for another one.")
    return invitation


def _is_open(invitation: ColleagueInvitation, now: datetime) -> bool:
    return invitation.accepted_at is None and invitation.expires_at > now
