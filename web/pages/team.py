"""The colleagues of the own organisation: who is here, who is invited, who may do what."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template

from marketplace.accounts.revocation import Revocations
from marketplace.accounts.rules import INVITERS, grantable_roles
from marketplace.accounts.schemas import (
    InvitationView,
    MemberView,
    NewColleague,
)
from marketplace.accounts.service import colleagues
from marketplace.kernel.access import allow
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import set_scope
from marketplace.kernel.facts import Facts
from marketplace.kernel.settings import Settings
from web.pages.render import go
from web.pages.roles import Role, known_roles, roles_in_order
from web.pages.visit import UNTRIED, Attempt, Visit

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
    async def team(self, visit: Visit, settings: Settings) -> Template:
        return await _Desk(visit, settings).page()

    @post("/invitations", opt=FOR_INVITERS, status_code=200)
    async def invite(
        self, visit: Visit, clock: Clock, facts: Facts, settings: Settings
    ) -> Response[Any]:
        """The page with the link on it; only its hash is stored, so it is not shown again."""
        form = await visit.form()
        desk = _Desk(visit, settings)
        new = NewColleague(email=form.one("email"), roles=form.many("roles"))
        async with visit.trying(form, lists=["roles"]) as attempt:
            issued, path = await colleagues.invite(visit.session, clock, facts, visit.actor, new)
            await visit.session.flush()
            made = Made(issued.email, settings.origin + path, issued.expires_at)
            return await desk.page(made=made)
        return await desk.page(attempt)

    @post("/invitations/{invitation_id:uuid}/withdraw", opt=FOR_INVITERS)
    async def withdraw(self, visit: Visit, invitation_id: UUID) -> Redirect:
        await colleagues.withdraw(visit.session, visit.actor, invitation_id)
        return go("/team")

    @post("/members/{user_id:uuid}/roles", opt=FOR_INVITERS)
    async def change_roles(
        self, visit: Visit, clock: Clock, settings: Settings, user_id: UUID
    ) -> Response[Any]:
        form = await visit.form()
        async with visit.trying() as attempt:
            await colleagues.change_roles(
                visit.session, clock, visit.actor, user_id, form.many("roles")
            )
            return go("/team")
        return await _Desk(visit, settings).page(attempt, at_top=True)

    @post("/members/{user_id:uuid}/remove", opt=FOR_ADMINS)
    async def remove(
        self,
        visit: Visit,
        clock: Clock,
        revocations: Revocations,
        settings: Settings,
        user_id: UUID,
    ) -> Response[Any]:
        async with visit.trying() as attempt:
            await colleagues.disable(visit.session, clock, revocations, visit.actor, user_id)
            return go("/team")
        return await _Desk(visit, settings).page(attempt)

    @post("/members/{user_id:uuid}/restore", opt=FOR_ADMINS)
    async def restore(
        self, visit: Visit, clock: Clock, settings: Settings, user_id: UUID
    ) -> Response[Any]:
        async with visit.trying() as attempt:
            await colleagues.enable(visit.session, clock, visit.actor, user_id)
            return go(f"/team#member-{user_id}")
        return await _Desk(visit, settings).page(attempt)


class _Desk:
    """What the page needs, of one visit."""

    def __init__(self, visit: Visit, settings: Settings) -> None:
        self._visit = visit
        self._settings = settings

    async def page(
        self, attempt: Attempt = UNTRIED, *, at_top: bool = False, made: Made | None = None
    ) -> Template:
        """`at_top`: the check boxes that were refused are below a fold, so the page begins with
        the answer.
        """
        session, actor = self._visit.session, self._visit.actor
        await set_scope(session, actor)
        _ = self._visit.fmt.gettext
        known = known_roles(_)
        grantable = grantable_roles(actor.roles, actor.capabilities)
        inviting = not actor.roles.isdisjoint(INVITERS)
        errors = _errors(attempt, _)
        box = attempt.box if at_top or not errors else None
        if box is not None and "roles" in errors:
            box |= {"detail": errors["roles"]}
        invited = (await colleagues.browse(session, actor)).items if inviting else []
        members = (await colleagues.members(session, actor)).items
        return await self._visit.page(
            "team.html",
            attempt,
            members=[self._member(each, grantable, known) for each in members],
            pending=[self._pending(each, known) for each in invited if not each.accepted_at],
            may_invite=inviting and actor.state == "active",
            waiting=inviting and actor.state == "prospect",
            grantable=roles_in_order(grantable, known),
            made=made,
            mailed=bool(self._settings.smtp_url),
            errors={} if at_top else errors,
            problem=box,
        )

    def _member(
        self, member: MemberView, grantable: Collection[str], known: dict[str, Role]
    ) -> Member:
        actor = self._visit.actor
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
            expired=invitation.expires_at <= self._visit.now,
        )


def _errors(attempt: Attempt, _: Callable[[str], str]) -> dict[str, str]:
    """The check boxes are one field of the form, and many of the API."""
    found = attempt.errors
    if "roles" in found:
        return found | {"roles": _("Choose at least one role.")}
    if any(field.startswith("roles[") for field in found):
        return found | {"roles": _("One of these roles is not yours to give.")}
    return found
