"""What upper floors may learn of accounts: typed facts, published with the deed they tell of."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from marketplace.kernel.facts import Fact


class PasswordResetAsked(Fact, frozen=True, kw_only=True):
    """The owner of the account is to get the link. `path` carries its token: it goes to `email` and
    nowhere else.
    """

    reset_id: UUID
    organisation_id: UUID
    user_id: UUID
    email: str
    path: str
    at: datetime


class PasswordChanged(Fact, frozen=True, kw_only=True):
    """By the owner, or by somebody the owner should know of."""

    organisation_id: UUID
    user_id: UUID
    email: str
    at: datetime


class ColleagueInvited(Fact, frozen=True, kw_only=True):
    """Somebody without an account is to get the link. `path` carries its token: it goes to `email`
    and nowhere else.
    """

    invitation_id: UUID
    organisation_id: UUID
    organisation_name: str
    inviter_id: UUID
    inviter_name: str
    email: str
    path: str
    at: datetime
