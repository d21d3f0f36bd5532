"""Wire forms of price lists, versions, lines and resolved prices."""

from __future__ import annotations

import builtins
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.kernel.money import Amount
from pricing.lists.rules import Combination, Line, ListKind, Step, plain, trimmed, unit_price

Name = Annotated[str, Meta(min_length=1, max_length=200)]
DecimalText = Annotated[str, Meta(max_length=24)]
CurrencyCode = Annotated[str, Meta(min_length=3, max_length=3)]


class NewPriceList(Struct, kw_only=True, forbid_unknown_fields=True):
    """`tier` names the tier of a tier list, `programme:CODE` a tier of the operator's partner
    programme; `partner_id` the partner of an agreement's list.
    """

    name: Name
    kind: ListKind = "base"
    tier: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    partner_id: UUID | None = None
    priority: Annotated[int, Meta(ge=0, le=1_000)] = 100


class PriceListChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """A blocked list is shown to nobody but its owner; an archived one cannot come back."""

    name: Name | None = None
    state: Literal["active", "blocked", "archived"] | None = None
    priority: Annotated[int, Meta(ge=0, le=1_000)] | None = None


class PriceListView(Struct, kw_only=True):
    """`supplier` is the name of whose list it is; `version` 0 has never been published."""

    id: UUID
    supplier_id: UUID
    supplier: str
    name: str
    kind: ListKind
    tier: str | None
    partner_id: UUID | None
    priority: int
    state: str
    version: int
    lines: int
    skus: int
    published_at: datetime | None
    created_at: datetime


class PriceListPage(Struct):
    items: list[PriceListView]
    next_cursor: str | None = None


class VersionView(Struct, kw_only=True):
    """`reverts` is the version that this one took back."""

    version: int
    lines: int
    skus: int
    import_id: UUID | None
    reverts: int | None
    published_at: datetime


class VersionPage(Struct):
    items: list[VersionView]
    next_cursor: str | None = None


class LineView(Struct, kw_only=True):
    """`version` is the one that brought the line, `row` its row in that upload. `unit_price` is
    the price of one unit.
    """

    sku: str
    unit: str
    price: Amount
    price_unit: str
    unit_price: Amount
    min_quantity: str
    valid_from: date | None
    valid_to: date | None
    supplier_sku: str | None
    name: str | None
    lead_time_days: int | None
    pack_size: str | None
    moq: str | None
    incoterm: str | None
    version: int
    row: int


class LinePage(Struct):
    items: list[LineView]
    next_cursor: str | None = None


class ListRef(Struct):
    id: UUID
    name: str
    kind: ListKind


class LeastOrder(Struct, frozen=True):
    """The least quantity that can be ordered and is not below the asked one."""

    quantity: str
    unit: str


class Resolved(Struct, kw_only=True):
    """`price` is per `price_unit` of the line's units, `unit_price` for one `unit`, `amount` for
    the whole quantity; all null when nothing holds, and `why` says so. Below the minimum order or
    between packs `why` says that too, and `least_order` what can be ordered instead.
    """

    price: Amount | None
    price_unit: str | None
    unit: str | None
    unit_price: Amount | None
    amount: Amount | None
    least_order: LeastOrder | None
    line: LineView | None
    version: int | None
    list: ListRef | None
    why: builtins.list[Step]


class HistoryEntry(Struct, kw_only=True):
    """A price that was known from `known_from` to `known_to` for `valid_from` to `valid_to`."""

    known_from: datetime
    known_to: datetime | None
    list: ListRef
    line: LineView


class History(Struct):
    items: list[HistoryEntry]
    next_cursor: str | None = None


class NewRates(Struct, forbid_unknown_fields=True):
    """Exchange rates of a day: one `base` costs `rate` of `quote`."""

    rates: Annotated[list[NewRate], Meta(min_length=1, max_length=1_000)]
    source: Annotated[str, Meta(min_length=1, max_length=100)] = "manual"


class NewRate(Struct, forbid_unknown_fields=True):
    base: CurrencyCode
    quote: CurrencyCode
    rate: DecimalText
    on_date: date


class RateView(Struct, kw_only=True):
    """`on_date` is the day it holds from, `known_from` when it was told."""

    base: str
    quote: str
    rate: str
    on_date: date
    source: str
    known_from: datetime


class RatePage(Struct):
    items: list[RateView]
    next_cursor: str | None = None


class PriceSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a supplier's lists work together, and from which change on an uploaded row is held."""

    combination: Combination = "rank"
    hold_change_percent: DecimalText = "50"


class TierMember(Struct, forbid_unknown_fields=True):
    tier: Annotated[str, Meta(min_length=1, max_length=60)]


def line_view(line: Line) -> LineView:
    return LineView(
        sku=line.sku,
        unit=line.unit,
        price=Amount(str(trimmed(line.price)), line.currency),
        price_unit=plain(line.price_unit),
        unit_price=Amount(str(unit_price(line.price, line.price_unit)), line.currency),
        min_quantity=plain(line.min_quantity),
        valid_from=line.valid_from,
        valid_to=line.valid_to,
        supplier_sku=line.supplier_sku,
        name=line.name,
        lead_time_days=line.lead_time_days,
        pack_size=None if line.pack_size is None else plain(line.pack_size),
        moq=None if line.moq is None else plain(line.moq),
        incoterm=line.incoterm,
        version=line.since,
        row=line.row,
    )
