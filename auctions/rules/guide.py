"""Writes docs/bidding.md: every rule in plain words, from the texts of the terms pages.

`python -m auctions.rules.guide > docs/bidding.md`; a test keeps the two equal.
"""

from __future__ import annotations

import sys
from typing import Any

from .outcomes import Code
from .parameters import BIDDERS_MAX
from .plain import explain
from .plain_words import Paragraph
from .state import BIDS_PER_BIDDER_MAX, CID_WINDOW, HISTORY_MAX
from .terms import Terms, read_terms

INTRO = """\
# Bidding

How the auctions of this marketplace work, rule by rule, each with an example. The terms page of an
auction says the same with that auction's own figures. This page is written from the same source:
change `auctions/rules/plain.py` and run `python -m auctions.rules.guide > docs/bidding.md`.
"""

REFUSED = """\
## When a bid is refused

A refusal names the reason, and where a price was refused the highest price that would have been
accepted. It costs nothing: bid again.

| code | it means |
|---|---|
"""

LIMITS = f"""\
## Limits

At most {BIDDERS_MAX:,} bidders an auction and {BIDS_PER_BIDDER_MAX:,} accepted bids a bidder. The
newest {HISTORY_MAX} bids of each bidder are kept for withdrawals: so many may be struck out one
after the other. A message id is remembered for at least {CID_WINDOW:,} commands of the auction, and
for ever in its log.
"""

CODES = {
    Code.LATE: "stamped at or after the close; both times are named",
    Code.NOT_OPEN: "before the opening, or the auction was cancelled",
    Code.PAUSED: "the buyer paused, or the servers were out; it goes on",
    Code.NOT_ADMITTED: "you did not accept the terms of participation, or you were excluded",
    Code.ABOVE_CEILING: "above the highest price anybody may bid",
    Code.STEP_TOO_SMALL: "not far enough below your own bid or the lead",
    Code.NOT_BELOW_LEAD: "it does not beat the lead, or lands in the buffer above it",
    Code.TIE_FORBIDDEN: "another bidder stands at exactly this value",
    Code.CONFIRM_REQUIRED: "it looks like a slip; send it again with the confirmation",
    Code.NOT_YOUR_TURN: "in rounds, only the bidder whose turn it is may bid",
    Code.STALE_STEP: "on a clock, the step has passed or you dropped out",
    Code.CID_REUSED: "the same message id was used for something else",
    Code.MALFORMED: "no price, no such answer, or not possible in this format",
    Code.OUT_OF_RANGE: "zero, negative or far too large",
    Code.TOO_MANY: "more bids than one bidder may send",
}

_ENGLISH: dict[str, Any] = {
    "format": "english",
    "starts_at": "2026-12-01T10:00:00Z",
    "duration_s": 1_200,
    "step": {"value": "50.00"},
    "overtime": {"window_s": 120, "extend_s": 120, "trigger_rank": 3, "max": 10},
    "visibility": "rank_and_lead",
}
_PLAIN: dict[str, Any] = {"starts_at": "2026-12-01T10:00:00Z", "visibility": "rank_and_lead"}
_WARRANTY = {
    "id": "warranty",
    "title": "Warranty",
    "max": "0.15",
    "options": [
        {"id": "3y", "title": "3 years", "value": "0.10"},
        {"id": "5y", "title": "5 years", "value": "0.15"},
    ],
}
_RATED = {"id": "rating", "title": "Rating", "max": "0.05", "source": "rating"}
_ENERGY = {"id": "energy", "title": "Energy over ten years"}

CHAPTERS: list[tuple[str, dict[str, Any]]] = [
    ("The English auction", _ENGLISH),
    ("Other steps", _ENGLISH | {"step": {"kind": "percent", "value": "0.5"}}),
    (
        "Steps by price",
        _ENGLISH | {"step": {"value": "10.00", "bands": [{"from": "1000.00", "value": "20.00"}]}},
    ),
    (
        "Beating the lead",
        _ENGLISH
        | {"step": {"against": "lead", "value": "50.00", "front_buffer": "5.00"}}
        | {"overtime": {"window_s": 60, "extend_s": 90, "from": "bid"}},
    ),
    ("Rounds", _PLAIN | {"format": "rounds", "step": {"value": "50.00"}}),
    ("Sealed bids", _PLAIN | {"format": "sealed", "duration_s": 86_400}),
    (
        "The Dutch clock",
        _PLAIN | {"format": "dutch", "start": "8000.00", "increment": "100.00", "interval_s": 60},
    ),
    (
        "The Japanese clock",
        _PLAIN
        | {"format": "japanese", "start": "10000.00", "decrement": "100.00", "interval_s": 60},
    ),
    (
        "Hybrids",
        _PLAIN
        | {
            "format": "phases",
            "phases": [
                {"format": "sealed", "duration_s": 3_600},
                {"format": "english", "duration_s": 1_200, "step": {"value": "50.00"}},
            ],
        },
    ),
    (
        "A Dutch clock, sealed bids and a last word",
        _PLAIN
        | {
            "format": "phases",
            "phases": [
                {"format": "dutch", "start": "8000.00", "increment": "100.00", "interval_s": 60},
                {"format": "sealed", "duration_s": 600},
                {"format": "last_word", "duration_s": 300},
            ],
        },
    ),
    ("Quality counts too", _ENGLISH | {"scoring": {"kind": "meat", "features": [_WARRANTY]}}),
    ("Costs over the life", _ENGLISH | {"scoring": {"kind": "lcc", "costs": [_ENERGY]}}),
    (
        "Quality and costs",
        _ENGLISH
        | {"scoring": {"kind": "mixed", "features": [_WARRANTY, _RATED], "costs": [_ENERGY]}},
    ),
    ("Nothing visible", _ENGLISH | {"visibility": "blind"}),
    ("Only the own rank visible", _ENGLISH | {"visibility": "rank"}),
    ("Names after the close", _ENGLISH | {"visibility": "rank", "names_after_close": True}),
    ("Everything visible", _ENGLISH | {"visibility": "all", "names_after_close": True}),
    ("Equal bids share the best rank", _ENGLISH | {"tie_rank": "best"}),
    ("Equal bids share the worst rank", _ENGLISH | {"tie_rank": "worst"}),
    ("No equal bids", _ENGLISH | {"ties": "forbid_all"}),
    ("No equal leaders", _ENGLISH | {"ties": "forbid_lead"}),
    ("A lowest rating", _ENGLISH | {"min_rating": "60"}),
    ("Prices in lines", _ENGLISH | {"lines": [{"id": "1", "title": "Pumps", "quantity": "400"}]}),
]


def guide() -> str:
    """The whole page; a paragraph that an earlier chapter has already said is not said again."""
    said: set[Paragraph] = set()
    parts = [INTRO]
    start = explain(_terms(_ENGLISH))[0].heading
    for title, rules in CHAPTERS:
        fresh = [
            paragraph
            for paragraph in explain(_terms(rules))
            if paragraph not in said and (paragraph.heading != start or "then" in paragraph.text)
        ]
        said.update(fresh)
        parts += [f"## {title}\n", *(_written(paragraph) for paragraph in fresh)]
    rows = [f"| `{code}` | {meaning} |\n" for code, meaning in CODES.items()]
    parts += [REFUSED + "".join(rows), LIMITS]
    return "\n".join(parts)


def _terms(rules: dict[str, Any]) -> Terms:
    return read_terms(rules, auction="guide", currency="EUR", ceiling="10000.00")


def _written(paragraph: Paragraph) -> str:
    return f"### {paragraph.heading}\n\n{paragraph.text}\n\n> {paragraph.example}\n"


if __name__ == "__main__":
    sys.stdout.write(guide())
