"""What the demo's lots are made of. The figures are those of published cases of other systems.

english, rounds, phases   openprocurement.auction.worker: initial prices 475000.00 and 480000.00
                          (tests/data/data.py), step 7500.00 (tests/unit/test_forms.py)
sealed                    procedure_tools, closeFrameworkAgreementUA: 500.00 and 499.00 with the
                          values 0.10 and 0.15 of one criterion
dutch                     openprocurement.auction.insider: 35000.00 rising by 350.00 to 63000.00
                          (tests/unit/test_bidders.py, constants.py); the source falls, it is
                          mirrored
japanese                  the same source: from 26000.00 in steps of 260.00
(tests/unit/test_utils.py)

Durations are shortened, so that a demo takes minutes.
"""

from __future__ import annotations

from typing import Any

import msgspec

CURRENCY = "UAH"


class Figures(msgspec.Struct, frozen=True):
    """One kind of demo: the lot as the API takes it, and from where to where bots go, in minor
    units. Where prices are named no floor is above an opening.
    """

    title: str
    item: str
    quantity: str
    ceiling: str | None
    rules: dict[str, Any]
    opening: tuple[int, int]
    floors: tuple[int, int]


_STEP = {"against": "own", "kind": "amount", "value": "7500.00"}
_PRICES = ((47_500_000, 48_000_000), (25_850_000, 36_000_000))
_WARRANTY = {
    "kind": "meat",
    "features": [
        {
            "id": "air_intake",
            "title": "Air intake",
            "max": "0.15",
            "options": [
                {"id": "side", "title": "At the side", "value": "0.10"},
                {"id": "top", "title": "At the top", "value": "0.15"},
            ],
        }
    ],
}

FIGURES = {
    "english": Figures(
        "400 circulation pumps",
        "Circulation pump",
        "400",
        "480000.00",
        {
            "format": "english",
            "duration_s": 240,
            "step": _STEP,
            "visibility": "rank_and_lead",
            "overtime": {
                "window_s": 20,
                "extend_s": 20,
                "trigger_rank": 3,
                "from": "close",
                "max": 6,
            },
        },
        *_PRICES,
    ),
    "rounds": Figures(
        "400 circulation pumps, in rounds",
        "Circulation pump",
        "400",
        "480000.00",
        {
            "format": "rounds",
            "rounds": 3,
            "turn_s": 6,
            "first_pause_s": 15,
            "pause_s": 8,
            "announce_s": 5,
            "step": _STEP,
            "visibility": "all",
        },
        *_PRICES,
    ),
    "sealed": Figures(
        "Air handling units",
        "Air handling unit",
        "10",
        "500.00",
        {"format": "sealed", "duration_s": 90, "visibility": "rank", "scoring": _WARRANTY},
        (49_900, 50_000),
        (49_900, 49_900),
    ),
    "dutch": Figures(
        "Clearing of winter snow",
        "Season",
        "1",
        None,
        {
            "format": "dutch",
            "start": "35000.00",
            "increment": "350.00",
            "interval_s": 3,
            "cap": "63000.00",
            "visibility": "rank",
        },
        (3_500_000, 3_500_000),
        (4_200_000, 6_000_000),
    ),
    "japanese": Figures(
        "Office chairs",
        "Office chair",
        "100",
        None,
        {
            "format": "japanese",
            "start": "26000.00",
            "decrement": "260.00",
            "interval_s": 5,
            "visibility": "rank",
        },
        (2_600_000, 2_600_000),
        (1_400_000, 2_300_000),
    ),
    "phases": Figures(
        "400 circulation pumps, sealed and then live",
        "Circulation pump",
        "400",
        "480000.00",
        {
            "format": "phases",
            "visibility": "rank_and_lead",
            "phases": [
                {"format": "sealed", "duration_s": 45},
                {
                    "format": "english",
                    "duration_s": 180,
                    "step": _STEP,
                    "overtime": {"window_s": 20, "extend_s": 20, "trigger_rank": 3, "max": 6},
                },
            ],
        },
        *_PRICES,
    ),
}
"""By the name of the format."""
