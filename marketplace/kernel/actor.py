"""Who asks: a user in an organisation with roles, narrowed by the scopes of an API key."""

from __future__ import annotations

from uuid import UUID

import msgspec

from marketplace.kernel.errors import Forbidden
from marketplace.kernel.ids import OrganisationId, UserId

ROLES = frozenset(
    [
        "admin",
        "channel_manager",
        "procurement_officer",
        "approver",
        "partner_manager",
        "partner_employee",
        "observer",
    ]
)
OWN_RECORDS_ONLY = frozenset(["partner_employee"])
"""Who holds no other role than this one sees own and assigned records; every other role sees the
whole organisation.
"""
CAPABILITIES = frozenset(["buys", "supplies", "resells", "refers"])
EVERY_SCOPE = "*"


SHUT_OUT = frozenset(["suspended", "retired"])
"""States of an organisation whose people may do nothing at all."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The authenticated caller of one request. `scopes` is None for a session, else what the API
    key may do.

    `operator` marks the organisation that runs the marketplace; `state` is that of the organisation
    (`prospect`, `active`, `suspended` or `retired`). `verified`: in this session the password or a
    code was given a short while ago. `modules` are what the organisation may use, None: all.
    """

    user_id: UserId
    organisation_id: OrganisationId
    roles: frozenset[str]
    capabilities: frozenset[str]
    state: str = "active"
    operator: bool = False
    scopes: frozenset[str] | None = None
    modules: frozenset[str] | None = None
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    verified: bool = False

    @property
    def own_records_only(self) -> bool:
        """Whether the caller sees nothing but what it made or is assigned to."""
        return self.roles == OWN_RECORDS_ONLY

    def has_role(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)

    def has_scope(self, scope: str) -> bool:
        return self.scopes is None or EVERY_SCOPE in self.scopes or scope in self.scopes

    def has_module(self, module: str) -> bool:
        """Of accounts everybody has."""
        return self.modules is None or module == "accounts" or module in self.modules

    def require_module(self, module: str) -> None:
        """Raises Forbidden unless the organisation may use it."""
        if not self.has_module(module):
            raise Forbidden("module_off", f"Your organisation does not use {module}.")

    def require_verified(self) -> None:
        """Raises Forbidden in a session whose password or code was given too long ago."""
        if self.session_id is not None and not self.verified:
            raise Forbidden(
                "reauthentication_required",
                "Confirm that it is you: POST /api/v1/me/reauthenticate with your password or a"
                " code, then repeat this.",
            )

    def require_role(self, *roles: str) -> None:
        """Raises Forbidden unless the caller holds one of `roles`."""
        if not self.has_role(*roles):
            raise Forbidden(
                "role_missing", f"This needs one of the roles {', '.join(sorted(roles))}."
            )

    def require_scope(self, scope: str) -> None:
        """Raises Forbidden unless the API key carries `scope` (sessions carry all)."""
        if not self.has_scope(scope):
            raise Forbidden("scope_missing", f"This API key lacks the scope {scope}.")

    def require_capability(self, capability: str) -> None:
        """Raises Forbidden unless the organisation has it and is active."""
        if capability not in self.capabilities:
            raise Forbidden(
                "capability_missing", f"Your organisation lacks the capability {capability}."
            )
        self.require_active()

    def require_active(self) -> None:
        if self.state != "active":
            raise Forbidden(
                "organisation_not_active",
                "Your organisation is not approved yet, or it is suspended or retired.",
            )
