"""The auctions whose transcripts are kept: rules for every format, scoring, step and visibility.

A scenario is never changed once its log is committed; new rules get new scenarios.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from auctions.rules.core.commands import Admit, AnyBody, Auto, Bid

ALIASES = ("Amber Heron", "Brisk Lynx", "Calm Otter", "Deft Raven")
STARTS_AT = "2027-01-15T08:00:00Z"


class Scenario(NamedTuple):
    """`rules` without their start. `seed` decides what the bidders do."""

    rules: dict[str, Any]
    ceiling: str | None = "1000.00"
    currency: str = "EUR"
    seed: int = 1
    commands_max: int = 300
    """An auction that is not over by then is cancelled."""

    script: tuple[AnyBody, ...] = ()
    """What happens first of all once it is open; nobody brings an offer then."""


WARRANTY = {
    "id": "warranty",
    "title": "Warranty",
    "max": "0.15",
    "options": [
        {"id": "none", "title": "None", "value": "0"},
        {"id": "3y", "title": "3 years", "value": "0.10"},
        {"id": "5y", "title": "5 years", "value": "0.15"},
    ],
}
RATED = {"id": "rating", "title": "Rating", "max": "0.1", "source": "rating", "unrated": "40"}
ENERGY = {"id": "energy", "title": "Energy over ten years"}
MEAT = {"kind": "meat", "features": [WARRANTY, RATED]}
LCC = {"kind": "lcc", "costs": [ENERGY]}
MIXED = {"kind": "mixed", "features": [WARRANTY, RATED], "costs": [ENERGY]}

OWN = {"against": "own", "kind": "amount", "value": "2.00"}
LEAD = {"against": "lead", "kind": "amount", "value": "1.50", "front_buffer": "2.00"}
PERCENT = {"against": "own", "kind": "percent", "value": "0.5"}
BANDS = OWN | {"bands": [{"from": "600.00", "value": "3.00"}, {"from": "800.00", "value": "5.00"}]}
BUFFERED = OWN | {"front_buffer": "1.00", "back_buffer": "4.00"}
PERCENT_OF_LEAD = {"against": "lead", "kind": "percent", "value": "0.25", "back_buffer": "0.50"}

FROM_CLOSE = {"window_s": 15, "extend_s": 10, "trigger_rank": 2, "from": "close", "max": 3}
FROM_BID = {"window_s": 10, "extend_s": 12, "from": "bid"}
OFTEN_TOO_SHORT = {"window_s": 25, "extend_s": 5, "from": "bid"}

ENGLISH = {"format": "english", "duration_s": 40, "step": OWN}
ROUNDS = {
    "format": "rounds", "rounds": 2, "turn_s": 6, "first_pause_s": 8, "pause_s": 4,
    "announce_s": 3, "step": OWN,
}  # fmt: skip
SEALED = {"format": "sealed", "duration_s": 25}
DUTCH = {"format": "dutch", "start": "600.00", "increment": "30.00", "interval_s": 5}
JAPANESE = {
    "format": "japanese", "start": "900.00", "decrement": "40.00", "floor": "300.00",
    "interval_s": 7,
}  # fmt: skip
LAST_WORD = {"format": "last_word", "duration_s": 20}


def hybrid(*phases: dict[str, Any], **rules: Any) -> dict[str, Any]:
    return {"format": "phases", "phases": list(phases), "visibility": "rank_and_lead"} | rules


ALL, BLIND, BEST = {"visibility": "all"}, {"visibility": "blind"}, {"visibility": "rank_and_lead"}

SCENARIOS: dict[str, Scenario] = {
    "english": Scenario(ENGLISH | BEST | {"overtime": FROM_CLOSE}, seed=2),
    "english_automatic": Scenario(
        ENGLISH | BEST | {"step": LEAD, "overtime": FROM_BID, "ties": "forbid_lead"}, seed=5
    ),
    "english_automatic_open": Scenario(ENGLISH | ALL | {"ties": "forbid_all"}, None, seed=3),
    "english_bands": Scenario(ENGLISH | BLIND | {"step": BANDS, "typo_guard_percent": "5"}, seed=4),
    "english_buffers": Scenario(ENGLISH | ALL | {"step": BUFFERED, "tie_rank": "worst"}, seed=1),
    "english_percent": Scenario(
        ENGLISH | {"step": PERCENT, "min_rating": "50"}, None, "JPY", seed=4
    ),
    "english_percent_of_lead": Scenario(
        ENGLISH | ALL | {"step": PERCENT_OF_LEAD, "tie_rank": "best", "typo_guard_percent": None},
        seed=1,
    ),
    "english_meat": Scenario(ENGLISH | BEST | {"scoring": MEAT, "overtime": FROM_CLOSE}, seed=3),
    "english_cancelled": Scenario(ENGLISH | BEST, commands_max=60, seed=2),
    "english_lcc": Scenario(
        ENGLISH | ALL | {"scoring": LCC, "ties": "forbid_all", "overtime": OFTEN_TOO_SHORT}, seed=2
    ),
    "english_mixed": Scenario(ENGLISH | BEST | {"scoring": MIXED, "step": LEAD}, seed=1),
    "english_percent_of_lead_automatic": Scenario(
        ENGLISH | BEST | {"step": PERCENT_OF_LEAD | {"back_buffer": "0"}, "ties": "forbid_all"},
        None,
        seed=4,
    ),
    "english_buffers_forbidden_ties": Scenario(
        ENGLISH | BEST | {"step": BUFFERED | {"front_buffer": "0"}, "ties": "forbid_all"}, seed=1
    ),
    "english_lead_no_ceiling": Scenario(
        ENGLISH | ALL | {"step": LEAD, "ties": "forbid_lead"}, None, seed=2
    ),
    "english_equal_limits": Scenario(
        ENGLISH | BEST | {"step": LEAD},
        script=(
            *(Auto(cid=f"limit-{name}", bidder=name, limit="700.00") for name in ALIASES),
            *(Auto(cid=f"lower-{name}", bidder=name, limit="650.00") for name in ALIASES[:3]),
            Admit(cid="other-terms", bidder=ALIASES[1], bonus_percent="9"),
        ),
    ),
    "english_taken_prices": Scenario(
        ENGLISH | ALL | {"ties": "forbid_all"},
        script=(
            Bid(cid="top", bidder=ALIASES[0], price="1000.00"),
            Bid(cid="lead", bidder=ALIASES[1], price="900.00"),
            Bid(cid="same", bidder=ALIASES[2], price="1000.00"),
        ),
    ),
    "english_lines": Scenario(
        ENGLISH
        | BEST
        | {
            "lines": [
                {"id": "1", "title": "Pumps", "quantity": "10"},
                {"id": "2", "title": "Pipes"},
            ],
        },
        seed=4,
    ),
    "rounds": Scenario(ROUNDS | ALL, seed=4),
    "rounds_meat": Scenario(ROUNDS | BEST | {"scoring": MEAT, "tie_rank": "best"}, seed=2),
    "rounds_lcc": Scenario(ROUNDS | {"scoring": LCC, "announce_s": 0, "pause_s": 0}, seed=1),
    "rounds_mixed": Scenario(ROUNDS | ALL | {"scoring": MIXED, "ties": "forbid_all"}, seed=1),
    "sealed": Scenario(SEALED | {"tie_rank": "worst"}, seed=1),
    "sealed_meat": Scenario(SEALED | ALL | {"scoring": MEAT}, seed=3),
    "sealed_lcc": Scenario(SEALED | BLIND | {"scoring": LCC}, seed=2),
    "sealed_mixed": Scenario(SEALED | BEST | {"scoring": MIXED}, seed=3),
    "dutch": Scenario(DUTCH | ALL, seed=5),
    "dutch_unwanted": Scenario(DUTCH | {"start": "970.00", "cap": "985.00"}, seed=1),
    "japanese": Scenario(JAPANESE | ALL, seed=3),
    "japanese_to_the_floor": Scenario(JAPANESE | {"floor": "780.00", "tie_rank": "best"}, seed=4),
    "sealed_then_english": Scenario(hybrid(SEALED, ENGLISH | {"overtime": FROM_BID}), seed=1),
    "english_then_sealed": Scenario(hybrid(ENGLISH, SEALED, scoring=MEAT), seed=2),
    "sealed_then_rounds": Scenario(hybrid(SEALED, ROUNDS, scoring=MIXED), seed=5),
    "rounds_then_english": Scenario(hybrid(ROUNDS, ENGLISH), seed=1),
    "japanese_then_sealed": Scenario(hybrid(JAPANESE, SEALED), seed=3),
    "dutch_sealed_last_word": Scenario(hybrid(DUTCH, SEALED, LAST_WORD), seed=3),
    "dutch_english_last_word": Scenario(hybrid(DUTCH, ENGLISH, LAST_WORD, **ALL), seed=4),
    "dutch_rounds_last_word": Scenario(hybrid(DUTCH, ROUNDS, LAST_WORD), seed=3),
    "dutch_then_rounds": Scenario(hybrid(DUTCH, ROUNDS), seed=4),
}
