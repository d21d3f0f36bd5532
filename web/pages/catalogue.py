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
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Invalid, Problem
from pricing.catalogue import service
from pricing.catalogue.api import WRITERS
from pricing.catalogue.queries import ITEMS
from pricing.catalogue.schemas import ItemView, OfferPage
from web.pages import edits
from web.pages.forms import read_form
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
    AnyRequest,
    Viewer,
    field_errors,
    go,
    language_of,
    page,
    told,
    viewer_of,
)

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
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
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
            filters["owner"] = actor.organisation_id
        part = ITEMS.page(ITEMS_A_PAGE, cursor)
        found = await service.browse_items(session, asked or None, filters=filters, page=part)
        return page(
            request,
            "catalogue/search.html",
            viewer=await viewer_of(session, actor),
            area="catalogue",
            items=found.items,
            next_cursor=found.next_cursor,
            corrected=found.corrected,
            q=asked,
            category=str(category or ""),
            mine=mine,
            categories=await _categories(session),
            may_add=_may_write(actor),
        )

    @get("/new", opt=FOR_WRITERS)
    async def new(self, request: AnyRequest, session: AsyncSession, actor: Actor) -> Template:
        who, categories = await viewer_of(session, actor), await _categories(session)
        return _form_page(request, who, categories, form=EMPTY)

    @post("/new", opt=FOR_WRITERS)
    async def add(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, clock: Clock
    ) -> Response[Any]:
        typed = typed_in(await read_form(request), EMPTY)
        who, categories = await viewer_of(session, actor), await _categories(session)
        try:
            new = read_new(typed, language_of(request).gettext)
            made = await service.add_item(session, actor, new, clock.now())
        except Problem as problem:
            return _form_page(request, who, categories, form=typed, problem=problem)
        return go(f"/catalogue/{made.id}")

    @get("/{item_id:uuid}", opt=FOR_MEMBERS)
    async def show(
        self,
        request: AnyRequest,
        session: AsyncSession,
        actor: Actor,
        clock: Clock,
        blocked_suppliers: frozenset[UUID],
        item_id: UUID,
        quantity: str = "1",
        currency: str = "",
        saved: bool = False,
    ) -> Template:
        """Raises NotFound."""
        item = await service.show_item(session, item_id)
        offers, problem = OfferPage([]), None
        try:
            offers = await service.offers_for(
                session,
                item_id,
                quantity=quantity.strip() or "1",
                currency=currency if currency in CURRENCIES else None,
                on=clock.now().date(),
                but=blocked_suppliers,
            )
        except Invalid as wrong:
            problem = wrong
        changeable = await service.may_change_item(session, actor, item_id)
        return page(
            request,
            "catalogue/item.html",
            viewer=await viewer_of(session, actor),
            status=problem.status if problem else 200,
            area="catalogue",
            item=item,
            offers=offers.items,
            category=dict(await _categories(session)).get(str(item.category_id)),
            form={"quantity": quantity, "currency": currency},
            errors=field_errors(problem) if problem else {},
            currencies=CURRENCIES,
            may_change=changeable and _may_write(actor),
            saved=saved,
        )

    @get("/{item_id:uuid}/edit", opt=FOR_WRITERS)
    async def edit(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, item_id: UUID
    ) -> Template:
        """Raises NotFound."""
        item = await service.own_item(session, actor, item_id, lock=False)
        who, categories = await viewer_of(session, actor), await _categories(session)
        editing = edits.opened(item, content_of(item))
        return _form_page(request, who, categories, item=item, editing=editing)

    @post("/{item_id:uuid}/edit", opt=FOR_WRITERS)
    async def change(
        self, request: AnyRequest, session: AsyncSession, actor: Actor, item_id: UUID
    ) -> Response[Any]:
        """Raises NotFound."""
        form = await read_form(request)
        await edits.take_turn_at(session, f"/api/v1/items/{item_id}")
        item = await service.own_item(session, actor, item_id, lock=True)
        present = content_of(item)
        typed = typed_in(form, present)
        who, categories = await viewer_of(session, actor), await _categories(session)
        try:
            edits.require_current(form, item)
            change = read_change(typed, present, language_of(request).gettext)
            await service.change_item(session, actor, item_id, change)
        except Problem as problem:
            editing = edits.returned(item, present, form, typed)
            return _form_page(request, who, categories, item=item, editing=editing, problem=problem)
        return go(f"/catalogue/{item_id}?saved=true")

    @post("/{item_id:uuid}/retire", opt=FOR_WRITERS)
    async def retire(self, session: AsyncSession, actor: Actor, item_id: UUID) -> Redirect:
        """Raises NotFound."""
        await service.change_item_state(session, actor, item_id, "retired")
        return go(f"/catalogue/{item_id}")

    @post("/{item_id:uuid}/reinstate", opt=FOR_WRITERS)
    async def reinstate(self, session: AsyncSession, actor: Actor, item_id: UUID) -> Redirect:
        """Raises NotFound."""
        await service.change_item_state(session, actor, item_id, "active")
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


def _form_page(
    request: AnyRequest,
    who: Viewer,
    categories: list[tuple[str, str]],
    *,
    item: ItemView | None = None,
    editing: edits.Editing | None = None,
    form: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Template:
    """Of a new item (`form`) or of one that is changed (`editing`)."""
    errors = field_errors(problem, NAMES) if problem else {}
    if problem and problem.code in TAKEN:
        errors = {TAKEN[problem.code]: problem.detail}
    stale = editing is not None and editing.stale
    return page(
        request,
        "catalogue/edit.html",
        viewer=who,
        status=problem.status if problem else 200,
        area="catalogue",
        item=item,
        categories=categories,
        editing=editing,
        form=editing.values if editing else form,
        errors=errors,
        problem=None if errors or stale else told(problem),
    )
