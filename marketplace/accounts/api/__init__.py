"""Accounts over HTTP."""

from marketplace.accounts.api.colleagues import InvitationController, MemberController
from marketplace.accounts.api.keys import ApiKeyController
from marketplace.accounts.api.logins import MeController, SessionController
from marketplace.accounts.api.organisations import (
    AuditController,
    OrganisationController,
    RegistrationController,
)
from marketplace.accounts.api.password_resets import PasswordResetController

CONTROLLERS = [
    RegistrationController,
    SessionController,
    MeController,
    PasswordResetController,
    ApiKeyController,
    InvitationController,
    MemberController,
    OrganisationController,
    AuditController,
]
