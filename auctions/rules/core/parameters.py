"""The parameters of an auction: everything `apply` needs to know, as frozen values.

Money is integer minor units, time is microseconds, shares are parts per million: 30 % is 300,000.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

RULES_VERSION = 1
"""What auctions that are published now pin; see `auctions.rules.versions`."""

PPM = 1_000_000

BIDDERS_MAX = 1_000
PHASES_MAX = 8
BANDS_MAX = FEATURES_MAX = COSTS_MAX = 50
LINES_MAX = 200
STEPS_MAX = 100_000

HYBRID = "phases"
"""The `format` of an auction that consists of several phases."""


class Band(msgspec.Struct, frozen=True):
    """From this price upwards (itself included) the step is `value`."""

    from_minor: int
    value: int


class Step(msgspec.Struct, frozen=True):
    """What a bid must improve. `value` is minor units, or parts per million when `kind` is percent.

    The buffers are minor units of the evaluated price around a rival's lead: no bid may land less
    than `front_buffer` below it nor less than `back_buffer` above it.
    """

    against: Literal["own", "lead"] = "own"
    kind: Literal["amount", "percent"] = "amount"
    value: int = 1
    bands: tuple[Band, ...] = ()
    front_buffer: int = 0
    back_buffer: int = 0


class Overtime(msgspec.Struct, frozen=True):
    """`trigger_rank=None`: any bid; `limit=None`: any number of extensions."""

    window_us: int
    extend_us: int
    trigger_rank: int | None = None
    counted_from: Literal["close", "bid"] = "close"
    limit: int | None = None


class Option(msgspec.Struct, frozen=True):
    id: str
    title: str
    value_ppm: int


class Feature(msgspec.Struct, frozen=True):
    """A criterion worth up to `max_ppm`. With `source="rating"` the buyer's rating answers it:

    value = max * rating / 100, and `unrated` stands in for a supplier who has no rating yet.
    """

    id: str
    title: str
    max_ppm: int
    options: tuple[Option, ...] = ()
    source: Literal["options", "rating"] = "options"
    unrated: str = "50"


class Cost(msgspec.Struct, frozen=True):
    """A cost over the life of what is bought, answered by each bidder in money."""

    id: str
    title: str


class Scoring(msgspec.Struct, frozen=True):
    kind: Literal["price", "meat", "lcc", "mixed"] = "price"
    features: tuple[Feature, ...] = ()
    costs: tuple[Cost, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """A part of the lot with its own total; `quantity` (decimal text) helps to name mix-ups."""

    id: str
    title: str
    quantity: str | None = None


class Phase(msgspec.Struct, frozen=True):
    """One format with its clock. A plain auction has exactly one phase, a hybrid several.

    `duration_us` is the length, and an estimate of it where stages decide. The fields below it came
    with the first formats and stand in every pinned terms; each format says which of them it uses.
    Formats that come later keep what they need in `own`.
    """

    format: str
    duration_us: int
    step: Step = Step()
    overtime: Overtime | None = None
    rounds: int = 3
    turn_us: int = 120_000_000
    first_pause_us: int = 300_000_000
    pause_us: int = 120_000_000
    announce_us: int = 0
    start_minor: int = 0
    increment_minor: int = 0
    decrement_minor: int = 0
    interval_us: int = 0
    cap_minor: int = 0
    floor_minor: int = 1
    own: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """All of one auction's rules: self-contained, pinned by `rules_version`, round-trips.

    A silence of more than `blind_us` is an outage; in the last `near_us` of a stage, when seconds
    decide, of more than `near_blind_us`. Heartbeats come as much more often.
    """

    rules_version: int = RULES_VERSION
    auction: str
    currency: str
    exponent: int
    ceiling_minor: int | None = None
    format: str
    starts_at_us: int
    phases: tuple[Phase, ...]
    scoring: Scoring = Scoring()
    ties: Literal["allowed", "forbid_all", "forbid_lead"] = "allowed"
    tie_rank: Literal["order", "best", "worst"] = "order"
    visibility: Literal["blind", "rank", "rank_and_lead", "all"] = "rank"
    typo_guard_ppm: int | None = 300_000
    min_rating: str | None = None
    names_after_close: bool = False
    lines: tuple[Line, ...] = ()
    min_resume_us: int = 120_000_000
    heartbeat_us: int = 2_000_000
    blind_us: int = 6_000_000
    near_us: int = 120_000_000
    near_heartbeat_us: int = 500_000
    near_blind_us: int = 2_000_000

    @property
    def shows_lead(self) -> bool:
        """Whether a bidder with an accepted bid may see the best price of the others."""
        return self.visibility in ("rank_and_lead", "all")
