"""What an organisation may use: modules, and seats for members and open invitations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import network_queries as network
from marketplace.accounts import queries
from marketplace.accounts.models import Entitlement
from marketplace.accounts.rules import module_errors
from marketplace.accounts.schemas import Entitlements, NewEntitlements
from marketplace.accounts.service import audit
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.scope import as_house
from marketplace.kernel.statements import Source


async def put(
    session: AsyncSession,
    clock: Clock,
    actor: Actor,
    organisation_id: UUID,
    data: NewEntitlements,
) -> Entitlements:
    """Fewer seats than are used throw nobody out. Raises NotFound, Invalid, Conflict."""
    organisation = await queries.organisation(session, organisation_id, lock=True)
    if organisation is None:
        raise NotFound("organisation")
    if organisation.operator:
        raise Conflict("wrong_state", "The operator uses everything.")
    if data.modules is not None and (errors := module_errors(data.modules)):
        raise Invalid("invalid", "The entitlements have wrong fields.", errors=errors)
    now = clock.now()
    row = await network.entitlement(session, organisation_id)
    if row is None:
        row = Entitlement(organisation_id=organisation_id)
        session.add(row)
    row.modules = None if data.modules is None else sorted(set(data.modules))
    row.seats, row.updated_at = data.seats, now
    await session.flush()
    audit.record(session, now, "entitlements_set", organisation_id, actor=actor)
    return await show(session, organisation_id, now)


async def read(
    session: AsyncSession, clock: Clock, actor: Actor, organisation_id: UUID
) -> Entitlements:
    """The own ones; the operator any. Raises NotFound."""
    if organisation_id != actor.organisation_id and not actor.operator:
        raise NotFound("organisation")
    if await queries.organisation(session, organisation_id) is None:
        raise NotFound("organisation")
    return await show(session, organisation_id, clock.now())


async def show(source: Source, organisation_id: UUID, now: datetime) -> Entitlements:
    """The caller was allowed to see it before; people of others are no business of the operator,
    their number is.
    """
    async with as_house(source):
        row = await network.entitlement_row(source, organisation_id)
        used = await network.seats_used(source, organisation_id, now)
    return Entitlements(
        modules=None if row is None else row["modules"],
        seats=None if row is None else row["seats"],
        seats_used=used,
    )


async def take_seat(session: AsyncSession, organisation_id: UUID, now: datetime) -> None:
    """One more member or open invitation. The organisation stays locked until the transaction
    ends, so that two invitations never see the same free seat. Raises Conflict (`no_seat`).
    """
    await queries.organisation(session, organisation_id, lock=True)
    row = await network.entitlement(session, organisation_id)
    if row is None or row.seats is None:
        return
    used = await network.seats_used(session, organisation_id, now)
    if used + 1 > row.seats:
        raise Conflict(
            "no_seat",
            f"Your organisation has {row.seats} seats; members and open invitations use {used}.",
        )
