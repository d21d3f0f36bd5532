"""Use cases of price lists."""

from pricing.lists.service.lists import (
    browse_lists,
    change_list,
    create_list,
    lines,
    own,
    seen,
    show_list,
    versions,
)
from pricing.lists.service.prices import history, parse_quantity, price_of, rates_for
from pricing.lists.service.settings import (
    keep_rates,
    keep_settings,
    put_into_tier,
    show_rates,
    show_settings,
)

__all__ = [
    "browse_lists",
    "change_list",
    "create_list",
    "history",
    "keep_rates",
    "keep_settings",
    "lines",
    "own",
    "parse_quantity",
    "price_of",
    "put_into_tier",
    "rates_for",
    "seen",
    "show_list",
    "show_rates",
    "show_settings",
    "versions",
]
