"""Use cases of the catalogue."""

from pricing.catalogue.service.items import (
    add_category,
    add_item,
    browse_items,
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
    "decide",
    "offers_for",
    "propose",
    "show_categories",
    "show_codes",
    "show_item",
    "show_units",
]
