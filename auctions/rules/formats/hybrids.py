"""Hybrids to read about, to practise with and to show: which formats go well together."""

from __future__ import annotations

from typing import Any

from auctions.rules.core.parameters import HYBRID
from auctions.rules.parts.format import Example

from .dutch import DUTCH
from .english import ENGLISH
from .last_word import LAST_WORD
from .sealed import SEALED

assert ENGLISH.sample is not None
assert ENGLISH.example is not None

HYBRID_CHAPTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "Hybrids",
        {
            "format": HYBRID,
            "phases": [
                {"format": SEALED.name, "duration_s": 3_600},
                {"format": ENGLISH.name, "duration_s": 1_200, "step": {"value": "50.00"}},
            ],
        },
    ),
    (
        "A Dutch clock, sealed bids and a last word",
        {
            "format": HYBRID,
            "phases": [
                {
                    "format": DUTCH.name,
                    "start": "8000.00",
                    "increment": "100.00",
                    "interval_s": 60,
                },
                {"format": SEALED.name, "duration_s": 600},
                {"format": LAST_WORD.name, "duration_s": 300},
            ],
        },
    ),
)
HYBRID_SAMPLE: dict[str, Any] = {
    "format": HYBRID,
    "visibility": "rank_and_lead",
    "phases": [
        {"format": SEALED.name, "duration_s": 30},
        {key: value for key, value in ENGLISH.sample.items() if key != "visibility"},
    ],
}
HYBRID_EXAMPLE = Example(
    "400 circulation pumps, sealed and then live",
    ENGLISH.example.item,
    ENGLISH.example.quantity,
    ENGLISH.example.ceiling,
    {
        "format": HYBRID,
        "visibility": "rank_and_lead",
        "phases": [
            {"format": SEALED.name, "duration_s": 45},
            {
                "format": ENGLISH.name,
                "duration_s": 180,
                "step": ENGLISH.example.rules["step"],
                "overtime": {"window_s": 20, "extend_s": 20, "trigger_rank": 3, "max": 6},
            },
        ],
    },
    ENGLISH.example.opening,
    ENGLISH.example.floors,
)
