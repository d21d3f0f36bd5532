"""Writes docs/bidding.md: every rule in plain words, from the texts of the terms pages.

`python -m auctions.rules.views.guide > docs/bidding.md`; a test keeps the two equal.
"""

from __future__ import annotations

import sys
from typing import Any

from auctions.rules.core.outcomes import Code
from auctions.rules.core.parameters import BIDDERS_MAX, Terms
from auctions.rules.core.state import BIDS_PER_BIDDER_MAX, CID_WINDOW, HISTORY_MAX
from auctions.rules.formats import DEFAULT, FORMATS
from auctions.rules.formats.hybrids import HYBRID_CHAPTERS
from auctions.rules.parts.words import Paragraph
from auctions.rules.terms.read import read_terms

from .plain import explain

INTRO = """\
# Bidding

How the auctions of this marketplace work, rule by rule, each with an example. The terms page of an
auction says the same with that auction's own figures. This page is written from the same source:
change `auctions/rules/views/plain.py` or a format's own file in `auctions/rules/formats` and run
`python -m auctions.rules.views.guide > docs/bidding.md`.
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

_START = {"starts_at": "2026-12-01T10:00:00Z"}
_BASE: dict[str, Any] = DEFAULT.chapters[0][1]
"""What the chapters about everything but the format start from."""

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
    *(chapter for each in FORMATS.values() for chapter in each.chapters),
    *HYBRID_CHAPTERS,
    ("Quality counts too", _BASE | {"scoring": {"kind": "meat", "features": [_WARRANTY]}}),
    ("Costs over the life", _BASE | {"scoring": {"kind": "lcc", "costs": [_ENERGY]}}),
    (
        "Quality and costs",
        _BASE | {"scoring": {"kind": "mixed", "features": [_WARRANTY, _RATED], "costs": [_ENERGY]}},
    ),
    ("Nothing visible", _BASE | {"visibility": "blind"}),
    ("Only the own rank visible", _BASE | {"visibility": "rank"}),
    ("Names after the close", _BASE | {"visibility": "rank", "names_after_close": True}),
    ("Everything visible", _BASE | {"visibility": "all", "names_after_close": True}),
    ("Equal bids share the best rank", _BASE | {"tie_rank": "best"}),
    ("Equal bids share the worst rank", _BASE | {"tie_rank": "worst"}),
    ("No equal bids", _BASE | {"ties": "forbid_all"}),
    ("No equal leaders", _BASE | {"ties": "forbid_lead"}),
    ("A lowest rating", _BASE | {"min_rating": "60"}),
    ("Prices in lines", _BASE | {"lines": [{"id": "1", "title": "Pumps", "quantity": "400"}]}),
]


def guide() -> str:
    """The whole page; a paragraph that an earlier chapter has already said is not said again."""
    said: set[Paragraph] = set()
    parts = [INTRO]
    start = explain(_terms(_BASE))[0].heading
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
    given = _START | {"visibility": "rank_and_lead"} | rules
    return read_terms(given, auction="guide", currency="EUR", ceiling="10000.00")


def _written(paragraph: Paragraph) -> str:
    return f"### {paragraph.heading}\n\n{paragraph.text}\n\n> {paragraph.example}\n"


if __name__ == "__main__":
    sys.stdout.write(guide())
