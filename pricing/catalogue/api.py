"""The catalogue over HTTP."""

from __future__ import annotations

import zlib
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Request, get, patch, post, put
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow, takes
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.errors import Invalid, TooLarge
from marketplace.kernel.pages import Page, sorted_by
from pricing.catalogue import loading, queries, service
from pricing.catalogue.schemas import (
    CategoryPage,
    CategoryView,
    CodePage,
    Decision,
    ItemChange,
    ItemPage,
    ItemView,
    Loaded,
    MappingPage,
    NewCategory,
    NewItem,
    OfferPage,
    Proposing,
    UnitPage,
)

READ, WRITE = "catalogue:read", "catalogue:write"
WRITERS = (
    *("admin", "channel_manager", "procurement_officer"),
    *("partner_manager", "partner_employee"),
)
KEEPERS = ("admin", "partner_manager", "partner_employee")

Text = Annotated[str | None, QueryParameter(max_length=200)]
Scheme = Annotated[str, QueryParameter(pattern="^[A-Z0-9_-]{1,20}$")]
Currency = Annotated[str | None, QueryParameter(min_length=3, max_length=3)]
UnitText = Annotated[str | None, QueryParameter(min_length=1, max_length=20)]
Quantity = Annotated[str, QueryParameter(max_length=24)]
Language = Annotated[str, QueryParameter(pattern="^[a-z]{2}$")]


class ItemController(Controller):
    path = "/api/v1/items"
    tags = ("catalogue",)

    @post(opt=allow(*WRITERS, scope=WRITE))
    async def add_item(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewItem
    ) -> ItemView:
        return await service.add_item(session, actor, data, clock.now())

    @get(opt=allow(scope=READ) | sorted_by(queries.ITEMS))
    async def list_items(
        self,
        session: AsyncSession,
        page: Page,
        q: Text = None,
        category: UUID | None = None,
        supplier: UUID | None = None,
        scheme: Text = None,
        code: Text = None,
        kind: Literal["product", "service"] | None = None,
    ) -> ItemPage:
        """Search by beginnings of words in any language of the items; misspelt words are
        corrected. A category or code stands for its whole branch. Sorted by `relevance`, the best
        matches come first; without words the names are in order.
        """
        told = {
            "category": category,
            "supplier": supplier,
            "scheme": scheme,
            "code": code,
            "kind": kind,
        }
        filters = {name: value for name, value in told.items() if value is not None}
        return await service.browse_items(session, q, filters=filters, page=page)

    @get("/{item_id:uuid}", opt=allow(scope=READ))
    async def read_item(self, session: AsyncSession, item_id: UUID) -> ItemView:
        return await service.show_item(session, item_id)

    @patch("/{item_id:uuid}", opt=allow(*WRITERS, scope=WRITE))
    async def change_item(
        self, session: AsyncSession, actor: Actor, item_id: UUID, data: ItemChange
    ) -> ItemView:
        """By the organisation that added it, or by the operator."""
        return await service.change_item(session, actor, item_id, data)

    @post("/{item_id:uuid}/retire", status_code=200, opt=allow(*WRITERS, scope=WRITE))
    async def retire_item(self, session: AsyncSession, actor: Actor, item_id: UUID) -> ItemView:
        """The search finds it no more; prices, tenders and orders that name it stay."""
        return await service.change_item_state(session, actor, item_id, "retired")

    @post("/{item_id:uuid}/reinstate", status_code=200, opt=allow(*WRITERS, scope=WRITE))
    async def reinstate_item(self, session: AsyncSession, actor: Actor, item_id: UUID) -> ItemView:
        return await service.change_item_state(session, actor, item_id, "active")

    @get("/{item_id:uuid}/offers", opt=allow(scope=READ), summary="Compare the offers for an item")
    async def list_offers(
        self,
        session: AsyncSession,
        clock: Clock,
        item_id: UUID,
        blocked_suppliers: frozenset[UUID],
        quantity: Quantity = "1",
        unit: UnitText = None,
        currency: Currency = None,
        on: date | None = None,
    ) -> OfferPage:
        """All suppliers side by side, per base unit, the cheapest first. The quantity counts in
        `unit`, by default the item's. What cannot be compared, or not be ordered in this quantity,
        stands at the end with the `reason`; suppliers whom the caller has blocked are left out.
        """
        return await service.offers_for(
            session,
            item_id,
            quantity=quantity,
            unit=unit,
            currency=currency,
            on=on or clock.now().date(),
            but=blocked_suppliers,
        )


class CategoryController(Controller):
    path = "/api/v1/categories"
    tags = ("catalogue",)

    @post(opt=allow(scope=WRITE, operator=True))
    async def add_category(self, session: AsyncSession, data: NewCategory) -> CategoryView:
        return await service.add_category(session, data)

    @get(opt=allow(scope=READ))
    async def list_categories(self, session: AsyncSession) -> CategoryPage:
        return await service.show_categories(session)


class ClassificationController(Controller):
    path = "/api/v1/classifications"
    tags = ("catalogue",)

    @get("/{scheme:str}", opt=allow(scope=READ) | sorted_by(queries.CODES))
    async def list_codes(
        self,
        session: AsyncSession,
        scheme: str,
        page: Page,
        list_version: Text = None,
        parent: Text = None,
        q: Text = None,
        language: Language = "en",
    ) -> CodePage:
        """One level of the tree, or what matches `q`."""
        return await service.show_codes(
            session,
            scheme=scheme,
            list_version=list_version,
            parent=parent,
            q=q,
            language=language,
            page=page,
        )

    @put(
        "/{scheme:str}/{list_version:str}",
        opt=allow(scope=WRITE, operator=True) | takes("application/json"),
        request_max_body_size=loading.LIST_BYTES_MAX,
    )
    async def load_codes(
        self,
        request: Request[Any, Any, Any],
        session: AsyncSession,
        scheme: str,
        list_version: str,
        language: Language = "en",
    ) -> Loaded:
        """Operator only: a JSON object from codes to names, optionally gzip."""
        names = loading.read_names(unpacked(await request.body()))
        return await loading.load_classification(session, scheme, list_version, language, names)


class UnitController(Controller):
    path = "/api/v1/units"
    tags = ("catalogue",)

    @get(opt=allow(scope=READ) | sorted_by(queries.UNITS))
    async def list_units(self, session: AsyncSession, page: Page) -> UnitPage:
        return await service.show_units(session, page=page)

    @put(
        "/{list_version:str}",
        opt=allow(scope=WRITE, operator=True) | takes("application/json"),
        request_max_body_size=loading.LIST_BYTES_MAX,
    )
    async def load_units(
        self, request: Request[Any, Any, Any], session: AsyncSession, list_version: str
    ) -> Loaded:
        """Operator only: a JSON object from codes to name and symbol, optionally gzip."""
        units = loading.read_units(unpacked(await request.body()))
        return await loading.load_units(session, list_version, units)


class MappingController(Controller):
    path = "/api/v1/sku_mappings"
    tags = ("catalogue",)

    @get(opt=allow(scope=READ) | sorted_by(queries.MAPPINGS))
    async def list_mappings(
        self,
        session: AsyncSession,
        actor: Actor,
        page: Page,
        mapping_state: Annotated[
            Literal["confirmed", "proposed", "rejected"] | None, QueryParameter(name="state")
        ] = None,
    ) -> MappingPage:
        """Which items the own SKUs are."""
        return await service.browse_mappings(session, actor, state=mapping_state, page=page)

    @post(status_code=200, opt=allow(*KEEPERS, scope=WRITE))
    async def decide_mapping(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: Decision
    ) -> MappingPage:
        """Confirm or reject."""
        return await service.decide(session, actor, data, clock.now())

    @post("/propose", status_code=200, opt=allow(*KEEPERS, scope=WRITE))
    async def propose_mappings(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: Proposing
    ) -> MappingPage:
        """Find items by name for SKUs that have none yet; each waits for a decision."""
        return await service.propose(session, actor, data, clock.now())


def unpacked(body: bytes) -> bytes:
    """Plain bytes of a body that may be gzip, within LIST_BYTES_MAX. Raises Invalid, TooLarge."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, loading.LIST_BYTES_MAX)
    except zlib.error as wrong:
        raise Invalid("broken_gzip", "The gzip body is damaged.") from wrong
    if inflater.unconsumed_tail:
        raise TooLarge("too_large", "Unpacked the list is too large.")
    return plain


CONTROLLERS: list[ControllerRouterHandler] = [
    ItemController,
    CategoryController,
    ClassificationController,
    UnitController,
    MappingController,
]
