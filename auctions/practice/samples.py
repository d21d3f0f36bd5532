"""Rules to practise with when there is no lot: one small auction for each format. Pure data."""

from __future__ import annotations

from typing import Any

from auctions.rules.core.parameters import HYBRID
from auctions.rules.formats import FORMATS
from auctions.rules.formats.hybrids import HYBRID_SAMPLE

CURRENCY = "EUR"
CEILING = "100000.00"

SAMPLES: dict[str, dict[str, Any]] = {
    **{name: each.sample for name, each in FORMATS.items() if each.sample is not None},
    HYBRID: HYBRID_SAMPLE,
}
"""By the name of the format; the ceiling is CEILING for all."""
