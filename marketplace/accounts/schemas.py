"""What travels over the wire for accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType


class NewOrganisation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The organisation that registers.

    name          the legal name, at most 200 characters, e.g. `Pumps Ltd`
    capabilities  one or more of `buys`, `supplies`, `resells`, `refers`; all but buyers wait until
                  the operator approves them, e.g. `["supplies"]`
    """

    name: str
    country: str
    tax_id: str
    capabilities: list[str]


class NewUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Its first user, who gets every role of such an organisation.

    name      as colleagues and partners read it, at most 200 characters, e.g. `Ada Novak`
    email     the address for logging in, one account each, e.g. `ada@pumps.example`
    password  10 to 256 characters and not easy to guess, e.g. `salt-orbit-lantern-7`
    """

    name: str
    email: str
    password: str


class NewRegistration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new organisation with its first user.

    organisation  who registers; the same country and tax id twice is refused
    user          the person who signs in for it
    """

    organisation: NewOrganisation
    user: NewUser


class OrganisationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays.

    name          the legal name; its own administrator may change it, e.g. `Pumps International
                  Ltd`
    country       for the operator: where it is registered, e.g. `DE`
    tax_id        for the operator: the tax register's number, e.g. `DE123456789`
    capabilities  for the operator: replaces what it may do, e.g. `["buys", "supplies"]`
    """

    name: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    tax_id: str | UnsetType = UNSET
    capabilities: list[str] | UnsetType = UNSET


class OrganisationView(Struct, frozen=True, kw_only=True):
    """An organisation as its own people and the operator see it.

    name          the legal name, e.g. `Pumps Ltd`
    capabilities  of `buys`, `supplies`, `resells`, `refers`, e.g. `["supplies"]`
    state         `prospect` until it is approved, then `active`; `suspended` or `retired`: locked
                  out, e.g. `active`
    created_at    when it registered
    """

    id: UUID
    name: str
    country: str
    tax_id: str
    capabilities: list[str]
    state: str
    created_at: datetime


class OrganisationPage(Struct, frozen=True, kw_only=True):
    """Organisations by name, unless `sort` says otherwise."""

    items: list[OrganisationView]
    next_cursor: str | None = None


class UserView(Struct, frozen=True, kw_only=True):
    """A person.

    name  as colleagues and partners read it, e.g. `Ada Novak`
    """

    id: UUID
    name: str
    email: str


class Registered(Struct, frozen=True, kw_only=True):
    """What a registration made.

    organisation  the new organisation; it may log in at once, and deal once it is active
    user          its first user
    """

    organisation: OrganisationView
    user: UserView


class Login(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants in.

    email     the address of the account, in any case, e.g. `ada@pumps.example`
    password  of the account; after some wrong ones answers get slower, e.g. `salt-orbit-lantern-7`
    totp      the six digits of the authenticator, or a recovery code; needed where a second factor
              is on, e.g. `492039`
    """

    email: str
    password: str
    totp: str | None = None


class OwnOrganisation(Struct, frozen=True, kw_only=True):
    """The organisation the caller works for.

    name          the legal name, e.g. `Pumps Ltd`
    capabilities  of `buys`, `supplies`, `resells`, `refers`, e.g. `["supplies"]`
    state         `prospect`, `active`, `suspended` or `retired`, e.g. `active`
    """

    id: UUID
    name: str
    capabilities: list[str]
    state: str


class Entitlements(Struct, frozen=True, kw_only=True):
    """What an organisation may use."""

    modules: Annotated[
        list[str] | None, Meta(description="Null: all of them.", examples=[["orders", "prices"]])
    ]
    seats: Annotated[
        int | None, Meta(description="How many people it may have; null: any number.", examples=[5])
    ]
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
    """One organisation on the way down from the root.

    name  the legal name, e.g. `Pumps Group`
    """

    id: UUID
    name: str


class ParentView(Struct, frozen=True, kw_only=True):
    """Where an organisation stands."""

    parent_id: UUID | None
    path: Annotated[list[PathNode], Meta(description="From the root down to itself.")]


class Me(Struct, frozen=True, kw_only=True):
    """Who the caller is and what it may do.

    user          the person behind the session, or the maker of the key
    organisation  the one the caller works for
    roles         what the caller may do in it, e.g. `["procurement_officer"]`
    scopes        what the key is narrowed to; `["*"]` in a browser session: every role counts, e.g.
                  `["*"]`
    operator      whether it is the organisation that runs the marketplace
    entitlements  what the operator lets it use
    """

    user: UserView
    organisation: OwnOrganisation
    roles: list[str]
    scopes: list[str]
    operator: bool = False
    entitlements: Entitlements | None = None


class SessionView(Struct, frozen=True, kw_only=True):
    """One browser that is logged in.

    device        the browser and its system; empty where it did not say, e.g. `Firefox, Windows`
    address       the network address of the login, e.g. `203.0.113.7`
    created_at    when it logged in
    last_seen_at  its last request, give or take a minute
    expires_at    without another request it ends then
    """

    id: UUID
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


class SessionPage(Struct, frozen=True, kw_only=True):
    """The caller's own sessions."""

    items: list[SessionView]
    next_cursor: str | None = None


class NewApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for programs.

    name        what people call it, e.g. `ERP upload`
    scopes      `area:read` or `area:write`, or `*` for every role of its maker; never more than the
                maker has, e.g. `["prices:write"]`
    expires_at  when it ends by itself; null: never, unless the key that makes it ends
    """

    name: str
    scopes: list[str]
    expires_at: datetime | None = None


class IssuedApiKey(Struct, frozen=True, kw_only=True):
    """The only answer that ever shows the whole key.

    prefix      the part before the dot, which names the key in lists, e.g. `Q3x9fTzV0aLk`
    key         what goes behind `Authorization: Bearer`; nobody can show it again, e.g.
                `Q3x9fTzV0aLk.b2ZmZXIgb2YgYSBwdW1w`
    scopes      what it may do, e.g. `["prices:write"]`
    expires_at  null: never; never later than that of the key that made it
    """

    id: UUID
    prefix: str
    key: str
    scopes: list[str]
    expires_at: datetime | None


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """A key without its secret.

    name          what people call it, e.g. `ERP upload`
    prefix        the part before the dot, e.g. `Q3x9fTzV0aLk`
    scopes        what it may do, e.g. `["prices:write"]`
    expires_at    when it ends by itself; null: never
    last_used_at  its last request; null: it was never used
    made_with     the key that made it, with which it ends; null: a person made it
    """

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    made_with: UUID | None


class ApiKeyPage(Struct, frozen=True, kw_only=True):
    """Keys, the newest first."""

    items: list[ApiKeyView]
    next_cursor: str | None = None


class NewColleague(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to invite into the own organisation.

    email  where the link goes, e.g. `ben@pumps.example`
    roles  what the colleague may do; a partner manager gives no more than its own, e.g.
           `["partner_employee"]`
    """

    email: str
    roles: list[str]


class IssuedInvitation(Struct, frozen=True, kw_only=True):
    """The link goes to `email` and nowhere else; it works once, until `expires_at`.

    email       where the link went, e.g. `ben@pumps.example`
    roles       what the colleague will be able to do, e.g. `["partner_employee"]`
    expires_at  72 hours after it was sent
    """

    id: UUID
    email: str
    roles: list[str]
    expires_at: datetime


class InvitationView(Struct, frozen=True, kw_only=True):
    """An invitation of a colleague.

    email        where the link went, e.g. `ben@pumps.example`
    roles        what the colleague will be able to do, e.g. `["partner_employee"]`
    expires_at   the link works until then
    accepted_at  when the link was used; null: it is open
    """

    id: UUID
    email: str
    roles: list[str]
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None


class InvitationPage(Struct, frozen=True, kw_only=True):
    """Invitations of the own organisation."""

    items: list[InvitationView]
    next_cursor: str | None = None


class InvitationFace(Struct, frozen=True, kw_only=True):
    """What anybody with the link sees before using it.

    organisation_name  who invites, e.g. `Pumps Ltd`
    inviter_name       the colleague who sent it, e.g. `Ada Novak`
    email              the address the account will have, e.g. `ben@pumps.example`
    roles              what the new colleague will be able to do, e.g. `["partner_employee"]`
    expires_at         the link works until then
    """

    organisation_name: str
    inviter_name: str
    email: str
    roles: list[str]
    expires_at: datetime


class Acceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the invited person chooses.

    name      as colleagues will read it, e.g. `Ben Ode`
    password  10 to 256 characters and not easy to guess, e.g. `salt-orbit-lantern-7`
    """

    name: str
    password: str


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the operator or an administrator does it.

    reason  at most 500 characters; it stands in the audit log and the organisation reads it, e.g.
            `Unpaid fees`
    """

    reason: str


class OptionalReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why, if there is something to say.

    reason  at most 500 characters, for the audit log, e.g. `Papers checked`
    """

    reason: str | None = None


class PasswordChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The old password and the new one.

    current   the one that counts now, e.g. `salt-orbit-lantern-7`
    new       10 to 256 characters and not easy to guess, e.g. `paper-comet-anvil-3`
    end_keys  true: the caller's API keys end as well
    """

    current: str
    new: str
    end_keys: bool = False


class PasswordResetRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who forgot a password.

    email  the answer is the same whether an account has it or not, e.g. `ada@pumps.example`
    """

    email: str


class NewPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password after a reset.

    password  10 to 256 characters and not easy to guess, e.g. `paper-comet-anvil-3`
    end_keys  true: the API keys end as well, as somebody who had the old password may have made
              some
    """

    password: str
    end_keys: bool = False


class Reauthentication(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of the two.

    password  of the account, e.g. `salt-orbit-lantern-7`
    code      six digits of the authenticator, or a recovery code, e.g. `492039`
    """

    password: str | None = None
    code: str | None = None


class TotpEnrolment(Struct, frozen=True, kw_only=True):
    """A second factor that counts once a code of it is confirmed.

    secret  to be typed into an authenticator, in base32, e.g. `JBSWY3DPEHPK3PXP`
    uri     what an authenticator reads as a QR code, e.g.
            `otpauth://totp/Marketplace:ada@pumps.example?secret=JBSWY3DPEHPK3PXP`
    """

    secret: str
    uri: str


class TotpCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first code of a new second factor.

    code  six digits of the authenticator, e.g. `492039`
    """

    code: str


class TotpRemoval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Both are needed to take the second factor away.

    password  of the account, e.g. `salt-orbit-lantern-7`
    code      six digits of the authenticator, or a recovery code, e.g. `492039`
    """

    password: str
    code: str


class RecoveryCodes(Struct, frozen=True, kw_only=True):
    """The only answer that ever shows them.

    codes  each is good once in place of a code of the authenticator, e.g. `["7KQ4-M2XD-9PTR"]`
    """

    codes: list[str]


class RecoveryCodesLeft(Struct, frozen=True, kw_only=True):
    """How many are still good.

    left  codes that were not used; at 0 only the authenticator helps, e.g. `9`
    """

    left: int


class RecoveryRenewal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Makes new recovery codes; the former ones are worth nothing.

    password  of the account, e.g. `salt-orbit-lantern-7`
    """

    password: str


class AuditView(Struct, frozen=True, kw_only=True):
    """One act that concerns an organisation.

    at                     when it was done
    organisation_id        the organisation it was done to
    actor_user_id          the person who did it; null: the marketplace itself
    actor_organisation_id  for which organisation that person acted; null: the marketplace itself
    what                   stable name of the act, e.g. `entitlements_set`
    subject_id             the person, key or invitation it was done to; null: the organisation as a
                           whole
    reason                 what was written with it; null: nothing, e.g. `Unpaid fees`
    """

    id: UUID
    at: datetime
    organisation_id: UUID
    actor_user_id: UUID | None
    actor_organisation_id: UUID | None
    what: str
    subject_id: UUID | None
    reason: str | None


class AuditPage(Struct, frozen=True, kw_only=True):
    """The audit log, the newest first."""

    items: list[AuditView]
    next_cursor: str | None = None


class MemberView(Struct, frozen=True, kw_only=True):
    """A person of the own organisation.

    name         as colleagues read it, e.g. `Ben Ode`
    roles        what the person may do, e.g. `["partner_employee"]`
    disabled     true: the person left and cannot log in
    disabled_at  since when; null: the person is there
    """

    id: UUID
    name: str
    email: str
    roles: list[str]
    disabled: bool
    disabled_at: datetime | None = None


class MemberPage(Struct, frozen=True, kw_only=True):
    """The people of the own organisation."""

    items: list[MemberView]
    next_cursor: str | None = None


class NewAssignees(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everybody who shall work on it from now on; who is left out is taken off.

    users  at most 50 people of the own organisation; an empty list: nobody
    """

    users: Annotated[list[UUID], Meta(max_length=50)]


class Assignee(Struct, frozen=True, kw_only=True):
    """A colleague who works on it.

    name  as colleagues read it, e.g. `Ben Ode`
    """

    id: UUID
    name: str


class AssigneePage(Struct, frozen=True, kw_only=True):
    """The colleagues of the caller's organisation who work on it, by name."""

    items: list[Assignee]
    next_cursor: str | None = None


class RoleChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replaces all roles of a person.

    roles  `admin`, `procurement_officer`, `approver`, `partner_manager`, `partner_employee`,
           `observer`, for the operator `channel_manager`, e.g. `["approver", "observer"]`
    """

    roles: list[str]
