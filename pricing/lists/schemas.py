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
    """A price list without a version yet.

    name        for people, e.g. `Spring 2026`
    kind        who sees it: `base` every buyer, `tier` the members of a tier, `agreement` one
                partner
    tier        of a tier list: the tier's name, or `programme:CODE` for a tier of the operator's
                programme, e.g. `gold`
    partner_id  of an agreement list: the organisation it is for
    priority    of two lists of one kind the lower number goes first, e.g. `100`
    """

    name: Name
    kind: ListKind = "base"
    tier: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    partner_id: UUID | None = None
    priority: Annotated[int, Meta(ge=0, le=1_000)] = 100


class PriceListChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """A blocked list is shown to nobody but its owner; an archived one cannot come back.

    name      for people, e.g. `Spring 2026`
    state     null: as it is
    priority  of two lists of one kind the lower number goes first, e.g. `100`
    """

    name: Name | None = None
    state: Literal["active", "blocked", "archived"] | None = None
    priority: Annotated[int, Meta(ge=0, le=1_000)] | None = None


class PriceListView(Struct, kw_only=True):
    """A price list.

    supplier      name of the organisation whose list it is, e.g. `Pumps Ltd`
    name          for people, e.g. `Spring 2026`
    kind          who sees it: `base` every buyer, `tier` the members of a tier, `agreement` one
                  partner
    tier          of a tier list: whose members see it; null: another kind, e.g. `gold`
    partner_id    of an agreement list: the organisation it is for; null: another kind
    priority      of two lists of one kind the lower number goes first, e.g. `100`
    state         `active`, `blocked`: only its owner sees it, or `archived` for good, e.g. `active`
    version       the one that holds; 0: nothing was published yet, e.g. `3`
    lines         prices in that version, e.g. `500000`
    skus          articles in that version, e.g. `120000`
    published_at  when that version was published; null: none was
    """

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
    """Price lists the caller may read."""

    items: list[PriceListView]
    next_cursor: str | None = None


class VersionView(Struct, kw_only=True):
    """A published version, which never changes.

    version       counted by list, from 1, e.g. `3`
    lines         prices in it, e.g. `500000`
    skus          articles in it, e.g. `120000`
    import_id     the upload it came from; null: a rollback made it
    reverts       the version this one took back; null: it took none back, e.g. `2`
    published_at  from then on it held
    """

    version: int
    lines: int
    skus: int
    import_id: UUID | None
    reverts: int | None
    published_at: datetime


class VersionPage(Struct):
    """Versions of a list, the newest first."""

    items: list[VersionView]
    next_cursor: str | None = None


class LineView(Struct, kw_only=True):
    """One price: an article in a unit and currency, from a quantity on, for a period.

    price         of `price_unit` units
    unit_price    of one unit
    valid_from    the first day it holds; null: open
    valid_to      the last day it holds; null: open
    supplier_sku  the maker's or a former number; null: none, e.g. `AB-77`
    name          as the supplier calls it; null: not stated, e.g. `Circulation pump 25-40`
    pack_size     it is sold in multiples of this; null: any quantity, e.g. `10`
    moq           the least that can be ordered; null: no minimum, e.g. `20`
    version       the version that brought the line, e.g. `3`
    row           its row in that upload; the header is row 1, e.g. `42`
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
    """Lines of one version."""

    items: list[LineView]
    next_cursor: str | None = None


class ListRef(Struct):
    """The price list a price is from.

    name  for people, e.g. `Spring 2026`
    kind  `base`, `tier` or `agreement`
    """

    id: UUID
    name: str
    kind: ListKind


class LeastOrder(Struct, frozen=True):
    """The least quantity that can be ordered and is not below the asked one.

    quantity  in units of `unit`, e.g. `20`
    """

    quantity: str
    unit: str


class Resolved(Struct, kw_only=True):
    """The price that holds for a quantity on a day. All is null where none holds; `why` says so.

    price        of `price_unit` of the line's units
    unit         what the question counted in, e.g. `C62`
    unit_price   of one `unit`
    amount       of the whole quantity
    least_order  what can be ordered instead, where the quantity is below the minimum or between
                 packs; null: it can be ordered
    line         the line that won
    version      the version the line is from, e.g. `3`
    list         the list the line is from
    why          every list and line that was looked at, in the order of the decision
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
    """A price that was known in one period and held in another.

    known_from  when it was published
    known_to    when another version took its place; null: it is the newest
    list        the list it is from
    line        the price, with the days it holds for
    """

    known_from: datetime
    known_to: datetime | None
    list: ListRef
    line: LineView


class History(Struct):
    """Prices of one article as they were known, the newest first."""

    items: list[HistoryEntry]
    next_cursor: str | None = None


class NewRates(Struct, forbid_unknown_fields=True):
    """Exchange rates of some days.

    rates   1 to 1,000 of them
    source  who says so, e.g. `ECB`
    """

    rates: Annotated[list[NewRate], Meta(min_length=1, max_length=1_000)]
    source: Annotated[str, Meta(min_length=1, max_length=100)] = "manual"


class NewRate(Struct, forbid_unknown_fields=True):
    """One `base` costs `rate` of `quote`.

    base     ISO 4217, e.g. `EUR`
    quote    ISO 4217, another one, e.g. `PLN`
    rate     more than 0, a decimal text, e.g. `4.2715`
    on_date  the day it holds from, until a newer one
    """

    base: CurrencyCode
    quote: CurrencyCode
    rate: DecimalText
    on_date: date


class RateView(Struct, kw_only=True):
    """One `base` costs `rate` of `quote`.

    base        ISO 4217, e.g. `EUR`
    quote       ISO 4217, e.g. `PLN`
    rate        a decimal text, e.g. `4.2715`
    on_date     the day it holds from, until a newer one
    source      who says so, e.g. `ECB`
    known_from  when it was entered here
    """

    base: str
    quote: str
    rate: str
    on_date: date
    source: str
    known_from: datetime


class RatePage(Struct):
    """Exchange rates."""

    items: list[RateView]
    next_cursor: str | None = None


class PriceSettings(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a supplier's lists work together.

    combination          `rank`: agreement before tier before base; `lowest`: the lowest price of
                         all
    hold_change_percent  an uploaded price that moves by more is held until somebody confirms it,
                         e.g. `50`
    """

    combination: Combination = "rank"
    hold_change_percent: DecimalText = "50"


class TierMember(Struct, forbid_unknown_fields=True):
    """Puts a partner into a tier of the caller's price lists.

    tier  as the tier lists name it, e.g. `gold`
    """

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
