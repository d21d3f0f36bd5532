"""Use cases of the catalogue."""

from pricing.catalogue.service.items import (
    add_category,
    add_item,
    browse_items,
    change_item,
    change_item_state,
    may_change_item,
    own_item,
    show_categories,
    show_codes,
    show_item,
    show_units,
)
from pricing.catalogue.service.mappings import browse_mappings, decide, propose
from pricing.catalogue.service.offers import offers_for

__all__ = [
    "add_category",
    "add_item",
    "browse_items",
    "browse_mappings",
    "change_item",
    "change_item_state",
    "decide",
    "may_change_item",
    "offers_for",
    "own_item",
    "propose",
    "show_categories",
    "show_codes",
    "show_item",
    "show_units",
]
