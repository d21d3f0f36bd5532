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
from pricing.lists.service.prices import (
    Question,
    answer_for,
    history,
    parse_quantity,
    price_of,
    unit_code,
)
from pricing.lists.service.settings import (
    keep_rates,
    keep_settings,
    put_into_tier,
    show_rates,
    show_settings,
    tier_changed,
)

__all__ = [
    "Question",
    "answer_for",
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
    "seen",
    "show_list",
    "show_rates",
    "show_settings",
    "tier_changed",
    "unit_code",
    "versions",
]
