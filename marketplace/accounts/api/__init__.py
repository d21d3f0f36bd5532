"""Accounts over HTTP."""

from marketplace.accounts.api.colleagues import InvitationController, MemberController
from marketplace.accounts.api.keys import ApiKeyController
from marketplace.accounts.api.logins import MeController, SessionController
from marketplace.accounts.api.organisations import (
    AuditController,
    OrganisationController,
    RegistrationController,
)

CONTROLLERS = [
    RegistrationController,
    SessionController,
    MeController,
    ApiKeyController,
    InvitationController,
    MemberController,
    OrganisationController,
    AuditController,
]
