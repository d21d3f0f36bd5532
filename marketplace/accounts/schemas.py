"""What travels over the wire for accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType


class NewOrganisation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    country: str
    tax_id: str
    capabilities: list[str]


class NewUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    email: str
    password: str


class NewRegistration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organisation: NewOrganisation
    user: NewUser


class OrganisationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays."""

    name: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    tax_id: str | UnsetType = UNSET
    capabilities: list[str] | UnsetType = UNSET


class OrganisationView(Struct, frozen=True, kw_only=True):
    """An organisation as its own people and the operator see it."""

    id: UUID
    name: str
    country: str
    tax_id: str
    capabilities: list[str]
    state: str
    created_at: datetime


class OrganisationPage(Struct, frozen=True, kw_only=True):
    items: list[OrganisationView]
    next_cursor: str | None = None


class UserView(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    email: str


class Registered(Struct, frozen=True, kw_only=True):
    organisation: OrganisationView
    user: UserView


class Login(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`totp` is a code of the authenticator, or a recovery code."""

    email: str
    password: str
    totp: str | None = None


class OwnOrganisation(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    capabilities: list[str]
    state: str


class Entitlements(Struct, frozen=True, kw_only=True):
    """What an organisation may use."""

    modules: Annotated[
        list[str] | None, Meta(description="Null: all of them.", examples=[["orders", "prices"]])
    ]
    seats: Annotated[int | None, Meta(description="How many people it may have; null: any number.")]
    seats_used: Annotated[int, Meta(description="Members and open invitations.", examples=[3])]


class NewEntitlements(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both are replaced."""

    modules: (
        Annotated[
            list[str],
            Meta(
                max_length=20,
                description="What is on; null: everything. Accounts are always on.",
                examples=[["orders", "prices"]],
            ),
        ]
        | None
    )
    seats: (
        Annotated[
            int,
            Meta(ge=0, le=100_000, description="Null: any number of people.", examples=[5]),
        ]
        | None
    )


class NewParent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    parent_id: Annotated[
        UUID | None, Meta(description="Who stands right above it; null makes it a root.")
    ]


class PathNode(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str


class ParentView(Struct, frozen=True, kw_only=True):
    """Where an organisation stands."""

    parent_id: UUID | None
    path: Annotated[list[PathNode], Meta(description="From the root down to itself.")]


class Me(Struct, frozen=True, kw_only=True):
    """Who the caller is. `scopes` is `["*"]` in a browser session."""

    user: UserView
    organisation: OwnOrganisation
    roles: list[str]
    scopes: list[str]
    operator: bool = False
    entitlements: Entitlements | None = None


class SessionView(Struct, frozen=True, kw_only=True):
    """`device` is the browser and its system, empty where it did not tell; `address` the network
    address of the login.
    """

    id: UUID
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


class SessionPage(Struct, frozen=True, kw_only=True):
    items: list[SessionView]
    next_cursor: str | None = None


class NewApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    scopes: list[str]
    expires_at: datetime | None = None


class IssuedApiKey(Struct, frozen=True, kw_only=True):
    """The only answer that ever shows the whole key. `expires_at` is never later than that of the
    key that made it.
    """

    id: UUID
    prefix: str
    key: str
    scopes: list[str]
    expires_at: datetime | None


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """`made_with` is the key that made it, with which it ends; null where a person did."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    made_with: UUID | None


class ApiKeyPage(Struct, frozen=True, kw_only=True):
    items: list[ApiKeyView]
    next_cursor: str | None = None


class NewColleague(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str
    roles: list[str]


class IssuedInvitation(Struct, frozen=True, kw_only=True):
    """The link goes to `email` and nowhere else; it works once, until `expires_at`."""

    id: UUID
    email: str
    roles: list[str]
    expires_at: datetime


class InvitationView(Struct, frozen=True, kw_only=True):
    id: UUID
    email: str
    roles: list[str]
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None


class InvitationPage(Struct, frozen=True, kw_only=True):
    items: list[InvitationView]
    next_cursor: str | None = None


class InvitationFace(Struct, frozen=True, kw_only=True):
    """What whoever has the link sees before using it."""

    organisation_name: str
    inviter_name: str
    email: str
    roles: list[str]
    expires_at: datetime


class Acceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    password: str


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: str


class OptionalReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: str | None = None


class PasswordChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`end_keys` also revokes the caller's API keys."""

    current: str
    new: str
    end_keys: bool = False


class PasswordResetRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str


class NewPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`end_keys` ends the API keys too: whoever had the old password may have made some."""

    password: str
    end_keys: bool = False


class Reauthentication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of the two; `code` is of the authenticator, or a recovery code."""

    password: str | None = None
    code: str | None = None


class TotpEnrolment(Struct, frozen=True, kw_only=True):
    """`uri` is what an authenticator app reads as a QR code; nothing counts before the code is
    confirmed.
    """

    secret: str
    uri: str


class TotpCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: str


class TotpRemoval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`code` is of the authenticator, or a recovery code."""

    password: str
    code: str


class RecoveryCodes(Struct, frozen=True, kw_only=True):
    """The only answer that ever shows them; each is good once in place of a code of the
    authenticator.
    """

    codes: list[str]


class RecoveryCodesLeft(Struct, frozen=True, kw_only=True):
    left: int


class RecoveryRenewal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: str


class AuditView(Struct, frozen=True, kw_only=True):
    id: UUID
    at: datetime
    organisation_id: UUID
    actor_user_id: UUID | None
    actor_organisation_id: UUID | None
    what: str
    subject_id: UUID | None
    reason: str | None


class AuditPage(Struct, frozen=True, kw_only=True):
    items: list[AuditView]
    next_cursor: str | None = None


class MemberView(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    email: str
    roles: list[str]
    disabled: bool
    disabled_at: datetime | None = None


class MemberPage(Struct, frozen=True, kw_only=True):
    items: list[MemberView]
    next_cursor: str | None = None


class NewAssignees(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everybody who shall work on it from now on; who is left out is taken off."""

    users: Annotated[list[UUID], Meta(max_length=50)]


class Assignee(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str


class AssigneePage(Struct, frozen=True, kw_only=True):
    """The colleagues of the caller's organisation who work on it, by name."""

    items: list[Assignee]
    next_cursor: str | None = None


class RoleChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    roles: list[str]
