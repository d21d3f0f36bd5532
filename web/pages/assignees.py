"""Who of the own organisation works on an order or a tender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import service as tenders
from marketplace.accounts.schemas import Assignee, AssigneePage, MemberView
from marketplace.accounts.service import colleagues
from marketplace.accounts.service.assignments import ASSIGNERS
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.orders.service import dossier, views
from web.pages.forms import Form, read_form
from web.pages.render import AnyRequest, go, page, viewer_of

FOR_MEMBERS = allow(scope=None, waiting=True)
CHOSEN_MAX = 50
"""As many people as the API takes."""


class OrderAssigneePages(Controller):
    path = "/orders/{order_id:uuid}/assignees"

    @get("/", opt=FOR_MEMBERS)
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        order_id: UUID,
    ) -> Template:
        found = await dossier.list_assignees(session, actor, order_id)
        order = await views.show(session, actor, order_id, clock.now())
        return await _page(request, session, actor, "orders", order_id, order.title, found)

    @post("/", opt=FOR_MEMBERS)
    async def save(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        order_id: UUID,
    ) -> Response[Any]:
        users = chosen(await read_form(request))
        await dossier.set_assignees(session, actor, order_id, users, clock.now())
        return go(f"/orders/{order_id}")


class TenderAssigneePages(Controller):
    path = "/tenders/{tender_id:uuid}/assignees"

    @get("/", opt=FOR_MEMBERS)
    async def show(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, tender_id: UUID
    ) -> Template:
        found = await tenders.list_assignees(session, actor, tender_id)
        tender = await tenders.show(session, actor, tender_id)
        return await _page(request, session, actor, "tenders", tender_id, tender.title, found)

    @post("/", opt=FOR_MEMBERS)
    async def save(
        self,
        request: AnyRequest,
        session: AsyncSession,
        clock: Clock,
        actor: Actor,
        tender_id: UUID,
    ) -> Response[Any]:
        users = chosen(await read_form(request))
        await tenders.set_assignees(session, actor, tender_id, users, clock.now())
        return go(f"/tenders/{tender_id}")


def chosen(form: Form) -> list[UUID]:
    """What is no id was not ticked on our page."""
    users = []
    for text in form.many("users")[:CHOSEN_MAX]:
        try:
            users.append(UUID(text))
        except ValueError:
            continue
    return users


async def _page(
    request: AnyRequest,
    session: AsyncSession,
    actor: Actor,
    area: str,
    subject_id: UUID,
    title: str,
    found: AssigneePage,
) -> Template:
    """Managers tick boxes; everybody else reads who works on it."""
    people: Sequence[Assignee | MemberView] = found.items
    may_assign = actor.has_role(*ASSIGNERS)
    if may_assign:
        everybody = (await colleagues.members(session, actor)).items
        people = [person for person in everybody if not person.disabled]
    return page(
        request,
        "assignees.html",
        viewer=await viewer_of(session, actor),
        area=area,
        title=title,
        back=f"/{area}/{subject_id}",
        people=people,
        at_work={person.id for person in found.items},
        may_assign=may_assign,
    )
