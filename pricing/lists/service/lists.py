"""Keep price lists and read their versions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page
from pricing.lists import queries
from pricing.lists.queries import ListRow
from pricing.lists.schemas import (
    LinePage,
    NewPriceList,
    PriceListChange,
    PriceListPage,
    PriceListView,
    VersionPage,
    VersionView,
    line_view,
)

LISTS_MAX = 1_000


async def create_list(
    session: AsyncSession, actor: Actor, data: NewPriceList, now: datetime
) -> PriceListView:
    """A list without any version. Raises Forbidden, Invalid, Conflict (too many)."""
    actor.require_capability("supplies")
    if (data.kind == "tier") != (data.tier is not None):
        raise Invalid.field("tier", "tier_mismatch", "A tier list, and only that, names its tier.")
    if (data.kind == "agreement") != (data.partner_id is not None):
        raise Invalid.field(
            "partner_id", "partner_mismatch", "An agreement's list, and only that, names a partner."
        )
    if data.partner_id is not None and not await queries.organisation_exists(
        session, data.partner_id
    ):
        raise Invalid.field("partner_id", "unknown_partner", "There is no such organisation.")
    count = await queries.count_lists(session, actor.organisation_id)
    if count >= LISTS_MAX:
        raise Conflict("too_many_lists", f"A supplier keeps at most {LISTS_MAX} price lists.")
    new = queries.NewListRow(
        id=new_id(),
        supplier_id=actor.organisation_id,
        name=data.name,
        kind=data.kind,
        tier=data.tier,
        partner_id=data.partner_id,
        priority=data.priority,
        created_at=now,
    )
    await queries.insert_list(session, new)
    return _view(await seen(session, new.id))


async def seen(session: AsyncSession, list_id: UUID) -> ListRow:
    """A list the caller may see. Raises NotFound."""
    found = await queries.find_list(session, list_id)
    if found is None:
        raise NotFound("price list")
    return found


async def own(session: AsyncSession, actor: Actor, list_id: UUID) -> ListRow:
    """A list of the caller's organisation. Raises NotFound."""
    found = await seen(session, list_id)
    if found.supplier_id != actor.organisation_id:
        raise NotFound("price list")
    return found


def _view(row: ListRow) -> PriceListView:
    return PriceListView(
        id=row.id,
        supplier_id=row.supplier_id,
        supplier=row.supplier,
        name=row.name,
        kind=row.kind,
        tier=row.tier,
        partner_id=row.partner_id,
        priority=row.priority,
        state=row.state,
        version=row.version,
        lines=row.lines,
        skus=row.skus,
        published_at=row.published_at,
        created_at=row.created_at,
    )


async def show_list(session: AsyncSession, list_id: UUID) -> PriceListView:
    return _view(await seen(session, list_id))


async def browse_lists(
    session: AsyncSession, actor: Actor, *, supplier_id: UUID | None = None, page: Page
) -> PriceListPage:
    """The own lists first unless `sort` says otherwise."""
    found, more = await queries.browse_lists(
        session, actor.organisation_id, supplier_id=supplier_id, page=page
    )
    return PriceListPage([_view(row) for row in found], more)


async def change_list(
    session: AsyncSession, actor: Actor, list_id: UUID, data: PriceListChange
) -> PriceListView:
    """Raises NotFound, Conflict (an archived list stays archived)."""
    found = await own(session, actor, list_id)
    actor.require_capability("supplies")
    if found.state == "archived":
        raise Conflict("archived", "An archived list stays as it is.")
    await queries.update_list(
        session, list_id, name=data.name, state=data.state, priority=data.priority
    )
    return await show_list(session, list_id)


async def versions(session: AsyncSession, list_id: UUID, *, page: Page) -> VersionPage:
    """Newest first unless `sort` says otherwise. Raises NotFound."""
    await seen(session, list_id)
    found, more = page.cut(await queries.versions_of(session, list_id, page))
    views = [
        VersionView(
            version=row["version"],
            lines=row["lines"],
            skus=row["skus"],
            import_id=row["import_id"],
            reverts=row["reverts"],
            published_at=row["published_at"],
        )
        for row in found
    ]
    return VersionPage(views, more)


async def lines(
    session: AsyncSession, list_id: UUID, version: int, *, sku: str | None = None, page: Page
) -> LinePage:
    """One page of a version's lines in order of SKU and quantity. Raises NotFound."""
    found = await seen(session, list_id)
    content = await queries.content_of(session, list_id, version)
    if content is None:
        raise NotFound("version")
    got, more = page.cut(
        await queries.lines_of(session, found.list_no, content, sku=sku, page=page)
    )
    return LinePage([line_view(line) for line in got], more)
