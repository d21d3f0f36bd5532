"""Wire forms of items, categories, classifications, mappings and offers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from marketplace.kernel.money import Amount
from pricing.lists.schemas import ListRef, Resolved

Name = Annotated[str, Meta(min_length=1, max_length=300)]
SkuText = Annotated[str, Meta(min_length=1, max_length=100)]


class Classification(Struct, kw_only=True, forbid_unknown_fields=True):
    """A code and the list, with its version, that defines it.

    scheme  the list's name in capital letters, e.g. `CPV`
    code    as that edition writes it, e.g. `42122000-0`
    """

    scheme: Annotated[str, Meta(pattern="^[A-Z0-9_-]{1,20}$")]
    list_version: Annotated[str, Meta(min_length=1, max_length=20)]
    code: Annotated[str, Meta(min_length=1, max_length=40)]


class NewItem(Struct, kw_only=True, forbid_unknown_fields=True):
    """An article or service of the shared catalogue.

    name         in English or the language most of its readers know, e.g. `Circulation pump 25-40`
    unit         what prices and orders count in, for ever: a code of `GET /api/v1/units`, e.g.
                 `C62`
    sku          the catalogue's own number, unique; null: one is made, e.g. `PUMP-25-40`
    names        the name in other languages by ISO 639-1, at most 50, e.g. `{"de": "Umwälzpumpe"}`
    description  at most 10,000 characters, searched like the name, e.g. `Wet rotor, 180 mm`
    kind         a `product` is delivered, a `service` is rendered
    category_id  a category of the catalogue; null: none
    """

    name: Name
    unit: Annotated[str, Meta(min_length=1, max_length=20)]
    sku: SkuText | None = None
    gtin: str | None = None
    names: Annotated[dict[str, str], Meta(max_length=50)] = {}
    description: Annotated[str, Meta(max_length=10_000)] = ""
    kind: Literal["product", "service"] = "product"
    category_id: UUID | None = None
    classification: Classification | None = None


class ItemChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; null removes. The unit stays: prices and orders count in it.

    name         replaces the name, e.g. `Circulation pump 25-40`
    sku          the catalogue's own number, unique, e.g. `PUMP-25-40`
    names        replaces all other languages, e.g. `{"de": "Umwälzpumpe"}`
    description  replaces the text, e.g. `Wet rotor, 180 mm`
    kind         a `product` is delivered, a `service` is rendered
    category_id  another category; null: none
    """

    name: Name | UnsetType = UNSET
    sku: SkuText | UnsetType = UNSET
    gtin: str | UnsetType | None = UNSET
    names: Annotated[dict[str, str], Meta(max_length=50)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET
    kind: Literal["product", "service"] | UnsetType = UNSET
    category_id: UUID | UnsetType | None = UNSET
    classification: Classification | UnsetType | None = UNSET


class ItemView(Struct, kw_only=True):
    """An article or service of the shared catalogue.

    sku          the catalogue's own number, e.g. `PUMP-25-40`
    name         what it is, e.g. `Circulation pump 25-40`
    names        the name in other languages by ISO 639-1, e.g. `{"de": "Umwälzpumpe"}`
    description  empty: nothing was said, e.g. `Wet rotor, 180 mm`
    kind         `product` or `service`, e.g. `product`
    category_id  where it stands in the catalogue; null: nowhere
    state        `active`, or `retired`: the search finds it no more, e.g. `active`
    """

    id: UUID
    sku: str
    gtin: str | None
    name: str
    names: dict[str, str]
    description: str
    kind: str
    unit: str
    category_id: UUID | None
    classification: Classification | None
    state: str
    created_at: datetime


class ItemPage(Struct):
    """What was found, the best first.

    corrected  the search that was run instead, where the one asked for found nothing; null: as
               asked, e.g. `pump`
    """

    items: list[ItemView]
    next_cursor: str | None = None
    corrected: str | None = None


class NewCategory(Struct, kw_only=True, forbid_unknown_fields=True):
    """A category of the catalogue.

    name   in English, e.g. `Pumps`
    names  in other languages by ISO 639-1, e.g. `{"de": "Pumpen"}`
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    parent_id: UUID | None = None
    names: Annotated[dict[str, str], Meta(max_length=50)] = {}


class CategoryView(Struct, kw_only=True):
    """A category of the catalogue.

    name   in English, e.g. `Pumps`
    names  in other languages by ISO 639-1, e.g. `{"de": "Pumpen"}`
    """

    id: UUID
    parent_id: UUID | None
    name: str
    names: dict[str, str]


class CategoryPage(Struct):
    """All categories; `parent_id` makes the tree."""

    items: list[CategoryView]
    next_cursor: str | None = None


class CodeView(Struct, kw_only=True):
    """One code of a public list.

    code         as that edition writes it, e.g. `42122000-0`
    parent_code  the one above it; null: it stands at the top, e.g. `42120000-6`
    depth        levels below the top, e.g. `4`
    name         in the language asked for, else in English, e.g. `Pumps`
    """

    scheme: str
    list_version: str
    code: str
    parent_code: str | None
    depth: int
    name: str


class CodePage(Struct):
    """Codes of one level of the tree, or those that were searched."""

    items: list[CodeView]
    next_cursor: str | None = None


class UnitView(Struct, kw_only=True):
    """A unit of measure.

    code       of UN/ECE Recommendation 20, e.g. `DZN`
    name       in English, e.g. `dozen`
    symbol     as people write it; empty: none, e.g. `DZN`
    base_code  the unit of its kind that prices are compared in; null: no conversion is known, e.g.
               `C62`
    factor     how many base units make one; null: no conversion is known, e.g. `12`
    """

    code: str
    name: str
    symbol: str
    base_code: str | None
    factor: str | None


class UnitPage(Struct):
    """Every unit that prices and orders may count in."""

    items: list[UnitView]
    next_cursor: str | None = None


class Loaded(Struct):
    """What a list file brought: entries, and how many stand at the top of the tree.

    entries  codes in the list now, e.g. `9454`
    roots    codes without one above them, e.g. `45`
    """

    entries: int
    roots: int


class Offer(Struct, kw_only=True):
    """One supplier's price for an item. Without a common unit or currency `resolved` is the price
    as it is listed.

    supplier     name of the organisation, e.g. `Pumps Ltd`
    list         the price list the price is from; null: none holds
    version      the version of that list; null: none holds, e.g. `3`
    resolved     the price for the quantity asked for, and why it is that
    normal       the price of one `normal_unit` in the currency asked for, which is what offers are
                 sorted by; null: it cannot be compared
    normal_unit  the base unit; null: it cannot be compared, e.g. `C62`
    reason       why it cannot be compared or ordered as asked: `no_rate`, `other_unit`,
                 `below_minimum` (no price for so little), `below_minimum_order`, `between_packs`;
                 null: it can, e.g. `no_rate`
    detail       the reason in words; null: none, e.g. `No rate from PLN to EUR.`
    min_order    the least that can be ordered, in the line's unit; null: any quantity, e.g. `10`
    valid_to     the last day of this price; null: open
    """

    supplier_id: UUID
    supplier: str
    sku: str
    list: ListRef | None
    version: int | None
    resolved: Resolved
    normal: Amount | None
    normal_unit: str | None
    reason: str | None
    detail: str | None
    lead_time_days: int | None
    min_order: str | None
    valid_to: date | None


class OfferPage(Struct):
    """Cheapest first; offers that cannot be compared or ordered as asked come last.

    items  one for each supplier with a price
    """

    items: list[Offer]
    next_cursor: str | None = None


class MappingView(Struct, kw_only=True):
    """One SKU of the caller and the item it is.

    item_name   name of that item, e.g. `Circulation pump 25-40`
    method      how it was found: `exact` (SKU), `gtin`, `similar` (name) or `manual`, e.g. `exact`
    state       `proposed` until somebody confirms or rejects it, e.g. `proposed`
    similarity  of the names, 0 to 100; null: not compared, e.g. `87`
    """

    sku: str
    item_id: UUID
    item_name: str
    method: str
    state: str
    similarity: int | None


class MappingPage(Struct):
    """Which of the caller's SKUs is which item."""

    items: list[MappingView]
    next_cursor: str | None = None


class Decision(Struct, kw_only=True, forbid_unknown_fields=True):
    """Confirm that the own SKU is that item, or that it is not.

    item_id  the item it is compared with
    state    whether it is that item
    """

    sku: SkuText
    item_id: UUID
    state: Literal["confirmed", "rejected"] = "confirmed"


class Proposing(Struct, kw_only=True, forbid_unknown_fields=True):
    """Look for items that the lines of a price list may be.

    price_list_id  the list whose lines are looked at
    scheme         only items classified by this list; null: any, e.g. `CPV`
    code           only items below this code; null: any, e.g. `42122000-0`
    """

    price_list_id: UUID
    scheme: str | None = None
    code: str | None = None
