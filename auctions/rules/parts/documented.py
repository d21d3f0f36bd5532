"""The `rules` of a lot as structs, for the API document.

Nothing is decoded into them: `terms.read` notes every wrong field at once, with its path. They say
what it reads, and `tests/auctions/rules/test_documented_rules.py` holds both to it. A null is the
same as a field that is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from auctions.rules.core.parameters import BANDS_MAX, COSTS_MAX, FEATURES_MAX, LINES_MAX

from .fields import DURATION_S_MAX, ID_CHARS_MAX, TEXT_CHARS_MAX, TURN_S_MAX

Duration = Annotated[float, Meta(ge=1, le=DURATION_S_MAX)]
Interval = Annotated[float, Meta(ge=1, le=TURN_S_MAX)]
Pause = Annotated[float, Meta(ge=0, le=TURN_S_MAX)]
DecimalText = Annotated[str, Meta(pattern=r"^-?[0-9]{1,18}(\.[0-9]{1,6})?$")]
Id = Annotated[str, Meta(min_length=1, max_length=ID_CHARS_MAX)]
Title = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS_MAX)]

LotRules = Annotated[dict[str, Any], Meta(extra={"component": "LotRules"})]
"""Rules that an auction can begin with; the API document has a schema for each format."""

DraftRules = Annotated[dict[str, Any], Meta(extra={"component": "DraftRules"})]
"""Rules as they were given: while the tender is a draft they may be incomplete."""


class BandRules(msgspec.Struct, frozen=True, kw_only=True):
    """Another step for higher prices.

    start  from this price upwards, itself included, e.g. `1000.00`
    value  the step there, e.g. `200.00`
    """

    start: DecimalText = field(name="from")
    value: DecimalText


class StepRules(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a bid must improve.

    against       what must be improved: the bidder's own last bid, or the lead
    kind          what `value` is: an amount in the lot's currency, or percent
    value         the least improvement, more than 0, e.g. `50.00`
    bands         other steps by price, each above the one before
    front_buffer  no bid may land less than this below a rival's lead, e.g. `5.00`
    back_buffer   nor less than this above it, e.g. `5.00`
    """

    against: Literal["own", "lead"] | None = "own"
    kind: Literal["amount", "percent"] | None = "amount"
    value: DecimalText
    bands: Annotated[list[BandRules], Meta(max_length=BANDS_MAX)] | None = None
    front_buffer: DecimalText | None = None
    back_buffer: DecimalText | None = None


class OvertimeRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a late bid moves the close.

    window_s      bids in the last so many seconds do, e.g. `120`
    extend_s      by so many seconds, e.g. `120`
    trigger_rank  only where a rank up to this one changes hands; null: any bid, e.g. `3`
    counted_from  whether the seconds count from the close or from the bid
    limit         so many times at most; null: any number, e.g. `10`
    """

    window_s: Duration | None = 120
    extend_s: Duration | None = 120
    trigger_rank: Annotated[int, Meta(ge=1)] | None = None
    counted_from: Literal["close", "bid"] | None = field(name="from", default="close")
    limit: Annotated[int, Meta(ge=1, le=1_000_000)] | None = field(name="max", default=None)


class OptionRules(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to a criterion.

    id     what bids name it by, e.g. `5y`
    title  as bidders read it; null: its id, e.g. `Five years`
    value  what it is worth, from 0 to the criterion's `max`, e.g. `0.15`
    """

    id: Id
    title: Title | None = None
    value: DecimalText


class FeatureRules(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion beside the price. The worths of a bidder's answers make its coefficient:
    1 + sum / (1 - sum of all maxima).

    id       what bids name it by, e.g. `warranty`
    title    as bidders read it; null: its id, e.g. `Warranty`
    max      the most it can be worth; all of them add up to less than 1, e.g. `0.15`
    source   who answers: the bidder by an option, or the buyer's rating of it
    options  of a criterion that the bidder answers
    unrated  the score, 0 to 100, of a bidder that has none yet, e.g. `50`
    """

    id: Id
    title: Title | None = None
    max: DecimalText
    source: Literal["options", "rating"] | None = "options"
    options: Annotated[list[OptionRules], Meta(max_length=FEATURES_MAX)] | None = None
    unrated: DecimalText | None = None


class CostRules(msgspec.Struct, frozen=True, kw_only=True):
    """A cost over the life of what is bought, which each bidder states in money.

    id     what bids name it by, e.g. `energy`
    title  as bidders read it; null: its id, e.g. `Energy of ten years`
    """

    id: Id
    title: Title | None = None


class ScoringRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared beside the price.

    kind      `price`: nothing else; `meat`: price / coefficient; `lcc`: price + costs; `mixed`:
              price / coefficient + costs
    features  the criteria of `meat` and `mixed`
    costs     the costs of `lcc` and `mixed`
    """

    kind: Literal["price", "meat", "lcc", "mixed"] | None = "price"
    features: Annotated[list[FeatureRules], Meta(max_length=FEATURES_MAX)] | None = None
    costs: Annotated[list[CostRules], Meta(max_length=COSTS_MAX)] | None = None


class LineRules(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the lot with a total of its own in every bid.

    id        what bids name it by, e.g. `1`
    title     as bidders read it; null: its id, e.g. `Pumps`
    quantity  how many units; it helps to name a mix-up of unit price and total, e.g. `400`
    """

    id: Id
    title: Title | None = None
    quantity: DecimalText | None = None


class CommonRules(msgspec.Struct, frozen=True, kw_only=True):
    """What an auction of any format has.

    starts_at           when bidding opens, RFC 3339 with an offset
    scoring             what is compared beside the price; null: nothing
    ties                whether two may bid the same: `allowed` (the earlier ranks first),
                        `forbid_all`, or `forbid_lead`: not the same as the lead
    tie_rank            how two equal leaders read: 1, 2 (`order`), 1, 1 (`best`) or 2, 2 (`worst`)
    visibility          what bidders see: nothing, the own rank, the lead's price too, or all prices
    typo_guard_percent  a bid that falls by more needs a second call to confirm it; null switches
                        the guard off, left out it is 30, e.g. `30`
    min_rating          bidders with a lower score, 0 to 100, are not admitted; null: all are,
                        e.g. `60`
    names_after_close   true: after the close bidders learn who the others were
    lines               null: one price for the whole lot
    """

    starts_at: datetime
    scoring: ScoringRules | None = None
    ties: Literal["allowed", "forbid_all", "forbid_lead"] | None = "allowed"
    tie_rank: Literal["order", "best", "worst"] | None = "order"
    visibility: Literal["blind", "rank", "rank_and_lead", "all"] | None = "rank"
    typo_guard_percent: DecimalText | None = "30"
    min_rating: DecimalText | None = None
    names_after_close: bool | None = False
    lines: Annotated[list[LineRules], Meta(max_length=LINES_MAX)] | None = None


class PhaseRules(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what formats add to them; `format` itself is named by the registry."""


class TimedRules(PhaseRules, frozen=True, kw_only=True):
    """A format of a fixed length.

    duration_s  seconds from its start to its close, e.g. `1200`
    """

    duration_s: Duration | None = 1_200
