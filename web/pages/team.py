"""The colleagues of the own organisation: who is here, who is invited, who may do what."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.revocation import Revocations
from marketplace.accounts.rules import INVITERS, grantable_roles
from marketplace.accounts.schemas import (
    InvitationView,
    MemberView,
    NewColleague,
)
from marketplace.accounts.service import colleagues
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import set_scope
from marketplace.kernel.errors import Conflict, Invalid, Problem
from marketplace.kernel.facts import Facts
from marketplace.kernel.settings import Settings
from web.pages.forms import Form, read_form
from web.pages.render import AnyRequest, field_errors, go, language_of, page, viewer_of
from web.pages.roles import Role, known_roles, roles_in_order

FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_INVITERS = allow(*INVITERS, scope=None, verified=True)
FOR_ADMINS = allow("admin", scope=None, verified=True)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A colleague as this viewer sees and may change it."""

    id: UUID
    name: str
    email: str
    roles: list[Role]
    own: bool
    removed_at: datetime | None
    changeable: bool
    removable: bool
    restorable: bool


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that nobody has used yet."""

    id: UUID
    email: str
    roles: list[Role]
    expires_at: datetime
    expired: bool


class Made(msgspec.Struct, frozen=True):
    """An invitation made just now, with the link that is shown this once."""

    email: str
    link: str
    expires_at: datetime


class TeamPages(Controller):
    path = "/team"

    @get("/", opt=FOR_MEMBERS)
    async def team(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        settings: Settings,
        actor: Actor,
    ) -> Template:
        return await _Desk(request, session, clock, settings, actor).page()

    @post("/invitations", opt=FOR_INVITERS, status_code=200)
    async def invite(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        facts: Facts,
        settings: Settings,
        actor: Actor,
    ) -> Response[Any]:
        """The page with the link on it; only its hash is stored, so it is not shown again."""
        form = await read_form(request)
        desk = _Desk(request, session, clock, settings, actor)
        new = NewColleague(email=form.one("email"), roles=form.many("roles"))
        try:
            issued, path = await colleagues.invite(session, clock, facts, actor, new)
            await session.flush()
        except Problem as problem:
            return await desk.page(form=form, problem=problem)
        return await desk.page(made=Made(issued.email, settings.origin + path, issued.expires_at))

    @post("/invitations/{invitation_id:uuid}/withdraw", opt=FOR_INVITERS)
    async def withdraw(self, session: AsyncSession, actor: Actor, invitation_id: UUID) -> Redirect:
        await colleagues.withdraw(session, actor, invitation_id)
        return go("/team")

    @post("/members/{user_id:uuid}/roles", opt=FOR_INVITERS)
    async def change_roles(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        settings: Settings,
        actor: Actor,
        user_id: UUID,
    ) -> Response[Any]:
        form = await read_form(request)
        try:
            await colleagues.change_roles(session, clock, actor, user_id, form.many("roles"))
        except Conflict as problem:
            return await _Desk(request, session, clock, settings, actor).page(problem=problem)
        except Invalid as problem:
            # The check boxes are below a fold, so the answer stands at the top.
            told = _errors(problem, language_of(request).gettext).get("roles", problem.detail)
            desk = _Desk(request, session, clock, settings, actor)
            return await desk.page(problem=Invalid(problem.code, told))
        return go("/team")

    @post("/members/{user_id:uuid}/remove", opt=FOR_ADMINS)
    async def remove(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        settings: Settings,
        actor: Actor,
        user_id: UUID,
    ) -> Response[Any]:
        try:
            await colleagues.disable(session, clock, revocations, actor, user_id)
        except Conflict as problem:
            return await _Desk(request, session, clock, settings, actor).page(problem=problem)
        return go("/team")

    @post("/members/{user_id:uuid}/restore", opt=FOR_ADMINS)
    async def restore(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        settings: Settings,
        actor: Actor,
        user_id: UUID,
    ) -> Response[Any]:
        try:
            await colleagues.enable(session, clock, actor, user_id)
        except Conflict as problem:
            return await _Desk(request, session, clock, settings, actor).page(problem=problem)
        return go(f"/team#member-{user_id}")


class _Desk:
    """What the page needs, of one request."""

    def __init__(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        settings: Settings,
        actor: Actor,
    ) -> None:
        self._request = request
        self._session = session
        self._clock = clock
        self._settings = settings
        self._actor = actor

    async def page(
        self,
        *,
        form: Form | None = None,
        problem: Problem | None = None,
        made: Made | None = None,
    ) -> Template:
        session, actor = self._session, self._actor
        await set_scope(session, actor)
        _ = language_of(self._request).gettext
        known = known_roles(_)
        grantable = grantable_roles(actor.roles, actor.capabilities)
        inviting = not actor.roles.isdisjoint(INVITERS)
        errors = _errors(problem, _) if problem else {}
        invited = (await colleagues.browse(session, actor)).items if inviting else []
        members = (await colleagues.members(session, actor)).items
        return page(
            self._request,
            "team.html",
            viewer=await viewer_of(session, actor),
            status=problem.status if problem else 200,
            members=[self._member(each, grantable, known) for each in members],
            pending=[self._pending(each, known) for each in invited if not each.accepted_at],
            may_invite=inviting and actor.state == "active",
            waiting=inviting and actor.state == "prospect",
            grantable=roles_in_order(grantable, known),
            made=made,
            mailed=bool(self._settings.smtp_url),
            form=form.typed("roles") if form else {},
            errors=errors,
            problem=problem if problem and not errors else None,
        )

    def _member(
        self, member: MemberView, grantable: Collection[str], known: dict[str, Role]
    ) -> Member:
        actor = self._actor
        own = member.id == actor.user_id
        # Nobody locks themselves out by a slip; a colleague can do it.
        open_to_change = not own and not member.disabled and actor.state == "active"
        return Member(
            id=member.id,
            name=member.name,
            email=member.email,
            roles=roles_in_order(member.roles, known),
            own=own,
            removed_at=member.disabled_at,
            changeable=open_to_change and bool(grantable) and set(member.roles) <= set(grantable),
            removable=open_to_change and "admin" in actor.roles,
            restorable=member.disabled and actor.state == "active" and "admin" in actor.roles,
        )

    def _pending(self, invitation: InvitationView, known: dict[str, Role]) -> Pending:
        return Pending(
            id=invitation.id,
            email=invitation.email,
            roles=roles_in_order(invitation.roles, known),
            expires_at=invitation.expires_at,
            expired=invitation.expires_at <= self._clock.now(),
        )


def _errors(problem: Problem, _: Callable[[str], str]) -> dict[str, str]:
    """The check boxes are one field of the form, and many of the API."""
    found = field_errors(problem)
    if "roles" in found:
        return found | {"roles": _("Choose at least one role.")}
    if any(field.startswith("roles[") for field in found):
        return found | {"roles": _("One of these roles is not yours to give.")}
    return found
