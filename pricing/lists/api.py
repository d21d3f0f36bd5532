"""Price lists, resolved prices, history, exchange rates and settings over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.pages import Page, sorted_by
from marketplace.kernel.statements import Reader
from pricing.lists import queries, service
from pricing.lists.schemas import (
    History,
    LinePage,
    NewPriceList,
    NewRates,
    PriceListChange,
    PriceListPage,
    PriceListView,
    PriceSettings,
    RatePage,
    Resolved,
    TierMember,
    VersionPage,
)

READ, WRITE = "prices:read", "prices:write"
KEEPERS = ("admin", "partner_manager", "partner_employee")

Currency = Annotated[str | None, QueryParameter(min_length=3, max_length=3)]
Text = Annotated[str | None, QueryParameter(max_length=200)]
ItemText = Annotated[str, QueryParameter(min_length=1, max_length=200)]
UnitText = Annotated[str | None, QueryParameter(min_length=1, max_length=20)]
Quantity = Annotated[str, QueryParameter(max_length=24)]


class PriceListController(Controller):
    path = "/api/v1/price_lists"
    tags = ("prices",)

    @post(opt=allow(*KEEPERS, scope=WRITE))
    async def create_price_list(
        self, session: AsyncSession, actor: Actor, clock: Clock, data: NewPriceList
    ) -> PriceListView:
        """A list of the own organisation, still without prices."""
        return await service.create_list(session, actor, data, clock.now())

    @get(opt=allow(scope=READ) | sorted_by(queries.LISTS))
    async def list_price_lists(
        self, session: AsyncSession, actor: Actor, page: Page, supplier: UUID | None = None
    ) -> PriceListPage:
        """The own lists first, then those of others that the caller may buy from: published base
        lists are for organisations that buy and for the operator.
        """
        return await service.browse_lists(session, actor, supplier_id=supplier, page=page)

    @get("/{list_id:uuid}", opt=allow(scope=READ))
    async def read_price_list(self, session: AsyncSession, list_id: UUID) -> PriceListView:
        return await service.show_list(session, list_id)

    @put("/{list_id:uuid}", opt=allow(*KEEPERS, scope=WRITE))
    async def change_price_list(
        self, session: AsyncSession, actor: Actor, list_id: UUID, data: PriceListChange
    ) -> PriceListView:
        """Rename, block, archive. Prices change by uploads only."""
        return await service.change_list(session, actor, list_id, data)

    @get("/{list_id:uuid}/versions", opt=allow(scope=READ) | sorted_by(queries.VERSIONS))
    async def list_versions(self, session: AsyncSession, list_id: UUID, page: Page) -> VersionPage:
        """Newest first."""
        return await service.versions(session, list_id, page=page)

    @get(
        "/{list_id:uuid}/versions/{version:int}/lines",
        opt=allow(scope=READ) | sorted_by(queries.LINES),
    )
    async def list_lines(
        self, session: AsyncSession, list_id: UUID, version: int, page: Page, sku: Text = None
    ) -> LinePage:
        """In order of SKU and minimum quantity."""
        return await service.lines(session, list_id, version, sku=sku, page=page)


class PriceController(Controller):
    path = "/api/v1/prices"
    tags = ("prices",)

    @get("/resolve", opt=allow(scope=READ))
    async def resolve_price(
        self,
        reader: Reader,
        clock: Clock,
        item: ItemText,
        supplier: UUID,
        quantity: Quantity = "1",
        unit: UnitText = None,
        currency: Currency = None,
        on: date | None = None,
        known_at: datetime | None = None,
    ) -> Resolved:
        """The price that holds for the caller, and why. `item` is an item's id or the supplier's
        SKU. The quantity, and with it breaks, minimum order and packs, counts in `unit`; by default
        in the item's, for a SKU in the line's own.
        """
        return await service.price_of(
            reader,
            supplier,
            item,
            quantity=quantity,
            unit=unit,
            currency=currency,
            on=on or clock.now().date(),
            known_at=known_at,
        )

    @get("/history", opt=allow(scope=READ))
    async def read_history(
        self,
        session: AsyncSession,
        item: ItemText,
        supplier: UUID,
        known_at: datetime | None = None,
        on: date | None = None,
    ) -> History:
        """What was known when (`known_at`), for which days (`on`)."""
        return await service.history(session, supplier, item, known_at=known_at, on=on)


class RateController(Controller):
    path = "/api/v1/exchange_rates"
    tags = ("prices",)

    @post(opt=allow(scope=WRITE, operator=True))
    async def keep_exchange_rates(
        self, session: AsyncSession, clock: Clock, data: NewRates
    ) -> RatePage:
        """Operator only: dated rates; the newest on or before a day holds on it. Another rate of a
        day corrects it from now on; prices as known before stay as they were.
        """
        return await service.keep_rates(session, data, clock.now())

    @get(opt=allow(scope=READ))
    async def list_exchange_rates(
        self,
        session: AsyncSession,
        currency: Currency = None,
        on: date | None = None,
        known_at: datetime | None = None,
    ) -> RatePage:
        """Newest first, as known at `known_at` (default: now)."""
        return await service.show_rates(session, currency=currency, on=on, known_at=known_at)


class PriceSettingsController(Controller):
    path = "/api/v1/price_settings"
    tags = ("prices",)

    @get(opt=allow(scope=READ))
    async def read_price_settings(self, session: AsyncSession, actor: Actor) -> PriceSettings:
        return await service.show_settings(session, actor)

    @put(opt=allow(*KEEPERS, scope=WRITE))
    async def change_price_settings(
        self, session: AsyncSession, actor: Actor, data: PriceSettings
    ) -> PriceSettings:
        return await service.keep_settings(session, actor, data)


class PriceTierController(Controller):
    path = "/api/v1/price_tiers/{organisation_id:uuid}"
    tags = ("prices",)

    @put(opt=allow(*KEEPERS, scope=WRITE))
    async def put_into_price_tier(
        self, session: AsyncSession, actor: Actor, organisation_id: UUID, data: TierMember
    ) -> TierMember:
        """Which tier list of the own organisation a customer sees."""
        await service.put_into_tier(session, actor, organisation_id, data.tier)
        return data

    @delete(opt=allow(*KEEPERS, scope=WRITE))
    async def take_out_of_price_tier(
        self, session: AsyncSession, actor: Actor, organisation_id: UUID
    ) -> None:
        await service.put_into_tier(session, actor, organisation_id, None)


CONTROLLERS: list[ControllerRouterHandler] = [
    PriceListController,
    PriceController,
    RateController,
    PriceSettingsController,
    PriceTierController,
]
