"""Tables of accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base


class Organisation(Base):
    """A legal entity. `tax_id_normal` is what makes it unique within its country."""

    __tablename__ = "organisations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text)
    tax_id: Mapped[str] = mapped_column(Text)
    tax_id_normal: Mapped[str] = mapped_column(Text)
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(Text)
    operator: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class User(Base):
    """A person in one organisation. `totp_sealed` counts only once it is confirmed. `invited_by` is
    None for who registered the organisation.
    """

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    email_normal: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class Membership(Base):
    """One role of a user in an organisation."""

    __tablename__ = "memberships"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at: Mapped[datetime]


class Assignment(Base):
    """Somebody of an organisation works on an order or a tender (`subject`)."""

    __tablename__ = "assignments"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    subject: Mapped[str] = mapped_column(Text)
    assigned_by: Mapped[UUID]
    assigned_at: Mapped[datetime]


class RoleGrant(Base):
    """From when to when a person held a role and who gave it; None for the registration."""

    __tablename__ = "role_grants"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(Text)
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    granted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Session(Base):
    """A browser's login; only the hash of its token is known here. `device` and `address` are where
    it was made, for its owner to recognise; at `verified_at` the password or a code was given last.
    """

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    verified_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")


class RecoveryCode(Base):
    """In place of a code of the authenticator, once; only its hash is known here."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PasswordReset(Base):
    """Somebody forgot the password of `email_normal`. The rest is empty until the mail is written;
    only the hash of its token is stored.
    """

    __tablename__ = "password_resets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_normal: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None]


class ApiKey(Base):
    """A program's login, `prefix.secret`; only the hash of the secret is known here. `lineage` are
    the keys it descends from, first to last, where a key made it: it works as long as all of them.
    """

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lineage: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ColleagueInvitation(Base):
    """A single-use link into an organisation."""

    __tablename__ = "colleague_invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    email: Mapped[str] = mapped_column(Text)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class AuditEntry(Base):
    """Who did what to an organisation, and why. Never changed, never deleted."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    actor_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    actor_organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.id"))
    what: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)


class Closure(Base):
    """`ancestor_id` stands `depth` levels above `descendant_id`; the parent at depth 1."""

    __tablename__ = "organisation_closure"

    ancestor_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    descendant_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    depth: Mapped[int]


class Entitlement(Base):
    """What an organisation may use; None: every module, any number of seats."""

    __tablename__ = "organisation_entitlements"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    modules: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    seats: Mapped[int | None]
    updated_at: Mapped[datetime]
