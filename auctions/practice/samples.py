"""Rules to practise with when there is no lot: one small auction for each format. Pure data."""

from __future__ import annotations

from typing import Any

CURRENCY = "EUR"
CEILING = "100000.00"

_STEP = {"against": "own", "kind": "amount", "value": "500.00"}
_OVERTIME = {"window_s": 20, "extend_s": 20, "trigger_rank": 3, "from": "close", "max": 5}
_ENGLISH = {"format": "english", "duration_s": 120, "step": _STEP, "overtime": _OVERTIME}

SAMPLES: dict[str, dict[str, Any]] = {
    "english": _ENGLISH | {"visibility": "rank_and_lead"},
    "rounds": {
        "format": "rounds",
        "rounds": 2,
        "turn_s": 15,
        "first_pause_s": 20,
        "pause_s": 5,
        "announce_s": 5,
        "step": _STEP,
        "visibility": "all",
    },
    "sealed": {"format": "sealed", "duration_s": 60, "visibility": "rank"},
    "dutch": {
        "format": "dutch",
        "start": "60000.00",
        "increment": "1000.00",
        "interval_s": 4,
        "cap": "100000.00",
        "visibility": "rank",
    },
    "japanese": {
        "format": "japanese",
        "start": "100000.00",
        "decrement": "2000.00",
        "floor": "40000.00",
        "interval_s": 6,
        "visibility": "rank",
    },
    "phases": {
        "format": "phases",
        "visibility": "rank_and_lead",
        "phases": [{"format": "sealed", "duration_s": 30}, _ENGLISH],
    },
}
"""By the name of the format; the ceiling is CEILING for all."""
