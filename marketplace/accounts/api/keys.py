"""API keys over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, delete, get, post
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.api.common import READ, WRITE
from marketplace.accounts.revocation import Revocations
from marketplace.accounts.schemas import ApiKeyPage, IssuedApiKey, NewApiKey
from marketplace.accounts.service import keys
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock


class ApiKeyController(Controller):
    path = "/api/v1/api_keys"
    tags = ("accounts",)

    @post(opt=allow(scope=WRITE, waiting=True, verified=True), summary="Issue an API key")
    async def issue(
        self, session: AsyncSession, clock: Clock, actor: Actor, data: NewApiKey
    ) -> IssuedApiKey:
        """A key for programs, shown once. It can never do more than its maker can; one made by a
        key reaches no further, expires no later and ends with it.
        """
        return await keys.issue(session, clock, actor, data)

    @get(opt=allow(scope=READ, waiting=True))
    async def list_keys(self, session: AsyncSession, actor: Actor) -> ApiKeyPage:
        """The own keys, or all of the organisation for an admin; never the secrets."""
        return await keys.browse(session, actor)

    @delete("/{key_id:uuid}", opt=allow(scope=WRITE, waiting=True), summary="Revoke an API key")
    async def revoke(
        self,
        session: AsyncSession,
        clock: Clock,
        revocations: Revocations,
        actor: Actor,
        key_id: UUID,
    ) -> None:
        """Revoke a key and those made with it; sockets opened with them close."""
        await keys.revoke(session, clock, revocations, actor, key_id)
