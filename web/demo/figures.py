"""What the demo's lots are made of: the example of each format, and of hybrids.

The figures are those of published cases of other systems, named beside each. Durations are
shortened, so that a demo takes minutes.
"""

from __future__ import annotations

from auctions.rules.core.parameters import HYBRID
from auctions.rules.formats import FORMATS
from auctions.rules.formats.hybrids import HYBRID_EXAMPLE
from auctions.rules.parts.format import Example as Figures

CURRENCY = "UAH"

FIGURES: dict[str, Figures] = {
    **{name: each.example for name, each in FORMATS.items() if each.example is not None},
    HYBRID: HYBRID_EXAMPLE,
}
"""By the name of the format."""

__all__ = ["CURRENCY", "FIGURES", "Figures"]
