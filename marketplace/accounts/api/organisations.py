"""Registration and organisations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, get, patch, post, put
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.accounts.api.common import READ, WRITE, client_address
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import (
    AuditPage,
    Entitlements,
    NewEntitlements,
    NewParent,
    NewRegistration,
    OptionalReason,
    OrganisationChange,
    OrganisationPage,
    OrganisationView,
    ParentView,
    Reason,
    Registered,
)
from marketplace.accounts.service import audit, entitlements, hierarchy, organisations
from marketplace.accounts.service.logins import Doorman
from marketplace.kernel.access import PUBLIC, allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.pages import Page, sorted_by

NETWORK = allow("admin", "channel_manager", scope=WRITE, operator=True)


class RegistrationController(Controller):
    path = "/api/v1/registrations"
    tags = ("accounts",)

    @post(opt=PUBLIC, summary="Register an organisation")
    async def register(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        clock: Clock,
        passwords: Passwords,
        doorman: Doorman,
        data: NewRegistration,
    ) -> Registered:
        """A new organisation and its first user. Suppliers wait for the operator's approval."""
        await doorman.admit_address(client_address(request))
        return await organisations.register(session, clock, passwords, data)


class OrganisationController(Controller):
    """Whether the caller is the operator is asked in the service: to everybody else a foreign
    organisation does not exist.
    """

    path = "/api/v1/organisations"
    tags = ("accounts",)

    @get(opt=allow(scope=READ, waiting=True) | sorted_by(queries.ORGANISATIONS))
    async def list_organisations(
        self,
        session: AsyncSession,
        actor: Actor,
        page: Page,
        organisation_state: Annotated[str | None, QueryParameter(name="state")] = None,
    ) -> OrganisationPage:
        """All of them for the operator, the own one for everybody else; newest first."""
        return await organisations.browse(session, actor, state=organisation_state, page=page)

    @get("/{organisation_id:uuid}", opt=allow(scope=READ, waiting=True))
    async def read_organisation(
        self, session: AsyncSession, actor: Actor, organisation_id: UUID
    ) -> OrganisationView:
        return await organisations.read(session, actor, organisation_id)

    @patch("/{organisation_id:uuid}", opt=allow(scope=WRITE, waiting=True))
    async def change_organisation(
        self,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        organisation_id: UUID,
        data: OrganisationChange,
    ) -> OrganisationView:
        """The name by an own administrator, the rest by the operator."""
        return await organisations.change(session, clock, actor, organisation_id, data)

    @get("/{organisation_id:uuid}/parent", opt=allow(scope=READ))
    async def get_parent(
        self, session: AsyncSession, actor: Actor, organisation_id: UUID
    ) -> ParentView:
        """Where the own organisation stands; the operator asks for any."""
        return await hierarchy.show(session, actor, organisation_id)

    @put("/{organisation_id:uuid}/parent", opt=NETWORK)
    async def put_parent(
        self,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        organisation_id: UUID,
        data: NewParent,
    ) -> ParentView:
        """Put it, with everything below it, below another one; a cycle is refused."""
        return await hierarchy.set_parent(session, clock, actor, organisation_id, data.parent_id)

    @get("/{organisation_id:uuid}/entitlements", opt=allow(scope=READ))
    async def get_entitlements(
        self, session: AsyncSession, clock: Clock, actor: Actor, organisation_id: UUID
    ) -> Entitlements:
        """What the own organisation may use; the operator asks for any."""
        return await entitlements.read(session, clock, actor, organisation_id)

    @put("/{organisation_id:uuid}/entitlements", opt=NETWORK)
    async def put_entitlements(
        self,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        organisation_id: UUID,
        data: NewEntitlements,
    ) -> Entitlements:
        """Which modules are on and how many people it may have. Fewer seats throw nobody out."""
        return await entitlements.put(session, clock, actor, organisation_id, data)

    @post(
        "/{organisation_id:uuid}/retire",
        status_code=200,
        opt=allow(scope=WRITE, waiting=True, verified=True),
        summary="Retire an organisation",
    )
    async def retire(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        data: Reason,
    ) -> OrganisationView:
        """Close an organisation for good, with a reason (its administrator or the operator): its
        people can do nothing any more, what it dealt in stays. The operator can reinstate it. An
        API key needs the scope `*`.
        """
        return await organisations.change_state(
            session, clock, revocations, actor, organisation_id, "retire", data.reason
        )

    @post(
        "/{organisation_id:uuid}/approve",
        status_code=200,
        opt=allow(scope=WRITE, waiting=True),
        summary="Approve an organisation",
    )
    async def approve(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        data: OptionalReason | None = None,
    ) -> OrganisationView:
        """Let a waiting supplier in (operator)."""
        reason = data.reason if data else None
        return await organisations.change_state(
            session, clock, revocations, actor, organisation_id, "approve", reason
        )

    @post(
        "/{organisation_id:uuid}/suspend",
        status_code=200,
        opt=allow(scope=WRITE, waiting=True),
        summary="Suspend an organisation",
    )
    async def suspend(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        data: Reason,
    ) -> OrganisationView:
        """Lock an organisation out, at once and with a reason (operator)."""
        return await organisations.change_state(
            session, clock, revocations, actor, organisation_id, "suspend", data.reason
        )

    @post(
        "/{organisation_id:uuid}/reinstate",
        status_code=200,
        opt=allow(scope=WRITE, waiting=True),
        summary="Reinstate an organisation",
    )
    async def reinstate(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        organisation_id: UUID,
        data: Reason,
    ) -> OrganisationView:
        """End a suspension or a retirement, with a reason (operator)."""
        return await organisations.change_state(
            session, clock, revocations, actor, organisation_id, "reinstate", data.reason
        )


class AuditController(Controller):
    path = "/api/v1/audit_log"
    tags = ("accounts",)

    @get(opt=allow("admin", "channel_manager", scope=READ, waiting=True) | sorted_by(queries.AUDIT))
    async def list_audit(self, session: AsyncSession, actor: Actor, page: Page) -> AuditPage:
        """Who did what to the organisation and why, newest first."""
        return await audit.browse(session, actor, page=page)
