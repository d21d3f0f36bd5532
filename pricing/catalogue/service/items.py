"""Items and what they are sorted by."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page
from marketplace.kernel.skus import require_sku
from pricing.catalogue import queries
from pricing.catalogue.codes import Named, code_errors
from pricing.catalogue.rules import corrected, is_gtin, words_of
from pricing.catalogue.schemas import (
    CategoryPage,
    CategoryView,
    Classification,
    CodePage,
    CodeView,
    ItemChange,
    ItemPage,
    ItemView,
    NewCategory,
    NewItem,
    UnitPage,
    UnitView,
)
from pricing.lists.rules import plain
from pricing.lists.service import unit_code


async def add_item(session: AsyncSession, actor: Actor, data: NewItem, now: datetime) -> ItemView:
    """Raises Forbidden, Invalid, Conflict (the SKU or GTIN is taken)."""
    if not actor.operator:
        actor.require_active()
    require_sku("sku", data.sku)
    if data.gtin is not None and not is_gtin(data.gtin):
        raise Invalid.field("gtin", "malformed", "The check digit of this GTIN is wrong.")
    item_id = new_id()
    code = data.classification
    await _check_code(session, code)
    values = {
        "id": item_id,
        "organisation": actor.organisation_id,
        "sku": data.sku or item_id.hex,
        "gtin": data.gtin,
        "name": data.name,
        "names": msgspec.json.encode(data.names).decode(),
        "description": data.description,
        "kind": data.kind,
        "unit": await unit_code(session, data.unit),
        "category": data.category_id,
        "scheme": code and code.scheme,
        "list_version": code and code.list_version,
        "code": code and code.code,
        "now": now,
    }
    try:
        async with session.begin_nested():
            await queries.insert_item(session, values)
    except IntegrityError as wrong:
        raise _taken(str(wrong.orig)) from None
    return await show_item(session, item_id)


async def change_item(
    session: AsyncSession, actor: Actor, item_id: UUID, data: ItemChange
) -> ItemView:
    """Raises NotFound (somebody else's item too), Invalid, Conflict (the SKU or GTIN is taken)."""
    await _own(session, actor, item_id)
    given = {
        name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET
    }
    require_sku("sku", given.get("sku"))
    if given.get("gtin") is not None and not is_gtin(given["gtin"]):
        raise Invalid.field("gtin", "malformed", "The check digit of this GTIN is wrong.")
    if "unit" in given:
        given["unit"] = await unit_code(session, given["unit"])
    if "names" in given:
        given["names"] = msgspec.json.encode(given["names"]).decode()
    if "classification" in given:
        code = given.pop("classification")
        await _check_code(session, code)
        for column in ("scheme", "list_version", "code"):
            given[column] = None if code is None else getattr(code, column)
    if given:
        try:
            async with session.begin_nested():
                await queries.update_item(session, item_id, given)
        except IntegrityError as wrong:
            raise _taken(str(wrong.orig)) from None
    return await show_item(session, item_id)


async def change_item_state(
    session: AsyncSession, actor: Actor, item_id: UUID, state: str
) -> ItemView:
    """`state` is active or retired; the same again is no fault. Raises NotFound."""
    await _own(session, actor, item_id)
    await queries.update_item(session, item_id, {"state": state})
    return await show_item(session, item_id)


async def may_change_item(session: AsyncSession, actor: Actor, item_id: UUID) -> bool:
    """Whether it is the actor's own one, or the actor the operator."""
    return actor.operator or await queries.is_owner(session, item_id, actor.organisation_id)


async def own_item(session: AsyncSession, actor: Actor, item_id: UUID, *, lock: bool) -> ItemView:
    """One that the actor may change; with `lock` it is held until the transaction ends. Raises
    NotFound.
    """
    await _own(session, actor, item_id, lock=lock)
    return await show_item(session, item_id)


async def _own(session: AsyncSession, actor: Actor, item_id: UUID, *, lock: bool = True) -> None:
    owner = await queries.owner_of_item(session, item_id, lock=lock)
    if owner is None or (owner != actor.organisation_id and not actor.operator):
        raise NotFound("item")


async def _check_code(session: AsyncSession, code: Classification | None) -> None:
    """Raises Invalid."""
    if code is None:
        return
    named = Named(code.scheme, code.list_version, code.code)
    errors = await code_errors(session, [("classification.code", named)])
    if errors:
        raise Invalid("unknown_code", errors[0].message, errors=errors)


def _taken(told: str) -> Conflict | Invalid:
    if "uq_items_sku" in told:
        return Conflict("sku_taken", "An item with this SKU exists.")
    if "uq_items_gtin" in told:
        return Conflict("gtin_taken", "An item with this GTIN exists.")
    return Invalid.field("category_id", "unknown_category", "There is no such category.")


async def show_item(session: AsyncSession, item_id: UUID) -> ItemView:
    found = await queries.find_item(session, item_id)
    if found is None:
        raise NotFound("item")
    return item_view(found)


def item_view(row: RowMapping) -> ItemView:
    classification = None
    if row["scheme"] is not None:
        classification = Classification(
            scheme=row["scheme"], list_version=row["list_version"], code=row["code"]
        )
    return ItemView(
        id=row["id"],
        sku=row["sku"],
        gtin=row["gtin"],
        name=row["name"],
        names=msgspec.json.decode(row["names"], type=dict[str, str]),
        description=row["description"],
        kind=row["kind"],
        unit=row["unit"],
        category_id=row["category_id"],
        classification=classification,
        state=row["state"],
        created_at=row["created_at"],
    )


async def browse_items(
    session: AsyncSession, q: str | None, *, filters: dict[str, Any], page: Page
) -> ItemPage:
    """A search that finds nothing is tried again with the words that were probably meant."""
    words = words_of(q or "")
    if q and q.strip() and not words:
        return ItemPage([])
    # PostgreSQL takes no NUL, and no number has anything unprintable in it.
    number = q.strip() if q and q.isprintable() else ""
    found = await queries.browse_items(session, words, number=number, filters=filters, page=page)
    told = None
    # Every page of a corrected search finds nothing by the words as they were typed.
    if words and not found:
        better = [corrected(w, await queries.vocabulary(session, w)) or w for w in words]
        if better != words:
            told = " ".join(better)
            found = await queries.browse_items(session, better, filters=filters, page=page)
    shown, more = page.cut(found)
    return ItemPage([item_view(row) for row in shown], more, told if shown else None)


async def add_category(session: AsyncSession, data: NewCategory) -> CategoryView:
    """Operator only (the route says so). Raises Invalid, Conflict."""
    category_id = new_id()
    try:
        async with session.begin_nested():
            names = msgspec.json.encode(data.names).decode()
            await queries.insert_category(session, category_id, data.parent_id, data.name, names)
    except IntegrityError as wrong:
        if "uq_categories" in str(wrong.orig):
            raise Conflict("category_taken", "There is a category of this name here.") from None
        raise Invalid.field("parent_id", "unknown_category", "No such category.") from None
    return CategoryView(id=category_id, parent_id=data.parent_id, name=data.name, names=data.names)


async def show_categories(session: AsyncSession) -> CategoryPage:
    return CategoryPage(
        [
            CategoryView(
                id=row["id"],
                parent_id=row["parent_id"],
                name=row["name"],
                names=msgspec.json.decode(row["names"], type=dict[str, str]),
            )
            for row in await queries.categories(session)
        ]
    )


async def show_codes(
    session: AsyncSession,
    *,
    scheme: str,
    list_version: str | None,
    parent: str | None,
    q: str | None,
    language: str,
    page: Page,
) -> CodePage:
    """One branch of a classification, or what matches `q` anywhere in it."""
    found = await queries.codes(
        session,
        scheme=scheme,
        list_version=list_version,
        parent=parent,
        q=q,
        language=language,
        page=page,
    )
    shown, more = page.cut(found)
    return CodePage([CodeView(**row) for row in shown], more)


async def show_units(session: AsyncSession, *, page: Page) -> UnitPage:
    found, more = page.cut(await queries.units(session, page))
    views = [
        UnitView(
            code=row["code"],
            name=row["name"],
            symbol=row["symbol"],
            base_code=row["base_code"],
            factor=None if row["factor"] is None else plain(row["factor"]),
        )
        for row in found
    ]
    return UnitPage(views, more)
