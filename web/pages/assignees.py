"""Who of the own organisation works on an order or a tender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Template

from auctions.tenders import service as tenders
from marketplace.accounts.schemas import Assignee, AssigneePage, MemberView
from marketplace.accounts.service import colleagues
from marketplace.accounts.service.assignments import ASSIGNERS
from marketplace.kernel.access import allow
from marketplace.orders.service import dossier, views
from web.pages.forms import Form
from web.pages.render import go
from web.pages.visit import Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
CHOSEN_MAX = 50
"""As many people as the API takes."""


class OrderAssigneePages(Controller):
    path = "/orders/{order_id:uuid}/assignees"

    @get("/", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, order_id: UUID) -> Template:
        found = await dossier.list_assignees(visit.session, visit.actor, order_id)
        order = await views.show(visit.session, visit.actor, order_id, visit.now)
        return await _page(visit, "orders", order_id, order.title, found)

    @post("/", opt=FOR_MEMBERS)
    async def save(self, visit: Visit, order_id: UUID) -> Response[Any]:
        users = chosen(await visit.form())
        await dossier.set_assignees(visit.session, visit.actor, order_id, users, visit.now)
        return go(f"/orders/{order_id}")


class TenderAssigneePages(Controller):
    path = "/tenders/{tender_id:uuid}/assignees"

    @get("/", opt=FOR_MEMBERS)
    async def show(self, visit: Visit, tender_id: UUID) -> Template:
        found = await tenders.list_assignees(visit.session, visit.actor, tender_id)
        tender = await tenders.show(visit.session, visit.actor, tender_id)
        return await _page(visit, "tenders", tender_id, tender.title, found)

    @post("/", opt=FOR_MEMBERS)
    async def save(self, visit: Visit, tender_id: UUID) -> Response[Any]:
        users = chosen(await visit.form())
        await tenders.set_assignees(visit.session, visit.actor, tender_id, users, visit.now)
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
    visit: Visit, area: str, subject_id: UUID, title: str, found: AssigneePage
) -> Template:
    """Managers tick boxes; everybody else reads who works on it."""
    people: Sequence[Assignee | MemberView] = found.items
    may_assign = visit.actor.has_role(*ASSIGNERS)
    if may_assign:
        everybody = (await colleagues.members(visit.session, visit.actor)).items
        people = [person for person in everybody if not person.disabled]
    return await visit.page(
        "assignees.html",
        area=area,
        title=title,
        back=f"/{area}/{subject_id}",
        people=people,
        at_work={person.id for person in found.items},
        may_assign=may_assign,
    )
