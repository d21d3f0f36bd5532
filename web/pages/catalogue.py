"""The catalogue: search, one item with everybody's prices side by side, and the form that adds or
changes an item.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from pricing.catalogue import service
from pricing.catalogue.api import WRITERS
from pricing.catalogue.queries import ITEMS
from pricing.catalogue.schemas import ItemView, OfferPage
from web.pages import edits
from web.pages.item_form import (
    EMPTY,
    NAMES,
    TAKEN,
    content_of,
    read_change,
    read_new,
    typed_in,
)
from web.pages.render import (
    go,
)
from web.pages.visit import UNTRIED, Attempt, Visit

FOR_MEMBERS = allow(scope=None, waiting=True)
FOR_WRITERS = allow(*WRITERS, scope=None)
ITEMS_A_PAGE = 50
QUERY_CHARS_MAX = 200
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "PLN")


class CataloguePages(Controller):
    path = "/catalogue"

    @get("/", opt=FOR_MEMBERS)
    async def search(
        self,
        visit: Visit,
        q: str = "",
        category: UUID | None = None,
        mine: bool = False,
        cursor: str | None = None,
    ) -> Template:
        """`mine` shows what the own organisation added, retired items too."""
        asked, filters = q.strip()[:QUERY_CHARS_MAX], {}
        if category is not None:
            filters["category"] = category
        if mine:
            filters["owner"] = visit.actor.organisation_id
        part = ITEMS.page(ITEMS_A_PAGE, cursor)
        found = await service.browse_items(visit.session, asked or None, filters=filters, page=part)
        return await visit.page(
            "catalogue/search.html",
            area="catalogue",
            items=found.items,
            next_cursor=found.next_cursor,
            corrected=found.corrected,
            q=asked,
            category=str(category or ""),
            mine=mine,
            categories=await _categories(visit.session),
            may_add=_may_write(visit.actor),
        )

    @get("/new", opt=FOR_WRITERS)
    async def new(self, visit: Visit) -> Template:
        return await _form_page(visit, form=EMPTY)

    @post("/new", opt=FOR_WRITERS)
    async def add(self, visit: Visit) -> Response[Any]:
        form = await visit.form()
        typed = typed_in(form, EMPTY)
        async with visit.trying(form, names=NAMES, codes=TAKEN) as attempt:
            new = read_new(typed, visit.fmt.gettext)
            made = await service.add_item(visit.session, visit.actor, new, visit.now)
            return go(f"/catalogue/{made.id}")
        return await _form_page(visit, attempt, form=typed)

    @get("/{item_id:uuid}", opt=FOR_MEMBERS)
    async def show(
        self,
        visit: Visit,
        blocked_suppliers: frozenset[UUID],
        item_id: UUID,
        quantity: str = "1",
        currency: str = "",
        saved: bool = False,
    ) -> Template:
        """Raises NotFound."""
        item = await service.show_item(visit.session, item_id)
        offers = OfferPage([])
        async with visit.trying() as attempt:
            offers = await service.offers_for(
                visit.session,
                item_id,
                quantity=quantity.strip() or "1",
                currency=currency if currency in CURRENCIES else None,
                on=visit.now.date(),
                but=blocked_suppliers,
            )
        changeable = await service.may_change_item(visit.session, visit.actor, item_id)
        return await visit.page(
            "catalogue/item.html",
            attempt,
            area="catalogue",
            item=item,
            offers=offers.items,
            category=dict(await _categories(visit.session)).get(str(item.category_id)),
            form={"quantity": quantity, "currency": currency},
            currencies=CURRENCIES,
            may_change=changeable and _may_write(visit.actor),
            saved=saved,
        )

    @get("/{item_id:uuid}/edit", opt=FOR_WRITERS)
    async def edit(self, visit: Visit, item_id: UUID) -> Template:
        """Raises NotFound."""
        item = await service.own_item(visit.session, visit.actor, item_id, lock=False)
        editing = edits.opened(item, content_of(item))
        return await _form_page(visit, item=item, editing=editing)

    @post("/{item_id:uuid}/edit", opt=FOR_WRITERS)
    async def change(self, visit: Visit, item_id: UUID) -> Response[Any]:
        """Raises NotFound."""
        form = await visit.form()
        await edits.take_turn_at(visit.session, f"/api/v1/items/{item_id}")
        item = await service.own_item(visit.session, visit.actor, item_id, lock=True)
        present = content_of(item)
        typed = typed_in(form, present)
        async with visit.trying(form, names=NAMES, codes=TAKEN) as attempt:
            edits.require_current(form, item)
            change = read_change(typed, present, visit.fmt.gettext)
            await service.change_item(visit.session, visit.actor, item_id, change)
            return go(f"/catalogue/{item_id}?saved=true")
        editing = edits.returned(item, present, form, typed)
        return await _form_page(visit, attempt, item=item, editing=editing)

    @post("/{item_id:uuid}/retire", opt=FOR_WRITERS)
    async def retire(self, visit: Visit, item_id: UUID) -> Redirect:
        """Raises NotFound."""
        await service.change_item_state(visit.session, visit.actor, item_id, "retired")
        return go(f"/catalogue/{item_id}")

    @post("/{item_id:uuid}/reinstate", opt=FOR_WRITERS)
    async def reinstate(self, visit: Visit, item_id: UUID) -> Redirect:
        """Raises NotFound."""
        await service.change_item_state(visit.session, visit.actor, item_id, "active")
        return go(f"/catalogue/{item_id}")


def _may_write(actor: Actor) -> bool:
    return actor.has_role(*WRITERS) and (actor.operator or actor.state == "active")


async def _categories(session: AsyncSession) -> list[tuple[str, str]]:
    """Id and path, such as `Pumps / Dosing pumps`, in the order of the tree."""
    found = {each.id: each for each in (await service.show_categories(session)).items}
    paths = []
    for each in found.values():
        names, above = [each.name], each.parent_id
        while above in found and len(names) < len(found):
            names.append(found[above].name)
            above = found[above].parent_id
        paths.append((str(each.id), " / ".join(reversed(names))))
    return sorted(paths, key=lambda pair: pair[1].casefold())


async def _form_page(
    visit: Visit,
    attempt: Attempt = UNTRIED,
    *,
    item: ItemView | None = None,
    editing: edits.Editing | None = None,
    form: dict[str, str] | None = None,
) -> Template:
    """Of a new item (`form`) or of one that is changed (`editing`)."""
    stale = editing is not None and editing.stale
    return await visit.page(
        "catalogue/edit.html",
        attempt,
        area="catalogue",
        item=item,
        categories=await _categories(visit.session),
        editing=editing,
        form=editing.values if editing else form,
        problem=None if stale else attempt.box,
    )
