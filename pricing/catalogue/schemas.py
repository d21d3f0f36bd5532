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
    """A code and the list, with its version, that defines it."""

    scheme: Annotated[str, Meta(pattern="^[A-Z0-9_-]{1,20}$")]
    list_version: Annotated[str, Meta(min_length=1, max_length=20)]
    code: Annotated[str, Meta(min_length=1, max_length=40)]


class NewItem(Struct, kw_only=True, forbid_unknown_fields=True):
    """`names` holds the name in other languages: `{"de": "Pumpe"}`."""

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
    """What is left out stays; null removes. The unit stays: prices and orders count in it."""

    name: Name | UnsetType = UNSET
    sku: SkuText | UnsetType = UNSET
    gtin: str | UnsetType | None = UNSET
    names: Annotated[dict[str, str], Meta(max_length=50)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET
    kind: Literal["product", "service"] | UnsetType = UNSET
    category_id: UUID | UnsetType | None = UNSET
    classification: Classification | UnsetType | None = UNSET


class ItemView(Struct, kw_only=True):
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
    """`corrected` is the search that was run instead, when the one asked for found nothing."""

    items: list[ItemView]
    next_cursor: str | None = None
    corrected: str | None = None


class NewCategory(Struct, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    parent_id: UUID | None = None
    names: Annotated[dict[str, str], Meta(max_length=50)] = {}


class CategoryView(Struct, kw_only=True):
    id: UUID
    parent_id: UUID | None
    name: str
    names: dict[str, str]


class CategoryPage(Struct):
    items: list[CategoryView]
    next_cursor: str | None = None


class CodeView(Struct, kw_only=True):
    scheme: str
    list_version: str
    code: str
    parent_code: str | None
    depth: int
    name: str


class CodePage(Struct):
    items: list[CodeView]
    next_cursor: str | None = None


class UnitView(Struct, kw_only=True):
    """`factor` base units make one; null where no conversion is known."""

    code: str
    name: str
    symbol: str
    base_code: str | None
    factor: str | None


class UnitPage(Struct):
    items: list[UnitView]
    next_cursor: str | None = None


class Loaded(Struct):
    """What a list file brought: entries, and how many stand at the top of the tree."""

    entries: int
    roots: int


class Offer(Struct, kw_only=True):
    """One supplier's price for an item; `normal` is per base unit in the currency asked for.

    `reason` says why it cannot be compared or ordered as asked: `no_rate`, `other_unit`,
    `below_minimum` (no price for so little), `below_minimum_order`, `between_packs`; `detail` in
    words. Without a common unit or currency `resolved` is the price as it is listed.
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
    """Cheapest first; offers that cannot be compared or ordered as asked come last."""

    items: list[Offer]
    next_cursor: str | None = None


class MappingView(Struct, kw_only=True):
    sku: str
    item_id: UUID
    item_name: str
    method: str
    state: str
    similarity: int | None


class MappingPage(Struct):
    items: list[MappingView]
    next_cursor: str | None = None


class Decision(Struct, kw_only=True, forbid_unknown_fields=True):
    """Confirm that the own SKU is that item, or that it is not."""

    sku: SkuText
    item_id: UUID
    state: Literal["confirmed", "rejected"] = "confirmed"


class Proposing(Struct, kw_only=True, forbid_unknown_fields=True):
    """Look for items like the lines of a list, narrowed to a classification where given."""

    price_list_id: UUID
    scheme: str | None = None
    code: str | None = None
