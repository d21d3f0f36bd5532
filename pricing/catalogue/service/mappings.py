"""Which shared item a supplier's own SKU is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pages import PAGE_DEFAULT, PAGE_MAX, Page
from marketplace.kernel.skus import require_sku
from pricing.catalogue import queries
from pricing.catalogue.rules import most_alike, words_of
from pricing.catalogue.schemas import Decision, MappingPage, MappingView, Proposing
from pricing.lists import service as lists

PROPOSED_AT_ONCE_MAX = 200
CANDIDATES_MAX = 20


async def browse_mappings(
    session: AsyncSession, actor: Actor, *, state: str | None, page: Page
) -> MappingPage:
    found = await queries.mappings(session, actor.organisation_id, state=state, page=page)
    shown, more = page.cut(found)
    return MappingPage([MappingView(**row) for row in shown], more)


async def decide(session: AsyncSession, actor: Actor, data: Decision, now: datetime) -> MappingPage:
    """The supplier's word on one SKU; it goes before everything found by likeness. Raises
    NotFound, Invalid.
    """
    actor.require_capability("supplies")
    require_sku("sku", data.sku)
    if await queries.find_item(session, data.item_id) is None:
        raise NotFound("item")
    decided = queries.NewMapping(
        supplier_id=actor.organisation_id,
        sku=data.sku,
        item_id=data.item_id,
        method="manual",
        state=data.state,
        similarity=None,
        created_at=now,
    )
    await queries.keep_mapping(session, decided)
    page = queries.MAPPINGS.page(PAGE_DEFAULT)
    return await browse_mappings(session, actor, state=data.state, page=page)


async def propose(
    session: AsyncSession, actor: Actor, data: Proposing, now: datetime
) -> MappingPage:
    """Look up to PROPOSED_AT_ONCE_MAX unmapped SKUs of a list up by name; every proposal waits for
    a decision. Raises NotFound.
    """
    actor.require_capability("supplies")
    await lists.own(session, actor, data.price_list_id)
    for line in await queries.unmapped_lines(session, data.price_list_id, PROPOSED_AT_ONCE_MAX):
        candidates = await queries.items_with_any_word(
            session,
            words_of(line["name"]),
            scheme=data.scheme,
            code=data.code,
            limit=CANDIDATES_MAX,
        )
        best = most_alike(line["name"], candidates)
        if best is None:
            continue
        proposed = queries.NewMapping(
            supplier_id=actor.organisation_id,
            sku=line["sku"],
            item_id=UUID(best[0]),
            method="similar",
            state="proposed",
            similarity=best[1],
            created_at=now,
        )
        await queries.keep_mapping(session, proposed)
    return await browse_mappings(
        session, actor, state="proposed", page=queries.MAPPINGS.page(PAGE_MAX)
    )
