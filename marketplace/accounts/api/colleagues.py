"""Colleagues over HTTP: invitations and members."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, delete, get, post, put
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.api.common import READ, WRITE, client_address
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.rules import INVITERS
from marketplace.accounts.schemas import (
    Acceptance,
    InvitationPage,
    IssuedInvitation,
    MemberPage,
    MemberView,
    NewColleague,
    RoleChange,
    UserView,
)
from marketplace.accounts.service import colleagues
from marketplace.accounts.service.logins import Doorman
from marketplace.kernel.access import PUBLIC, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.facts import Facts


class InvitationController(Controller):
    path = "/api/v1/invitations"
    tags = ("accounts",)

    @post(opt=allow(*INVITERS, scope=WRITE, verified=True), summary="Invite a colleague")
    async def invite(
        self,
        session: AsyncSession,
        clock: Clock,
        facts: Facts,
        actor: Actor,
        data: NewColleague,
    ) -> IssuedInvitation:
        """A single-use link into the own organisation, valid for 72 hours; it goes out by mail and
        stands in no answer. An API key needs the scope `*`, for it makes a whole login.
        """
        issued, _ = await colleagues.invite(session, clock, facts, actor, data)
        return issued

    @get(opt=allow(*INVITERS, scope=READ))
    async def list_invitations(self, session: AsyncSession, actor: Actor) -> InvitationPage:
        return await colleagues.browse(session, actor)

    @delete(
        "/{invitation_id:uuid}",
        opt=allow(*INVITERS, scope=WRITE, verified=True),
        summary="Withdraw the invitation of a colleague",
    )
    async def withdraw(self, session: AsyncSession, actor: Actor, invitation_id: UUID) -> None:
        """Take an open invitation back."""
        await colleagues.withdraw(session, actor, invitation_id)

    @post(
        "/{token:str}/accept",
        opt=PUBLIC | {"problems": (410,)},
        summary="Accept an invitation to the organisation",
    )
    async def accept(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        clock: Clock,
        passwords: Passwords,
        doorman: Doorman,
        token: str,
        data: Acceptance,
    ) -> UserView:
        """Use the link: choose a name and a password. A used or expired link answers 410."""
        await doorman.admit_address(client_address(request))
        return await colleagues.accept(session, clock, passwords, token, data)


class MemberController(Controller):
    path = "/api/v1/members"
    tags = ("accounts",)

    @get(opt=allow(scope=READ, waiting=True))
    async def list_members(self, session: AsyncSession, actor: Actor) -> MemberPage:
        """Everybody in the own organisation, with their roles."""
        return await colleagues.members(session, actor)

    @put("/{user_id:uuid}/roles", opt=allow(*INVITERS, scope=WRITE, verified=True))
    async def change_roles(
        self, session: AsyncSession, clock: Clock, actor: Actor, user_id: UUID, data: RoleChange
    ) -> MemberView:
        """Replace a colleague's roles. An API key needs the scope `*`."""
        return await colleagues.change_roles(session, clock, actor, user_id, data.roles)

    @delete(
        "/{user_id:uuid}",
        opt=allow("admin", scope=WRITE, verified=True),
        summary="Disable a colleague",
    )
    async def disable(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        user_id: UUID,
    ) -> None:
        """A colleague leaves; logins and API keys end at once."""
        await colleagues.disable(session, clock, revocations, actor, user_id)
